"""Small archives in exactly CIFAR-10's format: a tar.gz of batches that Python 2 pickled."""

import io
import pickle
import struct
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from directions.core.errors import InputError
from directions.core.files import md5
from directions.data.cifar10 import BATCHES, decode_batch
from directions.data.registry import KNOWN
from directions.data.specs import RawFile, Request

CHANCE = np.random.default_rng(1)


class Python2Pickler(pickle._Pickler):
    """Protocol 2 as Python 2 and NumPy 1 wrote it: strings are bytes, and NumPy's old module names."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_text(self, text):
        content = text if isinstance(text, bytes) else text.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_text

    def save_global(self, thing, name=None):
        module = thing.__module__.replace("numpy._core", "numpy.core")
        self.write(pickle.GLOBAL + f"{module}\n{name or thing.__name__}\n".encode())
        self.memoize(thing)


def pickled(batch):
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(batch)
    return file.getvalue()


def batch(number=3):
    """As published: rows of 3,072 bytes (red, green, blue planes), labels a list of ints."""
    data = CHANCE.integers(0, 256, (number, 3072), dtype=np.uint8)
    labels = [int(label) for label in CHANCE.integers(0, 10, number)]
    names = [f"image_{index}.png" for index in range(number)]
    return {"batch_label": "training batch", "labels": labels, "data": data, "filenames": names}


def archive(contents):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as members:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return file.getvalue()


def known(content):
    real = KNOWN["cifar10"]
    file = RawFile(real.raw.files[0].name, md5(content), unpack=False)
    return replace(real, train_images=15, test_images=3, raw=replace(real.raw, files=(file,)))


def prepare(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cifar-10-python.tar.gz").write_bytes(content)
    return known(content).prepare(Request(folder, ("local",)))


@pytest.fixture(scope="module")
def batches():
    return {name: batch() for name in (*BATCHES, "test_batch")}


def whole(batches):
    return {name: pickled(batch) for name, batch in batches.items()}


def test_batches_are_joined_in_order(tmp_path, batches):
    dataset = prepare(tmp_path, archive(whole(batches)))
    images = np.concatenate([batches[name]["data"] for name in BATCHES]).reshape(15, 3, 32, 32)
    np.testing.assert_array_equal(dataset.train_images, images)
    assert dataset.train_images[7, 1, 2, 5] == batches["data_batch_3"]["data"][1, 1024 + 2 * 32 + 5]  # green
    assert dataset.train_labels.tolist() == sum((batches[name]["labels"] for name in BATCHES), [])
    assert dataset.test_labels.tolist() == batches["test_batch"]["labels"]
    assert dataset.class_names[3] == "cat"


def test_torchvision_reads_the_same_bytes_alike(batches):
    """Our writer is no private format: the plain unpickler, as torchvision calls it, agrees."""
    content = pickled(batches["test_batch"])
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    plain = pickle.loads(content, encoding="latin1")
    images, labels = decode_batch(content, "test_batch")
    np.testing.assert_array_equal(images.reshape(3, 3072), plain["data"])
    assert labels.tolist() == plain["labels"]


@pytest.mark.parametrize("folder", ["cifar10", "."])
def test_the_archive_may_lie_where_torchvision_puts_it(tmp_path, batches, folder):
    content = archive(whole(batches))
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "cifar-10-python.tar.gz").write_bytes(content)
    assert len(known(content).prepare(Request(tmp_path, ("local",))).test_images) == 3


def test_a_wrong_archive_is_never_unpickled(tmp_path, batches, monkeypatch):
    content = archive(whole(batches))
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(content[:-1])
    monkeypatch.setattr("directions.data.cifar10.decode_batch", lambda *_: pytest.fail("was unpickled"))
    with pytest.raises(InputError, match=f"md5 expected {md5(content)}, found {md5(content[:-1])}"):
        known(content).prepare(Request(tmp_path, ("local",)))


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_do_something_is_refused(tmp_path, protocol):
    content = pickle.dumps({"data": Harmful(tmp_path / "made"), "labels": []}, protocol)
    with pytest.raises(InputError, match=r"data_batch_1 is not a batch.* refers to .*io\.open"):
        decode_batch(content, "data_batch_1")
    assert not (tmp_path / "made").exists()


def test_nothing_of_numpy_but_arrays_can_be_named():
    for thing in (b"cnumpy\nsave\n.", b"cnumpy\nndarray.tofile\n.", b"cbuiltins\neval\n.", b"cos\nsystem\n."):
        with pytest.raises(InputError, match="no batch of CIFAR-10 does"):
            decode_batch(thing, "data_batch_1")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"garbage" * 9,
        lambda content: pickled({"data": [1, 2, 3], "labels": [1]}),
        lambda content: pickled({"labels": [1]}),
        lambda content: pickled([1, 2]),
        lambda content: pickled({"data": None, "labels": None}),
    ],
)
def test_a_broken_batch_is_named(batches, change):
    with pytest.raises(InputError, match="data_batch_4 is not a batch of CIFAR-10"):
        decode_batch(change(pickled(batches["data_batch_4"])), "data_batch_4")


def test_an_archive_without_a_batch_is_refused(tmp_path, batches):
    contents = whole(batches)
    del contents["data_batch_4"]
    with pytest.raises(InputError, match=r"cifar-10-python\.tar\.gz is not the archive.*data_batch_4"):
        prepare(tmp_path, archive(contents))
    for content in (b"no archive at all", archive(whole(batches))[:-500]):
        with pytest.raises(InputError, match=r"cifar-10-python\.tar\.gz is not the archive"):
            prepare(tmp_path, content)


def test_without_a_source_the_three_ways_are_told(tmp_path):
    with pytest.raises(
        InputError, match=r"1\. put cifar-10-python(.|\n)*2\. give(.|\n)*kriz(.|\n)*3\. download"
    ):
        KNOWN["cifar10"].prepare(Request(tmp_path, ("local",)))
