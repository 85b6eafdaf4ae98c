"""Small trees of real JPEG and PNG files."""

import os

import numpy as np
import pytest
from data_samples import photo
from PIL import Image

from directions import data
from directions.core.errors import InputError
from directions.data import imagefolder
from directions.data.dataset import FileList, content_digest
from directions.data.registry import KNOWN
from directions.data.specs import Request

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


def prepare(tree, size=8, stream=False, threads=1):
    return KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, size, stream, threads))


WAYS = pytest.mark.parametrize("stream", [False, True])


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


@WAYS
def test_a_missing_split_is_named(tree, stream):
    (tree / "test").rename(tree / "elsewhere")
    with pytest.raises(InputError, match=f"no folder {tree}/test or {tree}/val"):
        prepare(tree, stream=stream)
    (tree / "train").rename(tree / "nowhere")
    with pytest.raises(InputError, match=f"no folder {tree}/train"):
        prepare(tree, stream=stream)


@WAYS
def test_no_images_at_all(tree, stream):
    for path in (tree / "train").rglob("*.*"):
        path.rename(path.with_suffix(".txt"))
    form = f"{tree}/train must hold one folder of images per class"
    with pytest.raises(InputError, match=f"{form}: there are no images in cat, dog$"):
        prepare(tree, stream=stream)
    (tree / "train").rename(tree / "away")
    (tree / "train").mkdir()
    with pytest.raises(InputError, match=f"{form}: .*class folder"):
        prepare(tree, stream=stream)


@WAYS
@pytest.mark.parametrize("split", ["train", "test"])
def test_classes_without_images_are_named(tree, stream, split):
    for number in range(7):
        (tree / split / f"empty{number}").mkdir()
    with pytest.raises(InputError, match="no images in empty0, empty1, empty2, empty3, empty4 and 2 more"):
        prepare(tree, stream=stream)


@WAYS
def test_classes_that_the_splits_do_not_share_are_named(tree, stream):
    picture(tree / "train" / "owl" / "1.png")
    with pytest.raises(InputError, match=f"{tree}/test lacks classes that {tree}/train has: owl"):
        prepare(tree, stream=stream)
    picture(tree / "test" / "owl" / "1.png")
    picture(tree / "test" / "yak" / "1.png")
    with pytest.raises(InputError, match=f"{tree}/train lacks classes that {tree}/test has: yak"):
        prepare(tree, stream=stream)


@WAYS
@pytest.mark.parametrize("threads", [1, 3])
def test_unreadable_images_are_named_and_counted(tree, stream, threads, monkeypatch):
    monkeypatch.setattr(imagefolder, "CHUNK", 2)
    for name in ("1.png", "2.jpg"):
        damaged = tree / "train" / "cat" / name
        Image.effect_noise((50, 50), 60).save(damaged)
        damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    for number in range(5):
        (tree / "train" / "dog" / f"page{number}.jpg").write_bytes(b"<html>" * 20)
    with pytest.raises(InputError) as caught:
        prepare(tree, stream=stream, threads=threads)
    message = str(caught.value)
    assert message.startswith(f"7 of 9 images in {tree}/train cannot be read: {tree}/train/cat/1.png (")
    named = ["cat/1.png", "cat/2.jpg", "dog/page0.jpg", "dog/page1.jpg", "dog/page2.jpg"]
    places = [message.index(f"{tree}/train/{name} (") for name in named]
    assert places == sorted(places)
    assert "truncated" in message
    assert "(not an image of a known format) and 2 more: replace or delete them and rerun" in message


