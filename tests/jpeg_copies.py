"""Small JPEG copies of CIFAR-10: a few images per class, drawn here, in the public repository's folders."""

import hashlib
import io
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np
from PIL import Image

from directions.data.cifar10 import CIFAR10
from directions.data.cifar10_jpeg import CIFAR10_JPEG, TREE, paths
from directions.data.dataset import Dataset
from directions.data.tree import digest, sums

TRAIN, TEST = 3, 2  # images per class
NAMES = paths(TRAIN, TEST)


def picture(number: int) -> bytes:
    """A JPEG of one grey of its own, which the compression leaves nearly as it is."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (4 * number,) * 3).save(file, "JPEG", quality=75)
    return file.getvalue()


CONTENTS = {name: picture(number) for number, name in enumerate(NAMES)}


def hashes(contents=CONTENTS):
    return {name: hashlib.sha256(contents[name]).hexdigest() for name in NAMES}


def tree(repository="nowhere"):
    by_folder = {
        folder: sums([hashes()[name] for name in group])
        for folder, group in groupby(NAMES, lambda name: name.rsplit("/", 1)[0])
    }
    return replace(TREE, names=NAMES, sha256=digest(hashes()), sums=by_folder, repository=str(repository))


def pixels_of(content):
    """A JPEG decoded, uint8 (32, 32, 3)."""
    return np.asarray(Image.open(io.BytesIO(content)))


def pixels():
    """The digest of the decoded images, by place within the class, then by class."""
    parts = []
    for split, count in (("train", TRAIN), ("test", TEST)):
        names = [f"{split}/{name}/{n:04d}.jpg" for n in range(count) for name in CIFAR10.class_names]
        images = np.stack([pixels_of(CONTENTS[name]) for name in names])
        parts += [images.transpose(0, 3, 1, 2), np.tile(np.arange(10), count)]
    return Dataset("any", CIFAR10.class_names, *parts).digest


def known(tree, pixels):
    """The data set, but of a few images."""
    read = partial(CIFAR10_JPEG.read, tree=tree, pixels=pixels)
    return replace(CIFAR10_JPEG, read=read, train_images=10 * TRAIN, test_images=10 * TEST)


def write(folder, contents=CONTENTS):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
