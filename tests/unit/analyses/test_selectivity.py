import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from torch import nn

from directions.analyses import selectivity
from directions.core.seeds import stream

LABELS = np.arange(2000) % 10
RNG = np.random.default_rng(0)
NOISY = np.maximum(RNG.normal(size=(2000, 4)) + 0.2 * LABELS[:, None] * [0, 1, 2, 3], 0)


def index(*means: float) -> float:
    return selectivity.selectivity(np.array(means)[:, None])[0]


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
    found = selectivity.measure(activity, np.array([0, 1, 0, 1]), 2, bins=2, shuffles=2, rng=RNG)
    np.testing.assert_array_equal(found["dead"], [True, False])
    assert np.isnan(found["selectivity"][0])
    assert found["selectivity"][1] == pytest.approx((1.5 - 0.25) / 1.75)
    assert found["information_bits"][0] == 0


def test_other_classes_are_averaged_by_class_and_not_by_image():
    """Class 1 has one image and class 2 three: each counts once (matters for unbalanced data)."""
    activity = np.array([[8.0], [4.0], [0.0], [0.0], [0.0]])
    means = selectivity.class_means(activity, np.array([0, 1, 2, 2, 2]), 3)
    np.testing.assert_allclose(selectivity.selectivity(means), [(8 - 2) / (8 + 2)])


def information(activity: np.ndarray, bins: int = 20) -> np.ndarray:
    return selectivity.mutual_information(selectivity.binned(activity, bins), LABELS, 10)


def test_information_agrees_with_scikit_learn():
    bin_numbers = selectivity.binned(NOISY, 20)
    expected = [mutual_info_score(LABELS, bin_numbers[:, unit]) / np.log(2) for unit in range(4)]
    np.testing.assert_allclose(selectivity.mutual_information(bin_numbers, LABELS, 10), expected, atol=1e-12)


def test_information_is_also_given_with_half_and_twice_the_bins():
    found = selectivity.measure(NOISY, LABELS, 10, bins=20, shuffles=1, rng=np.random.default_rng(0))
    for column, bins in (("_coarse", 10), ("", 20), ("_fine", 40)):
        np.testing.assert_array_equal(found[f"information_bits{column}"], information(NOISY, bins))


def test_activity_that_names_the_class_has_all_its_bits():
    assert information((LABELS + 1.0)[:, None], bins=10) == pytest.approx(np.log2(10))
    assert information(LABELS.astype(float)[:, None], bins=9) == pytest.approx(np.log2(10))  # zero: own bin


def test_independent_activity_has_no_more_than_its_floor():
    activity = np.maximum(np.random.default_rng(1).normal(size=(2000, 20)), 0)
    bin_numbers = selectivity.binned(activity, 20)
    floor = selectivity.information_null(bin_numbers, LABELS, 10, 20, np.random.default_rng(2))
    np.testing.assert_allclose(selectivity.mutual_information(bin_numbers, LABELS, 10), floor, rtol=0.5)
    assert (information(NOISY)[3] > 3 * floor).all()


@pytest.mark.parametrize("bend", [np.sqrt, np.square, lambda x: 7 * x, np.expm1])
def test_increasing_maps_that_keep_zero_do_not_change_information(bend):
    np.testing.assert_allclose(information(bend(NOISY)), information(NOISY), atol=1e-12)


def test_bins_are_filled_equally_and_zeros_are_apart():
    counts = np.bincount(selectivity.binned(NOISY[:, :1], 5)[:, 0])
    assert counts[0] == (NOISY[:, 0] == 0).sum()
    assert np.ptp(counts[1:]) <= 1


def test_a_class_without_images_takes_no_part():
    activity = np.array([[8.0], [4.0], [2.0]])
    means = selectivity.class_means(activity, np.array([0, 1, 3]), 5)
    np.testing.assert_array_equal(means, [[8], [4], [2]])


