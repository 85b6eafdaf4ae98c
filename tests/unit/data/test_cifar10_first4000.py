"""The first images of CIFAR-10, genuine and as JPEGs, but ten of them in an order of classes."""

import re
from dataclasses import replace
from functools import partial

import jpeg_copies
import numpy as np
import pytest
from jpeg_copies import CONTENTS, TRAIN, write

from directions.core.errors import InputError
from directions.data.cifar10 import CIFAR10
from directions.data.cifar10_first4000 import CIFAR10_FIRST4000, CIFAR10_JPEG_FIRST4000
from directions.data.dataset import Dataset
from directions.data.registry import KNOWN
from directions.data.specs import Request

LABELS = np.array([6, 9, 9, 4, 1, 1, 2, 7, 6, 6])  # no class more than TRAIN times
CUT = 7  # images to train on
IMAGES = np.random.default_rng(0).integers(0, 256, (len(LABELS), 32, 32, 3), np.uint8)


def digest(images):
    images = images.transpose(0, 3, 1, 2)
    return Dataset("any", CIFAR10.class_names, images[:CUT], LABELS[:CUT], images[CUT:], LABELS[CUT:]).digest


GENUINE = digest(IMAGES)


def jpegs():
    """The JPEGs of these labels, one by one: which of its class each is, is counted."""
    places = [(LABELS[:index] == label).sum() for index, label in enumerate(LABELS)]
    names = [CIFAR10.class_names[label] for label in LABELS]
    files = [f"train/{name}/{place:04d}.jpg" for name, place in zip(names, places, strict=True)]
    return np.stack([jpeg_copies.pixels_of(CONTENTS[file]) for file in files])


def few(known, **more):
    return replace(known, train_images=CUT, test_images=len(LABELS) - CUT, read=partial(known.read, **more))


def prepare(raw, pixels=GENUINE):
    return few(CIFAR10_FIRST4000, pixels=pixels).prepare(Request(raw, ("local",)))


def prepare_jpegs(raw, pixels):
    more = {"tree": jpeg_copies.tree(), "pixels": pixels, "genuine": GENUINE}
    return few(CIFAR10_JPEG_FIRST4000, **more).prepare(Request(raw, ("local",)))


def save(raw, images=IMAGES, labels=LABELS):
    raw.mkdir(exist_ok=True)
    np.savez_compressed(raw / "cifar10_first4000.npz", images=images, labels=labels.astype(np.uint8))
    return raw


def test_the_first_are_trained_on_and_the_last_tested(tmp_path):
    dataset = prepare(save(tmp_path))
    np.testing.assert_array_equal(dataset.train_images, IMAGES[:CUT].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(dataset.test_images, IMAGES[CUT:].transpose(0, 3, 1, 2))
    assert (dataset.train_labels.tolist(), dataset.test_labels.tolist()) == ([6, 9, 9, 4, 1, 1, 2], [7, 6, 6])


def test_the_jpegs_are_of_the_same_images_in_the_same_order(tmp_path):
    assert (LABELS == 6).sum() == TRAIN  # all JPEGs of a class are used
    write(save(tmp_path) / "cifar10_jpeg")
    dataset = prepare_jpegs(tmp_path, digest(jpegs()))
    np.testing.assert_array_equal(dataset.test_images, jpegs()[CUT:].transpose(0, 3, 1, 2))
    assert dataset.test_labels.tolist() == [7, 6, 6]
    assert dataset.name == "cifar10_jpeg_first4000"


def test_jpegs_that_decode_to_others_are_refused(tmp_path):
    write(save(tmp_path) / "cifar10_jpeg")
    with pytest.raises(InputError, match="cifar10_jpeg_first4000: .* decodes the images to other pixels"):
        prepare_jpegs(tmp_path, "0" * 64)


def test_without_the_jpegs_the_ways_to_get_them_are_told(tmp_path):
    with pytest.raises(InputError, match="50 files of data set cifar10_jpeg:(.|\n)*clone: not tried"):
        prepare_jpegs(save(tmp_path), "0" * 64)


@pytest.mark.parametrize(
    "content",
    [
        {"images": 255 - IMAGES},
        {"labels": LABELS[::-1]},
        {"images": IMAGES[:-1], "labels": LABELS[:-1]},
    ],
)
def test_other_images_or_labels_are_refused(tmp_path, content):
    with pytest.raises(InputError, match=rf"{re.escape(str(tmp_path))}.*npz does not hold the first 4,000"):
        prepare(save(tmp_path, **content))


@pytest.mark.parametrize(
    "content", [b"", b"no archive", {"images": IMAGES}, {"images": [None], "labels": LABELS}, {"labels": 1}]
)
def test_what_is_no_such_file_is_refused(tmp_path, content):
    place = tmp_path / "cifar10_first4000.npz"
    if isinstance(content, bytes):
        place.write_bytes(content)
    else:
        np.savez(place, **{name: np.array(values) for name, values in content.items()})
    with pytest.raises(InputError, match=r"cifar10_first4000\.npz cannot be used \("):
        prepare(tmp_path)


def test_cifar10_itself_will_do(tmp_path, monkeypatch):
    images = np.concatenate([IMAGES, IMAGES]).transpose(0, 3, 1, 2)  # more than are wanted
    whole = Dataset(
        "cifar10", CIFAR10.class_names, images, np.concatenate([LABELS] * 2), images[:1], LABELS[:1]
    )
    ours = replace(CIFAR10, train_images=20, test_images=1, read=lambda *_: whole)
    monkeypatch.setattr("directions.data.cifar10_first4000.CIFAR10", ours)
    monkeypatch.setattr("directions.data.cifar10_first4000.TEST", len(LABELS) - CUT)
    monkeypatch.setattr("directions.data.cifar10_first4000.TRAIN", CUT)
    assert prepare(tmp_path).digest == GENUINE


def test_without_file_and_archive_both_are_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no .*first4000\.npz, .* no source has cifar-10-python"):
        prepare(tmp_path)


def test_the_real_ones_are_of_the_same_size():
    for name in ("cifar10_first4000", "cifar10_jpeg_first4000"):
        assert (KNOWN[name].train_images, KNOWN[name].test_images) == (3_000, 1_000)
        assert KNOWN[name].class_names == CIFAR10.class_names
