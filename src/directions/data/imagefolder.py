"""A tree of the user's own images: train/CLASS/*.jpg and test/CLASS/*.jpg (or val/ for test/)."""

import logging
from pathlib import Path

import numpy as np

from directions.data.dataset import Dataset
from directions.data.known import Known, Request
from directions.errors import InputError

LOG = logging.getLogger(__name__)
SHOWN = 5  # unreadable images named in an error


def read(known: Known, request: Request) -> Dataset:
    """The data set from a tree as `torchvision.datasets.ImageFolder` takes it.

    Raises InputError without a tree, for a split without images, for classes that the splits do not
    share, and for unreadable images, naming them.
    """
    if request.tree is None:
        raise InputError("data set imagefolder needs its folder: `imagefolder: {path: ..., size: 64}`")
    if request.size < 1:
        raise InputError(f"imagefolder: size is {request.size} pixels, it must be at least 1")
    train, test = _split(request.tree, "train"), _split(request.tree, "test", "val")
    for missing, place, other in (
        (set(train.classes) - set(test.classes), test.root, train.root),
        (set(test.classes) - set(train.classes), train.root, test.root),
    ):
        if missing:
            raise InputError(f"{place} lacks classes that {other} has: {', '.join(sorted(missing))}")
    train_images, train_labels = _decode(train, request.size)
    return Dataset(
        known.name,
        tuple(train.classes),
        train_images,
        train_labels,
        *_decode(test, request.size),
    )


def _split(tree: Path, *names: str):
    """torchvision's list of the images of the first of the named folders that is there."""
    from torchvision.datasets import ImageFolder

    folder = next((tree / name for name in names if (tree / name).is_dir()), None)
    if folder is None:
        raise InputError(f"there is no folder {' or '.join(str(tree / name) for name in names)}")
    try:
        return ImageFolder(str(folder))
    except FileNotFoundError as error:  # no class, or a class without images
        raise InputError(f"{folder} must hold one folder of images per class: {error}") from error


def _decode(split, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, 3, size, size) and labels int64 (n,); every unreadable image is found first."""
    from PIL.Image import DecompressionBombError
    from torchvision.transforms.functional import center_crop, resize

    images = np.empty((len(split.samples), 3, size, size), np.uint8)
    unreadable = []
    for index, (path, _label) in enumerate(split.samples):
        try:
            image = split.loader(path)  # RGB
        # What Pillow raises for an image that is truncated, no image at all, or broken inside.
        except (OSError, SyntaxError, ValueError, DecompressionBombError) as error:
            unreadable.append(f"{path} ({error})")
            continue
        # The shorter side to `size`, then the middle: nothing is squashed.
        squared = center_crop(resize(image, size), size)
        images[index] = np.asarray(squared).transpose(2, 0, 1)
        if (index + 1) % 10_000 == 0:
            LOG.info("local: %s, %d of %d images", split.root, index + 1, len(images))
    if unreadable:
        more = f" and {len(unreadable) - SHOWN} more" if len(unreadable) > SHOWN else ""
        raise InputError(
            f"{len(unreadable)} of {len(images)} images in {split.root} cannot be read:"
            f" {', '.join(unreadable[:SHOWN])}{more}: replace or delete them and run again"
        )
    LOG.info("local: %s, %d images of %d classes read", split.root, len(images), len(split.classes))
    return images, np.array([label for _path, label in split.samples], np.int64)


IMAGEFOLDER = Known(
    name="imagefolder",
    title="own images",
    train_images=None,
    test_images=None,
    class_names=None,
    shape=None,
    sources=("local",),
    read=read,
)
