"""ImageNet in small: a thousand classes of a few tiny JPEGs, and archives packed as the published ones."""

import io
import logging
import os
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from data_samples import photo, truncate
from scipy.io import savemat
from torchvision.datasets import imagenet as torchvision_imagenet

from directions.core.errors import InputError
from directions.core.files import md5
from directions.data import imagenet
from directions.data.examples import load_examples
from directions.data.imagenet import ARCHIVES, DEVKIT, IMAGENET
from directions.data.specs import Request

WNIDS = [f"n{number:08d}" for number in range(1000)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """data/raw with 1,000 classes of one or two training images and one validation image."""
    raw = tmp_path_factory.mktemp("raw")
    for number in range(4):
        photo(raw / f"{number}.JPEG", number)
    for number, wnid in enumerate(WNIDS):
        for split, names in (("train", "ab"[: 1 + number % 2]), ("val", "c")):
            (raw / "imagenet" / split / wnid).mkdir(parents=True)
            for name in names:
                os.link(raw / f"{number % 4}.JPEG", raw / "imagenet" / split / wnid / f"{name}.JPEG")
    return raw


@pytest.fixture
def raw(whole, tmp_path):
    """A copy to damage; images are links of one content each, so unlink before writing."""
    shutil.copytree(whole / "imagenet", tmp_path / "imagenet", copy_function=os.link)
    return tmp_path


KNOWN = replace(IMAGENET, train_images=1500, test_images=1000)


def prepare(raw, known=KNOWN):
    return known.prepare(Request(raw, ("local",), threads=2))


def test_a_whole_tree(whole, tmp_path):
    dataset = prepare(whole)
    assert dataset.train_images.shape == (1500, 3, 224, 224)
    assert dataset.test_images.shape == (1000, 3, 224, 224)
    assert dataset.class_names == tuple(WNIDS)
    assert np.bincount(dataset.train_labels).tolist() == [1, 2] * 500
    assert dataset.test_labels.tolist() == list(range(1000))
    assert dataset.train_images.path(2) == whole / "imagenet/train" / WNIDS[1] / "b.JPEG"
    assert dataset.train_images.resize == 256
    dataset.save(tmp_path / "imagenet.safetensors")
    examples = load_examples(tmp_path / "imagenet.safetensors", "", "test", "cpu", 3)
    [batch] = examples.images.split(3)
    assert batch.shape == (3, 3, 224, 224)
    assert 0 < batch.float().std() < 128


def test_a_link_to_a_copy_elsewhere(whole, tmp_path):
    (tmp_path / "imagenet").symlink_to(whole / "imagenet")
    assert len(prepare(tmp_path).train_images) == 1500


@pytest.mark.parametrize(("poor", "rich"), [("train", "val"), ("val", "train")])
def test_a_class_that_one_split_lacks_is_named(raw, poor, rich):
    shutil.rmtree(raw / "imagenet" / poor / WNIDS[7])
    place = raw / "imagenet"
    with pytest.raises(InputError, match=f"{place}/{poor} lacks classes that {place}/{rich} has: {WNIDS[7]}"):
        prepare(raw)


def test_wrong_counts_are_found_before_any_image_is_read(raw, monkeypatch):
    monkeypatch.setattr("directions.data.streaming.check", lambda _: pytest.fail("was read"))
    train = raw / "imagenet" / "train"
    with pytest.raises(InputError, match=f"{train}: expected 1281167 images, found 1500: .*unpacked again"):
        prepare(raw, IMAGENET)
    (raw / "imagenet" / "val" / WNIDS[3] / "d.JPEG").hardlink_to(train / WNIDS[3] / "a.JPEG")
    with pytest.raises(InputError, match="imagenet/val: expected 1000 images, found 1001"):
        prepare(raw)
    for split in ARCHIVES:
        shutil.rmtree(raw / "imagenet" / split / WNIDS[-1])
    with pytest.raises(InputError, match="imagenet/train: expected 1000 classes, found 999"):
        prepare(raw)


def test_an_empty_class_and_no_images_at_all(raw):
    (raw / "imagenet" / "val" / WNIDS[5] / "c.JPEG").unlink()
    with pytest.raises(InputError, match=f"imagenet/val must hold .*: there are no images in {WNIDS[5]}$"):
        prepare(raw)
    for path in (raw / "imagenet" / "train").rglob("*.JPEG"):
        path.unlink()
    with pytest.raises(InputError, match=f"there are no images in {', '.join(WNIDS[:5])} and 995 more"):
        prepare(raw)


def test_images_that_were_not_sorted_into_classes(raw):
    for path in list((raw / "imagenet" / "val").rglob("*.JPEG")):
        path.rename(raw / "imagenet" / "val" / f"{path.parent.name}.JPEG")
        path.parent.rmdir()
    with pytest.raises(InputError, match="imagenet/val must hold one folder of images per class"):
        prepare(raw)


def test_truncated_images_are_named_and_counted(raw):
    for wnid in WNIDS[10:17]:
        path = raw / "imagenet" / "val" / wnid / "c.JPEG"
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
        truncate(path)
    with pytest.raises(InputError) as caught:
        prepare(raw)
    start = f"7 of 1000 images in {raw}/imagenet/val cannot be read: {raw}/imagenet/val/{WNIDS[10]}/c.JPEG ("
    assert str(caught.value).startswith(start)
    assert "truncated" in str(caught.value)
    assert "and 2 more" in str(caught.value)


def test_without_a_copy_the_ways_to_get_it_are_told(tmp_path):
    with pytest.raises(InputError) as caught:
        prepare(tmp_path)
    for part in (
        *("no source has data set imagenet", f"no {tmp_path}/imagenet/train/ and no", *ARCHIVES.values()),
        *(DEVKIT, "1. make", "a link", "2. register at https://image-net.org/download.php"),
    ):
        assert part in str(caught.value)
    (tmp_path / "imagenet" / "train").mkdir(parents=True)
    (tmp_path / "imagenet" / DEVKIT).touch()
    with pytest.raises(InputError, match=f"no {tmp_path}/imagenet/val/, and .* no {ARCHIVES['val']}"):
        prepare(tmp_path)


def tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def matlab(content):
    file = io.BytesIO()
    savemat(file, content)
    return file.getvalue()


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """The three archives, of three classes with two training images and one validation image each."""
    for number in range(9):
        photo(tmp_path / f"{number}.JPEG", number)
    images = [(tmp_path / f"{number}.JPEG").read_bytes() for number in range(9)]
    tree = tmp_path / "raw" / "imagenet"
    tree.mkdir(parents=True)
    for number, wnid in enumerate(WNIDS[:3]):
        tar(tmp_path / f"{wnid}.tar", {f"{wnid}_{i}.JPEG": images[2 * number + i] for i in range(2)})
    inner = {f"{wnid}.tar": (tmp_path / f"{wnid}.tar").read_bytes() for wnid in WNIDS[:3]}
    tar(tree / ARCHIVES["train"], inner)
    tar(tree / ARCHIVES["val"], {f"ILSVRC2012_val_{i:08d}.JPEG": images[6 + i] for i in range(3)})
    fields = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children")
    synsets = np.array(
        [(i + 1, w, f"thing {i}, object", "what it is", 0) for i, w in enumerate(WNIDS[:3])]
        + [(4, "n99999999", "all things", "what they are", 3)],
        dtype=[(name, object) for name in fields],
    )
    truth = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"
    devkit = {
        "ILSVRC2012_devkit_t12/data/meta.mat": matlab({"synsets": synsets}),
        truth: b"3\n1\n2\n",
    }
    tar(tree / DEVKIT, devkit, "w:gz")
    names = {"train": ARCHIVES["train"], "val": ARCHIVES["val"], "devkit": DEVKIT}
    meta = {split: (name, md5((tree / name).read_bytes())) for split, name in names.items()}
    monkeypatch.setattr(torchvision_imagenet, "ARCHIVE_META", meta)
    monkeypatch.setattr(imagenet, "CLASSES", 3)
    return tmp_path / "raw", images


SMALL = replace(IMAGENET, train_images=6, test_images=3)
FILES = sorted((*ARCHIVES.values(), DEVKIT))


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_archives_are_unpacked(archives, caplog):
    raw, images = archives
    with caplog.at_level(logging.INFO):
        dataset = prepare(raw, SMALL)
    assert f"unpacking {raw}/imagenet/{ARCHIVES['train']}" in caplog.text
    assert dataset.class_names == tuple(WNIDS[:3])
    assert dataset.train_labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert [dataset.train_images.path(number).read_bytes() for number in range(6)] == images[:6]
    # The ground truth says: the first validation image is of the third class, and so on.
    assert [dataset.test_images.path(number).read_bytes() for number in range(3)] == [
        *(images[7], images[8], images[6]),
    ]
    assert entries(raw / "imagenet") == sorted((*FILES, "train", "val"))
    again = prepare(raw, SMALL)
    assert again.digest == dataset.digest


def test_one_split_is_unpacked_where_the_other_is_there(archives):
    raw, _ = archives
    imagenet.unpack(raw / "imagenet")
    for name in (ARCHIVES["train"], "val"):
        (shutil.rmtree if name == "val" else os.unlink)(raw / "imagenet" / name)
    assert len(prepare(raw, SMALL).test_images) == 3


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_archive_is_named_and_leaves_nothing(archives, name):
    raw, _ = archives
    truncate(raw / "imagenet" / name)
    said = rf"{raw}/imagenet/.*cannot be unpacked: .*{name}.* place it in {raw}/imagenet\.$"
    with pytest.raises(InputError, match=said):
        prepare(raw, SMALL)
    assert not (raw / "imagenet" / ".unpacking").exists()
    assert set(entries(raw / "imagenet")) <= {*FILES, "train"}  # which was whole, where "val" failed


def test_what_a_kill_left_half_unpacked_is_not_taken_for_whole(archives, monkeypatch):
    raw, _ = archives
    half = raw / "imagenet" / ".unpacking" / "train" / WNIDS[0]
    photo(half / "1.JPEG", 1)
    assert len(prepare(raw, SMALL).train_images) == 6

    def full(folder, split):
        photo(folder / split / WNIDS[0] / "1.JPEG", 1)
        raise OSError(28, "No space left on device")

    shutil.rmtree(raw / "imagenet" / "train")
    monkeypatch.setattr(imagenet, "_torchvision_unpacks", full)
    with pytest.raises(InputError, match="cannot be unpacked: .*No space left on device"):
        prepare(raw, SMALL)
    assert entries(raw / "imagenet") == sorted((*FILES, "val"))
