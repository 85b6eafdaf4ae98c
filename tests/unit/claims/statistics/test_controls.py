"""Numbers of figure controls, worked by hand: which networks count, and which are compared."""

import numpy as np
import pytest
import synthetic_controls

from directions.claims.statistics import Untestable, controls, estimate


def tables(**settings):
    return synthetic_controls.tables(model="mlp", **settings)


def changed(found, column, value, **where):
    runs = found["runs"].copy()
    for name, wanted in where.items():
        runs = runs[runs[name] == wanted]
    whole = found["runs"].copy()
    whole.loc[runs.index, column] = value
    return found | {"runs": whole}


def test_a_kind_is_a_data_set_a_fraction_and_a_number_of_images():
    groups = controls.kinds()(tables(networks=2), {})
    assert len(groups) == 4 * 3 * 2
    one, other = groups["pvr", 0.5, 4000]
    assert one.shape == other.shape == (4, 2)
    np.testing.assert_allclose(one[:, 1], 0.8)  # 0.3 + 0.5
    np.testing.assert_allclose(one[:, 0], 0.6 - 0.5 * 0.4, atol=0.03)


def test_the_difference_is_averaged_over_equal_numbers_of_images():
    measured = {
        ("pvr", 0.0, 1000): np.full((1, 2, 2), 0.9),
        ("pvr", 0.5, 1000): np.full((1, 2, 2), 0.5),
        ("pvr", 0.25, 1000): np.full((1, 2, 2), 0.1),  # neither true nor most shuffled labels
        ("pvr", 0.0, 4000): np.full((1, 2, 2), 0.8),
        ("pvr", 0.5, 4000): np.full((1, 2, 2), 0.6),
        ("pvr", 0.0, 16000): np.full((1, 2, 2), 0.1),  # has no partner
    }
    assert controls.lead_of_true_labels(measured) == pytest.approx(np.array([0.3]))
    _, combine = controls.lead("a", "b")
    kept = {("a", 0.0, 10): 0.7, ("b", 0.0, 10): 0.4, ("a", 0.0, 20): 0.5, ("b", 0.0, 20): 0.6}
    kept |= {("b", 0.0, 30): 0.0, ("a", 0.0, 40): 1.0}
    assert combine({kind: np.full((1, 3, 2), value) for kind, value in kept.items()}) == pytest.approx(0.1)


def test_a_kind_of_which_one_network_did_not_learn_its_labels_does_not_count():
    found = changed(tables(), "train_accuracy", 0.98, dataset="pvr", images=1000, corrupt=0.0, seed=1)
    kinds = controls.kinds(controls.PVR, true_labels=True)(found, {})
    assert set(kinds) == {("pvr", 0.0, 4000), ("pvr", 0.0, 16000)}
    assert estimate("pvr_gap_correlation", found, "x").networks == 3


def test_where_no_shuffled_labels_are_learned_nothing_is_compared():
    found = tables(forgetful=("mnist",))
    with pytest.raises(Untestable, match="as many images to compare"):
        estimate("mnist_corruption_difference", found, "x")
    assert estimate("pvr_corruption_difference", found, "x").value > 0
    none = changed(found, "train_accuracy", 0.5)
    with pytest.raises(Untestable, match="learned their labels"):
        estimate("controls_gap_correlation", none, "x")


def test_a_data_set_that_the_study_lacks_is_named():
    found = tables()
    runs = found["runs"][found["runs"]["dataset"] != "mnist_clones_isotropic"]
    with pytest.raises(Untestable, match="learned labels of mnist_clones_isotropic"):
        estimate("isotropic_difference", found | {"runs": runs}, "x")


@pytest.mark.parametrize(("slope", "sign"), [(-0.5, -1), (0.5, 1)])
def test_the_sign_that_goes_in_comes_out(slope, sign):
    found = tables(slope=slope, clones=0)
    for name in ("pvr_gap_correlation", "true_labels_gap_correlation", "controls_gap_correlation"):
        ours = estimate(name, found, "x")
        assert sign * ours.low > 0.5
        assert sign * ours.high > 0.5
    for name in ("pvr_corruption_difference", "mnist_corruption_difference"):
        assert sign * estimate(name, found, "x").value < 0


def test_one_network_of_each_kind_gives_no_interval():
    assert estimate("pvr_gap_correlation", tables(networks=1), "x").low is None
