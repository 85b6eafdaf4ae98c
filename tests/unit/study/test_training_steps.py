"""When weights are kept during training, and what they are called."""

import pytest

from directions.study import training_settings, training_steps


def kept(settings, images=64, **changed):
    """[(step, epoch, name)]; four steps of 16 images are an epoch, and there are 6 of these."""
    found = training_steps.checkpoints(training_settings.read(settings | changed), images)
    return [(one.step, one.epoch, one.name) for one in found]


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, []),
    ({"keep_every": None}, []),
    ({"keep_epochs": [0, 2, 6]}, [(0, 0, "epoch-000000"), (8, 2, "epoch-000002"), (24, 6, "epoch-000006")]),
    ({"keep_every": 8}, [(8, 2, "epoch-000002"), (16, 4, "epoch-000004"), (24, 6, "epoch-000006")]),
    ({"keep_every": 9}, [(9, 2.25, "epoch-000002_1-of-4"), (18, 4.5, "epoch-000004_2-of-4")]),
    ({"keep_every": 24}, [(24, 6, "epoch-000006")]),
    ({"keep_every": 5, "steps": 10}, [(5, 1.25, "epoch-000001_1-of-4"), (10, 2.5, "epoch-000002_2-of-4")]),
    ({"keep_every": 6, "keep_epochs": [0, 3], "steps": 12},
     [(0, 0, "epoch-000000"), (6, 1.5, "epoch-000001_2-of-4"), (12, 3, "epoch-000003")]),
    ({"keep_every": 5, "keep_epochs": [3], "steps": 10},  # the third epoch ends early, and counts as one
     [(5, 1.25, "epoch-000001_1-of-4"), (10, 3, "epoch-000003")]),
])  # fmt: skip
def test_steps_epochs_and_names(settings, changed, expected):
    assert kept(settings, **changed) == expected


def test_whole_epochs_are_integers_and_others_are_not(settings):
    epochs = [epoch for _, epoch, _ in kept(settings, keep_every=2, keep_epochs=[1])]
    assert [type(epoch) for epoch in epochs] == [float, int] * 6


def test_the_papers_checkpoints(settings):
    found = kept(settings | {"batch": 128, "epochs": 26}, 60_000, keep_every=64)
    assert len(found) == 190
    assert found[0] == (64, 64 / 469, "epoch-000000_064-of-469")
    assert found[-1] == (12160, 12160 / 469, "epoch-000025_435-of-469")


def test_names_are_different_and_sort_by_step_alone_and_with_what_follows_them(settings):
    names = [name for *_, name in kept(settings | {"batch": 1}, 12, keep_every=5, keep_epochs=[0, 2, 5])]
    assert len(set(names)) == len(names) == 16
    for ending in ("", "/readout.weight", ".safetensors"):
        assert sorted(f"{name}{ending}" for name in names) == [f"{name}{ending}" for name in names]


@pytest.mark.parametrize(("norm_batch", "expected"), [(None, 5), (8, 4)])
def test_an_incomplete_batch_is_left_out_where_batch_norm_works_in_groups(settings, norm_batch, expected):
    typed = training_settings.read(settings | {"norm_batch": norm_batch})
    assert training_steps.steps_per_epoch(typed, 79) == expected
    assert training_steps.steps_in_all(typed, 79) == 6 * expected
