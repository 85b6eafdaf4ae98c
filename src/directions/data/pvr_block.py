"""Pointer value retrieval with images (Zhang et al. 2021): of four MNIST digits, one says where to look.

The digit at the top left points at the one that gives the label: 0 to 3 at the top right, 4 to 6 at the
bottom left, 7 to 9 at the bottom right. Each of the four is shifted at random within its 40 x 40 pixels.
"""

from functools import partial

import numpy as np

from directions.core.types import present
from directions.data.dataset import Dataset
from directions.data.generated import Arrays, generated
from directions.data.mnist import MNIST
from directions.data.specs import Known

CELL = 40  # pixels
POINTED = np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 3])  # digit at the top left -> cell, counted row by row
ALL = tuple(range(10))
# Digits that, in the hold-out variant, each cell never shows in training and always shows in the test set.
HELD_OUT = {0: (), 1: (1, 2, 3), 2: (4, 5, 6), 3: (7, 8, 9, 0)}


def labels_of(digits: np.ndarray) -> np.ndarray:
    """Return the labels of the digits in the four cells (n, 4), int64 (n,)."""
    return digits[np.arange(len(digits)), POINTED[digits[:, 0]]]


def allowed(cell: int, split: str, holdout: bool) -> tuple[int, ...]:
    """List the digits that a cell may show."""
    held = HELD_OUT[cell] if holdout else ()
    if split == "test" and held:
        return held
    return tuple(digit for digit in ALL if digit not in held)


def draw(
    split: str, count: int, random: np.random.Generator, real: Dataset | None, *, holdout: bool = False
) -> Arrays:
    """Draw an image of the same split of MNIST for every cell, independently, among the digits allowed.

    Returns images uint8 (n, 1, 80, 80) and labels (n,).
    """
    pictures, shown = present(real).split(split)
    images = np.zeros((count, 1, 2 * CELL, 2 * CELL), np.uint8)
    digits = np.empty((count, 4), np.int64)
    for cell in range(4):
        choices = np.flatnonzero(np.isin(shown, allowed(cell, split, holdout)))
        chosen = random.choice(choices, size=count)
        digits[:, cell] = shown[chosen]
        _paste(images[:, 0], np.asarray(pictures)[chosen, 0], cell, random)
    return images, labels_of(digits)


def _paste(images: np.ndarray, pictures: np.ndarray, cell: int, random: np.random.Generator) -> None:
    height, width = pictures.shape[1:]
    row, column = divmod(cell, 2)
    down = row * CELL + random.integers(CELL - height + 1, size=len(images))
    right = column * CELL + random.integers(CELL - width + 1, size=len(images))
    for image, picture, top, left in zip(images, pictures, down, right, strict=True):
        image[top : top + height, left : left + width] = picture


def _known(name: str, title: str, holdout: bool) -> Known:
    return generated(
        partial(draw, holdout=holdout),
        of=MNIST,
        name=name,
        title=title,
        train_images=20_000,
        test_images=5_000,
        class_names=MNIST.class_names,
        shape=(1, 2 * CELL, 2 * CELL),
    )


PVR_BLOCK = _known("pvr_block", "pointer value retrieval, MNIST digits", holdout=False)
PVR_BLOCK_HOLDOUT = _known(
    "pvr_block_holdout", "pointer value retrieval, MNIST digits, held-out", holdout=True
)
