"""Sums over images that a kill interrupts are, in the end, those of a run that nothing interrupted."""

import logging

import numpy as np
import pytest
import torch

from directions.interventions.accumulate import Unfinished, over_images

IMAGES = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
LABELS = torch.arange(10)


class Killed(Exception):
    pass


def add_until(last: int, seen: list[int]):
    """Numbers of images and their labels' tenths; "killed" when image `last` comes."""

    def add(inputs, targets, first):
        assert torch.equal(targets, LABELS[first : first + len(targets)])
        if first <= last < first + len(targets):
            raise Killed
        seen.extend(targets.tolist())
        return np.array([len(inputs), float(targets.sum()) / 10])

    return add


def run(add, path, *, fingerprint="a", seconds=0.0):
    unfinished = Unfinished(path, fingerprint, seconds)
    return over_images(add, IMAGES, LABELS, size=3, shape=(2,), name="test", unfinished=unfinished)


def test_what_was_done_is_not_done_again(tmp_path, caplog):
    whole, first, second = [], [], []
    expected = run(add_until(99, whole), tmp_path / "whole.pt")
    with pytest.raises(Killed):
        run(add_until(7, first), tmp_path / "broken.pt")
    with caplog.at_level(logging.INFO):
        found = run(add_until(99, second), tmp_path / "broken.pt")
    assert (first, second) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
    np.testing.assert_array_equal(found, expected)
    assert "test: resuming after 6 images" in caplog.text
    assert "test: 10 of 10 images, 0 s left" in caplog.text


@pytest.mark.parametrize("damage", ["foreign", "broken"])
def test_what_another_analysis_left_is_not_continued(tmp_path, damage):
    path, seen = tmp_path / "x.pt", []
    with pytest.raises(Killed):
        run(add_until(7, []), path, fingerprint="other" if damage == "foreign" else "a")
    if damage == "broken":
        path.write_bytes(path.read_bytes()[:-100])
    run(add_until(99, seen), path)
    assert seen == list(range(10))


def test_names_are_kept_apart_and_a_finished_one_is_not_summed_again(tmp_path):
    unfinished, seen = Unfinished(tmp_path / "x.pt", "a", 0.0), []
    for name in ("one", "two"):
        over_images(add_until(99, seen), IMAGES, LABELS, size=4, shape=(2,), name=name, unfinished=unfinished)
    assert len(seen) == 20
    again = Unfinished(tmp_path / "x.pt", "a")
    found = over_images(add_until(0, []), IMAGES, LABELS, size=4, shape=(2,), name="one", unfinished=again)
    np.testing.assert_allclose(found, [10, 4.5])
    again.forget()
    assert not (tmp_path / "x.pt").exists()


def test_nothing_is_written_before_it_is_due(tmp_path):
    run(add_until(99, []), tmp_path / "x.pt", seconds=1e9)
    assert not (tmp_path / "x.pt").exists()
    assert over_images(add_until(99, []), IMAGES, LABELS, size=4, shape=(2,), name="no file")[0] == 10
