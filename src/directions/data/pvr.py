"""Pointer value retrieval (Zhang et al. 2021): a digit says which of ten others give the label.

Eleven digits, one-hot. The first is the pointer p; the label is the sum modulo 10 of the values p to p + m,
with m the complexity: of one value (m = 0), it is that value. Pointers keep this window within the ten.
"""

from functools import partial
from typing import Any

import numpy as np

from directions.data.dataset import Dataset
from directions.data.generated import Arrays, generated
from directions.data.specs import Known

DIGITS, VALUES = 10, 10
# Windows of two values that the training set of the hold-out variant lacks: one for each label (3a mod 10).
HELD_OUT = np.array([(first, 2 * first % DIGITS) for first in range(DIGITS)])


def labels_of(digits: np.ndarray, complexity: int) -> np.ndarray:
    """Return the labels of rows of eleven digits (n, 11), int64 (n,)."""
    return window(digits, complexity).sum(1) % DIGITS


def window(digits: np.ndarray, complexity: int) -> np.ndarray:
    """Return the values pointed at, (n, complexity + 1)."""
    places = 1 + digits[:, :1] + np.arange(complexity + 1)
    return np.take_along_axis(digits, places, axis=1)


def held_out(digits: np.ndarray) -> np.ndarray:
    """Tell which rows point at one of the windows HELD_OUT, (n,)."""
    return (window(digits, 1)[:, None] == HELD_OUT).all(2).any(1)


def draw(
    split: str,
    count: int,
    random: np.random.Generator,
    _real: Dataset | None,
    *,
    complexity: int,
    holdout: bool = False,
) -> Arrays:
    """Draw all digits independently and uniformly, as images (n, 1, 11, 10) that are 255 at each digit.

    holdout: in training, rows that point at a window HELD_OUT are drawn again until none is left; in the test
    set, all point at one.
    """
    digits = _digits(count, random, complexity)
    if holdout and split == "train":
        while (again := np.flatnonzero(held_out(digits))).size:
            digits[again] = _digits(again.size, random, complexity)
    elif holdout:
        chosen = HELD_OUT[random.integers(len(HELD_OUT), size=count)]
        np.put_along_axis(digits, 1 + digits[:, :1] + np.arange(2), chosen, axis=1)
    images = 255 * np.eye(DIGITS, dtype=np.uint8)[digits]
    return images[:, None], labels_of(digits, complexity)


def _digits(count: int, random: np.random.Generator, complexity: int) -> np.ndarray:
    pointers = random.integers(VALUES - complexity, size=(count, 1))
    return np.hstack([pointers, random.integers(DIGITS, size=(count, VALUES))])


def _known(name: str, title: str, **rule: Any) -> Known:
    return generated(
        partial(draw, **rule),
        name=name,
        title=title,
        train_images=60_000,
        test_images=10_000,
        class_names=tuple("0123456789"),
        shape=(1, 1 + VALUES, DIGITS),
    )


PVR = _known("pvr", "pointer value retrieval", complexity=0)
PVR_SUM = _known("pvr_sum", "pointer value retrieval, sum of two", complexity=1)
PVR_SUM_HOLDOUT = _known(
    "pvr_sum_holdout", "pointer value retrieval, sum of two, held-out pairs", complexity=1, holdout=True
)
