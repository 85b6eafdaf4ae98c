"""The first 4,000 training images of CIFAR-10, lossless and as JPEGs, to measure the effect of loss (D31).

The first 3,000 are the training set, the other 1,000 the test set, in CIFAR-10's own order in both versions.
"""

import zlib
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from directions.core.errors import InputError
from directions.core.types import present
from directions.data.cifar10 import CIFAR10
from directions.data.cifar10_jpeg import CIFAR10_JPEG, TREE, as_known, decoded
from directions.data.dataset import Dataset
from directions.data.specs import Known, Request
from directions.data.tree import Tree, fetch

FILE = "cifar10_first4000.npz"
UNUSABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile, zlib.error)
TRAIN, TEST = 3_000, 1_000
GENUINE = "0f3a6119d50d03c4dcdf1cd937001687f490a91c6fd1c4f655954575d5896607"  # Dataset.digest
JPEGS = "321e512f17f74de99fa5175a2f7c22fc02f07f3ea915260e2b98f6599e79e5e0"


def read(known: Known, request: Request, *, pixels: str = GENUINE) -> Dataset:
    """Read the lossless images from data/raw/cifar10_first4000.npz, or else from CIFAR-10's archive.

    Raises InputError if neither exists, and for a file that holds anything else.
    """
    place = request.raw / FILE
    origin: Path | str
    if "local" in request.sources and place.exists():
        origin, images, labels = place, *load(place)
    else:
        origin, images, labels = "the archive of CIFAR-10", *_from_archive(place, request)
    dataset = _split(known, images, labels)
    if dataset.digest != pixels:
        raise InputError(
            f"{origin} does not hold the first {TRAIN + TEST:,} training images of CIFAR-10 and their labels"
            f" (sha256 expected {pixels}, found {dataset.digest}): replace or delete it and rerun"
        )
    return dataset


def load(place: Path) -> tuple[np.ndarray, np.ndarray]:
    """Load images uint8 (n, 3, 32, 32) and labels int64 (n,) from an .npz file.

    It must hold `images`, uint8 (n, 32, 32, 3), and `labels` (n,). Raises InputError for any other file.
    """
    try:
        with np.load(place, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
        if images.dtype != np.uint8 or images.ndim != 4 or labels.dtype.kind not in "iu":
            raise ValueError(f"images are {images.dtype} {images.shape}, labels {labels.dtype}")
    except UNUSABLE as error:
        raise InputError(
            f"{place} cannot be used ({error}): it must be an .npz of `images`, uint8 (n, 32, 32, 3), and"
            " `labels`; replace or delete it and rerun"
        ) from error
    return images.transpose(0, 3, 1, 2), labels.astype(np.int64)


def _from_archive(place: Path, request: Request) -> tuple[np.ndarray, np.ndarray]:
    asked = [source for source in request.sources if source in CIFAR10.sources]
    try:
        whole = CIFAR10.prepare(replace(request, sources=tuple(asked)))
    except InputError as error:
        raise InputError(f"there is no {place}, and CIFAR-10 itself is not available: {error}") from error
    assert isinstance(whole.train_images, np.ndarray)
    return whole.train_images[: TRAIN + TEST], whole.train_labels[: TRAIN + TEST]


def read_jpeg(
    known: Known, request: Request, *, tree: Tree = TREE, pixels: str = JPEGS, genuine: str = GENUINE
) -> Dataset:
    """Read the same images in the same order from the JPEG copy; the lossless ones give the class order.

    Raises InputError if either is unavailable, or not as published.
    """
    lossless = read(known, request, pixels=genuine)
    asked = [source for source in request.sources if source in CIFAR10_JPEG.sources]
    contents = fetch(CIFAR10_JPEG, tree, replace(request, sources=tuple(asked)))
    labels = np.concatenate([lossless.train_labels, lossless.test_labels])
    images = decoded(contents, "train", labels)
    return as_known(_split(known, images, labels), pixels)


def _split(known: Known, images: np.ndarray, labels: np.ndarray) -> Dataset:
    """Split off the last `known.test_images` as the test set."""
    train = known.train_images
    parts = images[:train], labels[:train], images[train:], labels[train:]
    return Dataset(known.name, present(known.class_names), *parts)


CIFAR10_FIRST4000 = replace(
    CIFAR10,
    name="cifar10_first4000",
    title="CIFAR-10, first 4,000 images",
    train_images=TRAIN,
    test_images=TEST,
    read=read,
    raw=None,
)
CIFAR10_JPEG_FIRST4000 = replace(
    CIFAR10_FIRST4000,
    name="cifar10_jpeg_first4000",
    title="CIFAR-10, JPEG copy, first 4,000 images",
    sources=("local", "mirror", "clone"),
    read=read_jpeg,
)
