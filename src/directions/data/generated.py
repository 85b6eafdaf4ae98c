"""Data sets that are computed, from chance alone or from the images of another data set (docs/BEYOND.md)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from directions.core.seeds import stream
from directions.core.types import present
from directions.data.dataset import SPLITS, Dataset
from directions.data.specs import Known, Request

GENERATED = ("generated",)  # in place of sources, where nothing is read
STEPS = 1024  # numbers are rounded to 1/1024, which hides how processors differ in the last digits

Arrays = tuple[np.ndarray, np.ndarray]  # images, labels
Draw = Callable[[str, int, np.random.Generator, Dataset | None], Arrays]


def generated(draw: Draw, of: Known | None = None, **facts: Any) -> Known:
    """Return the data set with these `facts`, both of whose splits are drawn from streams of its own.

    draw: (split, number of images, random, data set `of`) -> images and labels. of: a data set with raw files
    from which this one is made; it is then read from the sources of that one.
    """

    def read(known: Known, request: Request) -> Dataset:
        real = of.prepare(request) if of else None
        counts = present(known.train_images), present(known.test_images)
        train, test = (
            draw(split, count, stream("data", known.name, split), real)
            for split, count in zip(SPLITS, counts, strict=True)
        )
        return Dataset(known.name, present(known.class_names), *train, *test)

    return Known(**facts, sources=of.sources if of else GENERATED, read=read)


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to 1/STEPS and return float32, which holds these numbers exactly."""
    return (np.rint(values * STEPS) / STEPS).astype(np.float32)