@pytest.fixture
def maps(toy):
    """(a net of 3 maps, then 70 units, and its unit layers; images; labels)."""
    torch.manual_seed(0)
    chain = torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(12, 70)
    net = torch.nn.Sequential(*chain, torch.nn.ReLU()).eval().requires_grad_(False)
    return net, {"1": 3, "4": 70}, torch.tensor(toy.test_images), torch.tensor(toy.test_labels)


def test_activity_is_the_mean_of_a_map_and_independent_of_the_pass(maps):
    net, layers, images, labels = maps
    expected = {"1": net[:2](images / 255).mean((2, 3)).numpy(), "4": net(images / 255).numpy()}
    for size in (1, 7, 40):
        found = list(selectivity.unit_activity(net, layers, images, labels, size))
        assert [(layer, block.shape[1]) for layer, block in found] == [("1", 3), ("4", 64), ("4", 6)]
        for layer in layers:
            whole = np.concatenate([block for name, block in found if name == layer], axis=1)
            np.testing.assert_allclose(whole, expected[layer], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("budget", "runs"), [(None, 1), (3 * 64 * 40 * 4, 1), (2 * 64 * 40 * 4, 2), (1, 3)])
def test_little_memory_takes_more_runs_of_the_network_and_gives_the_same(maps, budget, runs):
    """40 test images, three blocks of units: 3, 64 and 6."""
    net, layers, images, labels = maps
    options = {} if budget is None else {"budget": budget}
    seen = []
    whole = list(selectivity.unit_activity(net, layers, images, labels, 40))
    net[0].register_forward_hook(lambda *_: seen.append(1))
    found = list(selectivity.unit_activity(net, layers, images, labels, 40, **options))
    assert len(seen) == runs
    for (layer, block), (name, expected) in zip(found, whole, strict=True):
        assert layer == name
        np.testing.assert_array_equal(block, expected)


@pytest.mark.parametrize("block", [64, 2, 1000])
def test_neither_budget_nor_blocks_change_a_measure(maps, monkeypatch, block):
    net, layers, images, labels = maps
    monkeypatch.setattr(selectivity, "BLOCK", block)
    options = {"classes": 4, "bins": 5, "shuffles": 3, "seed": 1}
    found, frugal = (selectivity.measure_all(*maps, **options, **o) for o in ({}, {"budget": 1}))
    for layer, first, end in (("1", 0, 3), ("4", 3, 73)):
        activity = np.concatenate(
            [part for name, part in selectivity.unit_activity(net, layers, images, labels) if name == layer],
            axis=1,
        )
        rng = stream("information", 1, layer)
        whole = selectivity.measure(activity, labels.numpy(), 4, bins=5, shuffles=3, rng=rng)
        for name, values in whole.items():
            for blocks in (found, frugal):  # other widths round otherwise on some processors
                np.testing.assert_allclose(blocks[name][first:end], values, rtol=1e-12, atol=1e-15)
    assert len(found["dead"]) == 73
    assert len(np.unique(found["information_null_bits"])) > 20


def test_a_layer_with_negative_activity_has_information_but_no_selectivity(caplog):
    """GELU in one layer, ReLU in the other; an increasing map that keeps 0 changes no information."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    images = torch.randint(0, 256, (90, 1, 2, 2), dtype=torch.uint8)
    labels = torch.arange(90) % 3
    found = selectivity.measure_all(net, {"2": 6, "4": 5}, images, labels, 3, bins=4, shuffles=2, seed=0)
    assert found["negative"].tolist() == [True] * 6 + [False] * 5
    assert np.isnan(found["selectivity"][:6]).all()
    assert (np.isnan(found["selectivity"][6:]) == found["dead"][6:]).all()
    assert "2: " in caplog.text
    assert "4: " not in caplog.text
    signed = np.array([[-3.0], [-2.0], [0.0], [1.0], [4.0]])
    bins = selectivity.binned(signed, 4)
    assert bins[2] == 0
    assert len(set(bins.ravel().tolist())) == 5
    np.testing.assert_array_equal(bins, selectivity.binned(signed**3, 4))
