import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_regression

from directions.analyses import pair_information as pairs
from directions.analyses.selectivity import mutual_information

RNG = np.random.default_rng(0)
BIASED = 1 / (2 * np.log(2))  # times 1 / images: what a Gaussian estimate finds between independent units


def normals(images: int, *correlations: float) -> np.ndarray:
    """A normal variable, and one for each correlation with it."""
    first, *rest = RNG.standard_normal((1 + len(correlations), images))
    rows = [r * first + np.sqrt(1 - r**2) * noise for r, noise in zip(correlations, rest, strict=True)]
    return np.stack([first, *rows], axis=1)


def copula(activity: np.ndarray) -> np.ndarray:
    scores = pairs.normal_scores(activity, np.random.default_rng(1))
    return pairs.copula_information(scores, scores)


def exact(correlation: float) -> float:
    return -0.5 * np.log2(1 - correlation**2)


def test_information_of_normal_variables_is_that_of_their_correlation():
    activity = normals(20_000, 0.0, 0.5, -0.9)
    activity = np.exp(activity)  # the order of values is all that counts
    found = copula(activity)[0, 1:]
    assert found == pytest.approx([0, exact(0.5), exact(0.9)], abs=0.02)
    for unit, expected in enumerate([0, exact(0.5), exact(0.9)], 1):
        ksg = pairs.ksg_information(np.log(activity[:4000, 0]), np.log(activity[:4000, unit]), RNG)
        assert ksg == pytest.approx(expected, abs=0.05)


def test_the_bias_of_the_copula_is_the_one_named():
    found = copula(RNG.standard_normal((500, 200)))
    off = found[~np.eye(200, dtype=bool)]
    assert off.mean() == pytest.approx(BIASED / 500, rel=0.05)


def test_units_that_are_constant_tied_or_equal_give_finite_numbers():
    activity = np.maximum(normals(1000, 0.8, 0.8), 0)
    activity = np.column_stack([activity, np.zeros(1000), np.full(1000, 3.0), activity[:, 0]])
    found = copula(activity)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found[3:5] == 0).all()
    assert found[0, 1] > 0.3
    assert found[0, 0] == pytest.approx(np.log2(1000))
    assert 0.8 < found[0, 5] < np.log2(1000)  # zeros are ranked at random, in each unit differently
    assert pairs.ksg_information(activity[:, 0], activity[:, 3], RNG) == 0
    assert np.isfinite([pairs.ksg_information(activity[:, 0], other, RNG) for other in activity.T]).all()


def test_ksg_agrees_with_scikit_learn():
    activity = normals(600, 0.3, 0.7)
    curved = np.column_stack([activity, activity[:, 0] ** 2 + 0.1 * RNG.standard_normal(600)])
    for unit in (1, 2, 3):
        ours = pairs.ksg_information(curved[:, 0], curved[:, unit], RNG)
        theirs = mutual_info_regression(curved[:, [0]], curved[:, unit], n_neighbors=3, random_state=0)
        assert max(ours, 0) == pytest.approx(theirs[0] / np.log(2), abs=1e-3)  # theirs is never below 0
    assert pairs.ksg_information(curved[:, 0], curved[:, 3], RNG) > 1  # the copula sees nothing of it
    assert copula(curved)[0, 3] < 0.1


def test_every_unit_has_as_many_partners():
    drawn = pairs.partners(51, 8, np.random.default_rng(0))
    assert len({tuple(sorted(pair)) for pair in drawn.tolist()}) == len(drawn) == 51 * 4
    assert (np.bincount(drawn.ravel()) == 8).all()
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert len(pairs.partners(9, 8, RNG)) == 9 * 8 // 2
    assert len(pairs.partners(1, 8, RNG)) == 0
    mean = pairs.mean_over_pairs(np.array([1.0, 3.0]), np.array([[0, 1], [1, 2]]), 4)
    np.testing.assert_array_equal(mean, [1, 2, 3, np.nan])


BITS = np.array([[a, b] for a in (0, 1) for b in (0, 1)] * 25)
PAIR = np.array([[0, 1]])


def about(target: np.ndarray, units: np.ndarray = BITS) -> dict[str, float]:
    found = pairs.decomposition(units, PAIR, target, int(target.max()) + 1)
    return {name: pytest.approx(float(values[0]), abs=1e-12) for name, values in found.items()}


def test_xor_is_synergy_and_copies_are_redundancy():
    parts = "information", "redundancy", "unique", "synergy", "redundancy_specific", "synergy_specific"
    xor = about(BITS[:, 0] ^ BITS[:, 1])
    assert [xor[part] for part in parts] == [1, 0, 0, 1, 0, 1]
    copies = about(BITS[:, 0], BITS[:, [0, 0]])
    assert [copies[part] for part in parts] == [1, 1, 0, 0, 1, 0]
    alone = about(BITS[:, 0])
    assert [alone[part] for part in parts] == [1, 0, 1, 0, 0, 0]
    both = about(2 * BITS[:, 0] + BITS[:, 1])  # each tells one of two bits: "redundant" by either measure
    assert [both[part] for part in parts] == [2, 1, 0, 1, 1, 1]
    conjunction = about(BITS[:, 0] & BITS[:, 1])
    assert conjunction["redundancy"] == 0.311278124459133
    assert conjunction["synergy"] == 0.5


def test_specific_information_averages_to_mutual_information():
    units, labels = RNG.integers(0, 3, (400, 5)), RNG.integers(0, 4, 400)
    frequency = np.bincount(labels, minlength=6) / 400
    found = pairs.specific_information(units, labels, 6)  # two classes have no images
    np.testing.assert_allclose(found @ frequency, mutual_information(units, labels, 6), atol=1e-12)


def test_what_a_unit_adds_to_all_others():
    """Parity needs every unit; a class that one unit copies needs that one, unless another is its copy."""
    three = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)] * 10)
    np.testing.assert_allclose(pairs.added(three, three.sum(1) % 2, 2), [1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(pairs.added(three, three[:, 0], 2), [1, 0, 0], atol=1e-12)
    copied = three[:, [0, 0, 1]]
    np.testing.assert_allclose(pairs.added(copied, three[:, 0], 2), [0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(pairs.added(three[:, :1], three[:, 0], 2), [1], atol=1e-12)
    assert np.isnan(pairs.added(three, three[:, 0], 11)).all()  # 88 cells, 80 images


def test_entropy_by_hand():
    activity = np.array([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    found = pairs.entropies(activity, 4)
    np.testing.assert_allclose(found["unit"], [2, 2])
    np.testing.assert_allclose(found["global"], [0, 2])  # the small unit stays in the first of the bins
    np.testing.assert_allclose(found["standardised"], [2, 2])
    constant = pairs.entropies(np.full((4, 2), 7.0), 4)
    assert all((values == 0).all() for values in constant.values())


def test_a_unit_that_others_add_up_to_is_predicted():
    first, second, third = RNG.standard_normal((3, 5000))
    activity = np.stack([first, second, first + second, third, np.zeros(5000)], axis=1)
    found = pairs.predictability(activity)
    assert (found[:3] > 0.99).all()
    assert found[3] < 0.01
    assert np.isnan(found[4])


def test_participation_counts_dimensions():
    assert pairs.participation_ratio(RNG.standard_normal((50_000, 4))) == pytest.approx(4, abs=0.01)
    line = RNG.standard_normal((100, 1)) * [1, 2, 3]
    assert pairs.participation_ratio(line) == pytest.approx(1)
    assert np.isnan(pairs.participation_ratio(np.ones((5, 3))))
