import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from directions import measures

LABELS = np.arange(2000) % 10
RNG = np.random.default_rng(0)
NOISY = np.maximum(RNG.normal(size=(2000, 4)) + 0.2 * LABELS[:, None] * [0, 1, 2, 3], 0)


def index(*means: float) -> float:
    return measures.selectivity(np.array(means)[:, None])[0]


def test_selectivity_of_one_class_only_is_1_and_of_all_alike_0():
    assert index(0, 0, 3) == 1
    assert index(2, 2, 2) == 0


def test_selectivity_worked_out_by_hand():
    assert index(5, 1, 2, 3) == pytest.approx((5 - 2) / (5 + 2))


@given(
    means=st.lists(st.floats(0.01, 100), min_size=3, max_size=8), scale=st.floats(0.01, 100), data=st.data()
)
def test_scale_and_order_of_classes_do_not_change_selectivity(means, scale, data):
    assert index(*(scale * m for m in means)) == pytest.approx(index(*means), abs=1e-9)
    assert index(*data.draw(st.permutations(means))) == pytest.approx(index(*means), abs=1e-9)


def test_a_dead_unit_is_marked_and_has_no_selectivity():
    activity = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.5]], dtype=np.float32)
    found = measures.measure_layer(activity, np.array([0, 1, 0, 1]), 2, bins=2, shuffles=2, rng=RNG)
    np.testing.assert_array_equal(found["dead"], [True, False])
    assert np.isnan(found["selectivity"][0])
    assert found["selectivity"][1] == pytest.approx((1.5 - 0.25) / 1.75)
    assert found["information_bits"][0] == 0


def test_other_classes_are_averaged_by_class_and_not_by_image():
    """Class 1 has one image and class 2 three: each counts once (matters for unbalanced data)."""
    activity = np.array([[8.0], [4.0], [0.0], [0.0], [0.0]])
    means = measures.class_means(activity, np.array([0, 1, 2, 2, 2]), 3)
    np.testing.assert_allclose(measures.selectivity(means), [(8 - 2) / (8 + 2)])


def information(activity: np.ndarray, bins: int = 20) -> np.ndarray:
    return measures.mutual_information(measures.binned(activity, bins), LABELS, 10)


def test_information_agrees_with_scikit_learn():
    bin_numbers = measures.binned(NOISY, 20)
    expected = [mutual_info_score(LABELS, bin_numbers[:, unit]) / np.log(2) for unit in range(4)]
    np.testing.assert_allclose(measures.mutual_information(bin_numbers, LABELS, 10), expected, atol=1e-12)


def test_information_is_also_given_with_half_and_twice_the_bins():
    found = measures.measure_layer(NOISY, LABELS, 10, bins=20, shuffles=1, rng=np.random.default_rng(0))
    for column, bins in (("_coarse", 10), ("", 20), ("_fine", 40)):
        np.testing.assert_array_equal(found[f"information_bits{column}"], information(NOISY, bins))


def test_activity_that_names_the_class_has_all_its_bits():
    assert information((LABELS + 1.0)[:, None], bins=10) == pytest.approx(np.log2(10))
    assert information(LABELS.astype(float)[:, None], bins=9) == pytest.approx(np.log2(10))  # zero: own bin


def test_independent_activity_has_no_more_than_its_floor():
    activity = np.maximum(np.random.default_rng(1).normal(size=(2000, 20)), 0)
    bin_numbers = measures.binned(activity, 20)
    floor = measures.information_null(bin_numbers, LABELS, 10, 20, np.random.default_rng(2))
    np.testing.assert_allclose(measures.mutual_information(bin_numbers, LABELS, 10), floor, rtol=0.5)
    assert (information(NOISY)[3] > 3 * floor).all()


@pytest.mark.parametrize("bend", [np.sqrt, np.square, lambda x: 7 * x, np.expm1])
def test_increasing_maps_that_keep_zero_do_not_change_information(bend):
    np.testing.assert_allclose(information(bend(NOISY)), information(NOISY), atol=1e-12)


def test_bins_are_filled_equally_and_zeros_are_apart():
    counts = np.bincount(measures.binned(NOISY[:, :1], 5)[:, 0])
    assert counts[0] == (NOISY[:, 0] == 0).sum()
    assert np.ptp(counts[1:]) <= 1


def test_activity_is_the_mean_of_a_map_and_independent_of_the_pass(settings, toy):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU()).eval()
    images, labels = torch.tensor(toy.test_images), torch.tensor(toy.test_labels)
    expected = net(images / 255).mean((2, 3)).detach().numpy()
    for size in (1, 7, 40):
        found = measures.unit_activity(net, ["1"], images, labels, size)["1"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
