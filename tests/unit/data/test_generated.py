"""Data sets that are computed: the rule of their labels, what their splits may hold, moments, same bytes."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from directions.core.errors import InputError
from directions.core.recipe import RECIPES
from directions.core.seeds import stream
from directions.data import clones, nlgp, pvr, pvr_block
from directions.data.dataset import Dataset
from directions.data.registry import GENERATED, KNOWN
from directions.data.specs import Request

PURE = ("pvr", "pvr_sum", "pvr_sum_holdout", "nlgp", "nlgp_gaussian")


def prepare(name, tmp_path, *sources):
    return KNOWN[name].prepare(Request(tmp_path, sources or KNOWN[name].sources))


def digits_of(images):
    """Rows of digits, decoded from one-hot images with 255 for 1."""
    assert set(np.unique(images)) == {0, 255}
    assert (images.sum(-1, dtype=int) == 255).all()
    return images[:, 0].argmax(-1)


def random():
    return stream("test", 0)


def of(digits):
    """A made-up data set of one-colour images, 28 x 28: digit d is 10 + d in training, 110 + d in testing."""
    shown = np.tile(digits, 20)
    images = np.broadcast_to(shown[:, None, None, None], (len(shown), 1, 28, 28)).astype(np.uint8)
    return Dataset("mnist", tuple("0123456789"), 10 + images, shown, 110 + images, shown)


# Pointer value retrieval


@pytest.mark.parametrize(("name", "complexity"), [("pvr", 0), ("pvr_sum", 1), ("pvr_sum_holdout", 1)])
def test_the_pointer_tells_which_values_are_the_label(name, complexity, tmp_path):
    dataset = prepare(name, tmp_path)
    for split in ("train", "test"):
        images, labels = dataset.split(split)
        rows = digits_of(images)
        for row, label in zip(rows[:3000].tolist(), labels[:3000].tolist(), strict=True):
            pointer, values = row[0], row[1:]
            assert pointer + complexity < len(values)
            assert label == sum(values[pointer : pointer + complexity + 1]) % 10
        assert set(rows[:, 0]) == set(range(10 - complexity))
        assert np.bincount(labels, minlength=10).min() > 0.08 * len(labels)


def test_a_row_worked_by_hand():
    row = np.array([[3, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]])
    assert pvr.labels_of(row, 0).tolist() == [6]
    assert pvr.labels_of(row, 1).tolist() == [1]  # 6 + 5
    assert pvr.window(row, 1).tolist() == [[6, 5]]


def test_held_out_pairs_are_never_pointed_at_in_training_and_always_in_the_test_set(tmp_path):
    held = {(first, 2 * first % 10) for first in range(10)}
    assert {tuple(pair) for pair in pvr.HELD_OUT.tolist()} == held
    dataset = prepare("pvr_sum_holdout", tmp_path)
    pairs = {}
    for split in ("train", "test"):
        rows = digits_of(dataset.split(split)[0])
        pairs[split] = {(row[1 + row[0]], row[2 + row[0]]) for row in rows.tolist()}
    assert pairs["test"] == held
    assert pairs["train"] == {(a, b) for a in range(10) for b in range(10)} - held
    assert set(dataset.test_labels) == set(range(10))  # every label can be right


def test_without_hold_out_all_pairs_occur_in_training(tmp_path):
    rows = digits_of(prepare("pvr_sum", tmp_path).train_images)
    assert pvr.held_out(rows).mean() == pytest.approx(0.1, abs=0.01)


# … with MNIST's digits


@pytest.mark.parametrize("holdout", [False, True])
@pytest.mark.parametrize(("split", "base"), [("train", 10), ("test", 110)])
def test_the_top_left_digit_points_at_the_one_that_is_the_label(split, base, holdout):
    images, labels = pvr_block.draw(split, 400, random(), of(np.arange(10)), holdout=holdout)
    assert images.shape == (400, 1, 80, 80)
    assert images.dtype == np.uint8
    corners = [(0, 0), (0, 40), (40, 0), (40, 40)]
    cells = np.stack([images[:, 0, top : top + 40, left : left + 40] for top, left in corners], 1)
    assert ((cells > 0).sum((2, 3)) == 28 * 28).all()  # each picture lies whole within its cell
    digits = cells.max((2, 3)).astype(int) - base  # of the images of its own split only
    assert set(digits.ravel()) <= set(range(10))
    for (first, right, below, across), label in zip(digits.tolist(), labels.tolist(), strict=True):
        assert label == (right if first <= 3 else below if first <= 6 else across)
    held = [set(), {1, 2, 3}, {4, 5, 6}, {7, 8, 9, 0}]
    for cell, never in enumerate(held):
        seen = set(digits[:, cell])
        if not holdout or not never:
            assert seen == set(range(10))
        else:
            assert seen == (never if split == "test" else set(range(10)) - never)


def test_digits_are_shifted_at_random_over_all_places():
    images, _ = pvr_block.draw("train", 600, random(), of(np.arange(10)))
    tops = (images[:, 0, :40, :40] > 0).any(2).argmax(1)
    assert set(tops) == set(range(13))


# Clones


def correlated(count=6000):
    """Images (n, 2, 2, 2) of three classes whose channels are correlated."""
    chance = np.random.default_rng(1)
    labels = np.arange(count) % 3
    mixes = chance.normal(size=(3, 8, 8)) / 4
    means = chance.uniform(0.2, 0.8, size=(3, 8))
    flat = means[labels] + np.einsum("nij,nj->ni", mixes[labels], chance.exponential(size=(count, 8)) - 1)
    return flat.reshape(-1, 2, 2, 2), labels


@pytest.mark.parametrize("isotropic", [False, True])
def test_clones_have_the_moments_of_each_class_across_channels(isotropic):
    images, labels = correlated()
    drawn, given = clones.clones(images, labels, np.arange(60_000) % 3, random(), isotropic)
    assert drawn.dtype == np.float32
    assert drawn.shape == (60_000, 2, 2, 2)
    for label in range(3):
        real = images[labels == label].reshape(-1, 8)
        clone = drawn[given == label].reshape(-1, 8).astype(float)
        np.testing.assert_allclose(clone.mean(0), real.mean(0), atol=0.02)
        covariance = np.cov(real.T)
        wanted = np.trace(covariance) / 8 * np.eye(8) if isotropic else covariance
        np.testing.assert_allclose(np.cov(clone.T), wanted, atol=0.03)
        if not isotropic:
            assert np.abs(covariance[:4, 4:]).max() > 0.1  # across channels, far beyond the tolerance


def test_clones_are_not_clipped_and_have_a_normal_distribution_s_kurtosis():
    images, labels = correlated()
    drawn, _ = clones.clones(images, labels, np.zeros(40_000, int), random(), False)
    assert drawn.min() < 0
    assert drawn.max() > 1
    values = drawn.reshape(len(drawn), -1)[:, 0].astype(float)
    scaled = (values - values.mean()) / values.std()
    assert (scaled**4).mean() == pytest.approx(3, abs=0.15)


def test_clones_are_tested_on_the_real_images_with_uniform_labels_in_training():
    real = of(np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    known = replace(clones.MNIST_CLONES_ISOTROPIC, train_images=2000, test_images=150)
    images, labels = clones.draw("test", 150, random(), real, isotropic=True)
    np.testing.assert_allclose(images, real.test_images[:150] / 255, atol=1 / 2048)
    np.testing.assert_array_equal(labels, real.test_labels[:150])
    _, given = clones.draw("train", known.train_images, random(), real, isotropic=True)
    assert np.bincount(given, minlength=10).min() > 150


# Fields on a ring


@pytest.mark.parametrize("name", ["nlgp", "nlgp_gaussian"])
def test_both_fields_have_the_covariance_of_the_formula(name, tmp_path):
    dataset = prepare(name, tmp_path)
    fields = dataset.train_images.reshape(-1, nlgp.SITES).astype(float)
    for label, length in enumerate((2.0, 6.0)):
        own = fields[dataset.train_labels == label]
        assert len(own) == pytest.approx(30_000, abs=600)
        apart = np.arange(nlgp.SITES)
        apart = np.minimum(apart, nlgp.SITES - apart)
        c = np.exp(-((apart / length) ** 2)) / 1.001
        c[0] = 1
        gamma = 2 / np.pi * np.arcsin(9 / 10)
        wanted = 2 / (np.pi * gamma) * np.arcsin(9 / 10 * c)  # a gain of 3
        found = own.T @ own / len(own)
        around = np.mean([np.roll(row, -place) for place, row in enumerate(found)], axis=0)
        np.testing.assert_allclose(around, wanted, atol=0.02)
        np.testing.assert_allclose(own.mean(0), 0, atol=0.04)


def test_only_the_gaussian_field_is_gaussian(tmp_path):
    kurtosis = {}
    for name in ("nlgp", "nlgp_gaussian"):
        values = prepare(name, tmp_path).train_images[:, 0, 0, 0].astype(float)
        kurtosis[name] = (values**4).mean() / (values**2).mean() ** 2 - 3
    assert kurtosis["nlgp_gaussian"] == pytest.approx(0, abs=0.1)
    assert kurtosis["nlgp"] == pytest.approx(-1.76, abs=0.05)


def test_without_a_gain_the_field_is_the_gaussian_one():
    np.testing.assert_allclose(nlgp.of_images(2.0, gain=1e-4), nlgp.of_z(2.0), atol=1e-6)


# All of them


@pytest.mark.parametrize("name", PURE)
def test_the_same_bytes_twice_and_other_ones_in_each_split(name, tmp_path):
    first, second = prepare(name, tmp_path), prepare(name, tmp_path)
    first.save(tmp_path / "first")
    second.save(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    alike = replace(KNOWN[name], train_images=200, test_images=200)  # one stream would draw the same twice
    both = alike.prepare(Request(tmp_path, alike.sources))
    assert not np.array_equal(both.train_labels, both.test_labels)


@pytest.mark.parametrize(
    "draw",
    [
        partial(pvr_block.draw, holdout=True),
        partial(clones.draw, isotropic=True),
        partial(clones.draw, isotropic=False),
    ],
)
def test_what_is_made_of_images_is_the_same_twice(draw):
    first, second = (draw("train", 60, random(), of(np.arange(10))) for _ in range(2))
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_known_digests_of_what_no_processor_rounds(tmp_path):
    assert RECIPES["data"] == 1
    found = {name: prepare(name, tmp_path).digest[:16] for name in ("pvr", "pvr_sum", "pvr_sum_holdout")}
    assert found == {
        "pvr": "db155f7c2a7887b7",
        "pvr_sum": "b89907cbb7ec82f5",
        "pvr_sum_holdout": "68a8700693c423d9",
    }, "changed: raise RECIPES['data'] in src/directions/core/recipe.py and renew these digests"


@pytest.mark.parametrize("known", GENERATED, ids=lambda known: known.name)
def test_other_sources_are_refused_by_name(known, tmp_path):
    with pytest.raises(InputError, match=f"data set {known.name} has no source 'clone': it has "):
        known.prepare(Request(tmp_path, ("clone",)))


@pytest.mark.parametrize("name", ["pvr_block", "mnist_clones_full"])
def test_without_mnist_s_files_it_is_told_which_are_missing(name, tmp_path):
    with pytest.raises(InputError, match="no source has train-images-idx3-ubyte.gz.*of data set mnist"):
        prepare(name, tmp_path, "local")
