"""Images that Pillow would damage in silence, and trees of links: 16 bits, 32 bits, linked classes."""

import os

import numpy as np
import pytest
from PIL import Image

from directions.core.errors import InputError
from directions.data.imagefolder import names, state
from directions.data.registry import KNOWN
from directions.data.specs import Request
from directions.data.streaming import Unreadable, check, decode

STEPS = (np.arange(64).reshape(8, 8) * 1040).astype(np.uint16)
EIGHT = (STEPS / 65535 * 255).round().astype(np.uint8)


def prepare(tree, stream=False):
    return KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, 8, stream))


def fill(tree, save):
    """A tree of two classes, each image written by `save(path without suffix)`."""
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tree / split / name).mkdir(parents=True)
            save(tree / split / name / "0")
    return tree


def colour(path, value=(10, 20, 30)):
    Image.new("RGB", (8, 8), value).save(f"{path}.png")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_of_16_bits_is_scaled_to_8(tmp_path, suffix):
    tree = fill(tmp_path, lambda path: Image.fromarray(STEPS).save(f"{path}.{suffix}"))
    pixels = prepare(tree).train_images
    assert pixels.shape == (2, 3, 8, 8)
    assert np.array_equal(pixels, np.broadcast_to(EIGHT, pixels.shape))
    assert len(prepare(tree, stream=True).train_images) == 2


def test_grey_of_16_bits_in_other_byte_orders_and_formats(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 65535\n" + STEPS.astype(">u2").tobytes())
    Image.fromarray(STEPS.astype(">u2")).save(tmp_path / "b.tif")
    Image.fromarray(65535 - STEPS).save(tmp_path / "c.tif", tiffinfo={262: 0})  # 0 is white
    for name in ("a.pgm", "b.tif", "c.tif"):
        assert np.array_equal(np.asarray(decode(tmp_path / name))[..., 1], EIGHT), name


@pytest.mark.parametrize(
    ("kind", "said"), [(np.int32, "integers of more than 16 bits"), (np.float32, "floating point")]
)
def test_images_of_unknown_range_are_refused_by_name(tmp_path, kind, said):
    path = tmp_path / "a.tif"
    Image.fromarray(STEPS.astype(kind)).save(path)
    for read in (check, decode):
        with pytest.raises(Unreadable, match=rf"{path} \(pixels are {said} .*: save it with 8 or 16 bits"):
            read(path)


def test_an_image_of_8_bits_stays_as_it_is(tmp_path):
    Image.fromarray(EIGHT).save(tmp_path / "a.tif")
    assert np.array_equal(np.asarray(decode(tmp_path / "a.tif"))[..., 2], EIGHT)


def linked(tmp_path):
    """A tree whose class folders are links into a store."""
    fill(tmp_path / "store", colour)
    for split in ("train", "test"):
        (tmp_path / "photos" / split).mkdir(parents=True)
        for name in ("cat", "dog"):
            (tmp_path / "photos" / split / name).symlink_to(tmp_path / "store" / split / name)
    return tmp_path / "photos", tmp_path / "store"


def test_a_change_behind_a_linked_class_folder_is_seen(tmp_path):
    photos, store = linked(tmp_path)
    seen = [state(photos)]
    assert state(photos) == seen[0]
    colour(store / "train/cat/0", (255, 0, 0))
    os.utime(store / "train/cat/0.png", ns=(1, 1))
    seen.append(state(photos))
    colour(store / "train/cat/1")
    seen.append(state(photos))
    (photos / "train/dog").unlink()
    (photos / "train/dog").symlink_to(store / "test/dog")
    seen.append(state(photos))
    assert len(set(seen)) == 4
    assert len(prepare(photos).train_images) == 3


def test_what_lies_beside_the_splits_is_no_part_of_the_state(tmp_path):
    tree = fill(tmp_path, colour)
    before = state(tree)
    (tree / "others/deep").mkdir(parents=True)
    for path in ("others/deep/1", "train/1", "2"):
        colour(tree / path)
    (tree / "train/cat/notes.txt").write_text("no image")
    assert state(tree) == before
    (tree / "test").rename(tree / "val")
    assert state(tree) != before


@pytest.mark.parametrize("place", ["train/dog/gone.png", "test/bird", "train/cat/deep"])
def test_a_link_to_nothing_is_named(tmp_path, place):
    tree = fill(tmp_path / "tree", colour)
    (tree / place).symlink_to("/nowhere/there")
    for read in (state, prepare):
        with pytest.raises(InputError, match=f"{tree / place} is a broken link: restore /nowhere/there"):
            read(tree)


def test_links_in_a_circle_are_named(tmp_path):
    tree = fill(tmp_path / "tree", colour)
    (tree / "train/cat/again").symlink_to(tree / "train/cat")
    for read in (state, prepare):
        with pytest.raises(InputError, match="again is a link to a folder that contains it"):
            read(tree)


def test_the_names_of_images_stand_in_their_order(tmp_path):
    tree = fill(tmp_path, colour)
    colour(tree / "train/cat/10")
    assert names(tree) == {
        "train": ["cat/0.png", "cat/10.png", "dog/0.png"], "test": ["cat/0.png", "dog/0.png"]
    }  # fmt: skip