def test_streamed_images_stay_in_their_files(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(imagefolder, "CHUNK", 2)
    memory, stream = prepare(tree), prepare(tree, stream=True, threads=3)
    images = stream.train_images
    assert isinstance(images, FileList)
    assert images.shape == memory.train_images.shape
    names = ["cat/1.png", "cat/2.jpg", "dog/1.jpeg", "dog/deep/grey.png"]
    assert [images.path(number) for number in range(4)] == [tree / "train" / name for name in names]
    assert (images.resize, images.size, images.folder) == (8, 8, str(tree))
    for number, name in enumerate(names):
        content = (tree / "train" / name).read_bytes()
        assert images.digests[number].tobytes() == content_digest(content)
    assert stream.class_names == memory.class_names
    for split in data.SPLITS:
        np.testing.assert_array_equal(stream.split(split)[1], memory.split(split)[1])


def test_a_list_of_files_is_saved_and_checked_as_pixels_are(tree, tmp_path):
    path = tmp_path / "own.safetensors"
    saved = prepare(tree, stream=True)
    saved.save(path)
    loaded = data.load(path)
    assert loaded.digest == saved.digest
    for split in data.SPLITS:
        ours, theirs = saved.split(split)[0], loaded.split(split)[0]
        assert [ours.path(i) for i in range(len(ours))] == [theirs.path(i) for i in range(len(theirs))]
        assert (ours.digests == theirs.digests).all()
        assert (ours.folder, ours.resize, ours.size) == (theirs.folder, theirs.resize, theirs.size)
        np.testing.assert_array_equal(data.load_labels(path, split), saved.split(split)[1])
    first = path.read_bytes()
    prepare(tree, stream=True, threads=2).save(path)
    assert path.read_bytes() == first
    path.write_bytes(first.replace(b"deep/grey", b"deep/gray"))
    with pytest.raises(InputError, match="train_names: sha256 expected"):
        data.load(path)
    assert len(data.load_labels(path, "train")) == 4


def test_a_changed_image_changes_the_list(tree):
    before = prepare(tree, stream=True)
    photo(tree / "train" / "cat" / "2.jpg", 1)
    after = prepare(tree, stream=True)
    changed = {name for name in before.digests if before.digests[name] != after.digests[name]}
    assert changed == {"train_digests"}


def test_two_images_of_one_size_and_time_that_change_places_change_the_state(tree, monkeypatch):
    first, second = tree / "train/cat/1.png", tree / "train/dog/1.jpeg"
    second.write_bytes(first.read_bytes()[:-1] + b"x")
    for path in (first, second):
        os.utime(path, (1e9, 1e9))
    before = imagefolder.state(tree)
    first.rename(tree / "x")
    second.rename(first)
    (tree / "x").rename(second)
    assert imagefolder.state(tree) != before
    os.utime(first)
    after = imagefolder.state(tree)
    os.utime(first, (1e9, 1e9))
    assert imagefolder.state(tree) == after  # times alone mean nothing
    with monkeypatch.context() as patched:
        patched.setattr(imagefolder, "content", lambda path: path.joinpath("no folder").read_text())
        assert imagefolder.state(tree) != after  # of files that cannot be read
    monkeypatch.setattr(imagefolder, "LARGE", 1)  # a tree that would take too long to read at every start
    after = imagefolder.state(tree)
    os.utime(first)
    assert imagefolder.state(tree) != after


def test_the_folder_is_stored_as_given(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    for given, stored in ((tree.name, tree.name), (f"./{tree.name}/", tree.name)):
        dataset = prepare(imagefolder.Path(given), stream=True)
        assert dataset.train_images.folder == stored
    monkeypatch.chdir(tree)
    dataset = prepare(imagefolder.Path("."), stream=True)
    assert dataset.test_images.folder == "."
    assert dataset.test_images.path(1).is_file()


def test_names_of_any_bytes_but_line_breaks(tree):
    odd = os.fsdecode(b"\xff \xc3\xa9.png")  # no UTF-8
    picture(tree / "train" / "cat" / odd)
    images = prepare(tree, stream=True).train_images
    assert any(images.path(number) == tree / "train" / "cat" / odd for number in range(len(images)))
    picture(tree / "train" / "cat" / "two\nlines.png")
    with pytest.raises(InputError, match=r"line break, rename it: 'train/cat/two\\nlines.png'"):
        prepare(tree, stream=True)


@WAYS
def test_progress_is_told_with_the_time_left(tree, stream, monkeypatch, caplog):
    monkeypatch.setattr(imagefolder, "CHUNK", 1)
    monkeypatch.setattr(imagefolder, "REPORT_SECONDS", -1)
    with caplog.at_level("INFO"):
        prepare(tree, stream=stream)
    assert f"{tree}/train, 3 of 4 images, 0 s left" in caplog.text
    assert f"{tree}/test, 2 images of 2 classes read" in caplog.text


def test_bad_settings_are_refused(tree):
    with pytest.raises(InputError, match="needs its folder"):
        prepare(None)
    with pytest.raises(InputError, match="size is 0"):
        prepare(tree, size=0)
