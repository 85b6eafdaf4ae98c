"""Small trees of real JPEG and PNG files."""

import numpy as np
import pytest
from PIL import Image

from directions.data.known import Request
from directions.data.registry import KNOWN
from directions.errors import InputError

RED, BLUE = (250, 5, 5), (5, 5, 250)


def picture(path, colour=RED, size=(12, 9), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path, quality=95)


@pytest.fixture
def tree(tmp_path):
    picture(tmp_path / "train" / "cat" / "1.png")
    picture(tmp_path / "train" / "cat" / "2.jpg", size=(9, 30))
    picture(tmp_path / "train" / "dog" / "1.jpeg", BLUE)
    picture(tmp_path / "train" / "dog" / "deep" / "grey.png", (90, 90, 90), mode="L")
    picture(tmp_path / "test" / "cat" / "1.png")
    picture(tmp_path / "test" / "dog" / "1.PNG", BLUE, mode="RGBA")
    return tmp_path


def prepare(tree, size=8):
    return KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, size))


def test_classes_are_folders_and_images_squares(tree):
    dataset = prepare(tree)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train_images.shape == (4, 3, 8, 8)
    assert dataset.train_labels.tolist() == [0, 0, 1, 1]
    assert dataset.test_labels.tolist() == [0, 1]
    means = dataset.train_images.mean(axis=(2, 3))
    np.testing.assert_allclose(means, [RED, RED, BLUE, (90, 90, 90)], atol=3)  # JPEG rounds colours
    np.testing.assert_array_equal(dataset.test_images[1, :, 0, 0], BLUE)


def test_the_middle_is_cut_out_and_nothing_squashed(tree):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255  # the middle third, as wide as the image is high
    Image.fromarray(wide).save(tree / "test" / "cat" / "1.png")
    np.testing.assert_array_equal(prepare(tree, size=10).test_images[0], 255)
    half = prepare(tree, size=5).test_images[0]  # halved first
    assert half.shape == (3, 5, 5)
    assert half[:, :, 1:4].min() == 255


def test_val_stands_in_for_test(tree):
    (tree / "test").rename(tree / "val")
    assert len(prepare(tree).test_images) == 2


def test_a_missing_split_is_named(tree):
    (tree / "test").rename(tree / "elsewhere")
    with pytest.raises(InputError, match=f"no folder {tree}/test or {tree}/val"):
        prepare(tree)
    (tree / "train").rename(tree / "nowhere")
    with pytest.raises(InputError, match=f"no folder {tree}/train"):
        prepare(tree)


def test_no_images_at_all(tree):
    for path in (tree / "train").rglob("*.*"):
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(InputError, match=rf"{tree}/train must hold one folder of images per class.*cat"):
        prepare(tree)


def test_a_class_without_images_is_named(tree):
    (tree / "train" / "empty").mkdir()
    with pytest.raises(InputError, match="empty"):
        prepare(tree)


def test_classes_that_the_splits_do_not_share_are_named(tree):
    picture(tree / "train" / "owl" / "1.png")
    with pytest.raises(InputError, match=f"{tree}/test lacks classes that {tree}/train has: owl"):
        prepare(tree)
    picture(tree / "test" / "owl" / "1.png")
    picture(tree / "test" / "yak" / "1.png")
    with pytest.raises(InputError, match=f"{tree}/train lacks classes that {tree}/test has: yak"):
        prepare(tree)


def test_unreadable_images_are_named_and_counted(tree):
    for name in ("1.png", "2.jpg"):
        damaged = tree / "train" / "cat" / name
        Image.effect_noise((50, 50), 60).save(damaged)
        damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    for number in range(5):
        (tree / "train" / "dog" / f"page{number}.jpg").write_bytes(b"<html>" * 20)
    with pytest.raises(InputError, match=rf"7 of 9 images in {tree}/train cannot be read") as caught:
        prepare(tree)
    assert f"{tree}/train/cat/1.png" in str(caught.value)
    assert f"{tree}/train/cat/2.jpg" in str(caught.value)
    assert "and 2 more" in str(caught.value)


def test_bad_settings_are_refused(tree):
    with pytest.raises(InputError, match="needs its folder"):
        prepare(None)
    with pytest.raises(InputError, match="size is 0"):
        prepare(tree, size=0)
