"""Accumulate an analysis over images, in partial sums that an interrupted job resumes from."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from directions.core import snapshots
from directions.core.scoring import passes
from directions.core.types import Images
from directions.interventions.batching import in_parts

REPORT_SECONDS = 5.0  # between two progress lines

log = logging.getLogger(__name__)


class Part(TypedDict):
    """Partial sums, and the number of images they cover."""

    sums: Tensor
    images: int


class Unfinished:
    """The partial sums of an analysis, by name, in memory and at intervals in a file.

    path: the file, None for none. A file with another `fingerprint` is ignored. seconds: most work that a
    kill can cost.
    """

    def __init__(self, path: Path | None = None, fingerprint: str = "", seconds: float = 30.0):
        self.path, self.fingerprint, self.seconds = path, fingerprint, seconds
        self.parts: dict[str, Part] = (snapshots.load(path, fingerprint) if path else None) or {}
        self.saved_at = time.monotonic()

    def found(self, name: str, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """Return (sums, number of images they cover) noted so far, or zeros over no images."""
        if name not in self.parts:
            return np.zeros(shape), 0
        part = self.parts[name]
        log.info("%s: resuming after %d images", name, part["images"])
        return part["sums"].numpy().copy(), part["images"]

    def note(self, name: str, sums: np.ndarray, images: int) -> None:
        """Store these sums over the first `images` images; write the file when it is due."""
        self.parts[name] = {"sums": torch.from_numpy(sums.copy()), "images": images}
        if self.path and time.monotonic() - self.saved_at >= self.seconds:
            snapshots.save(self.path, self.fingerprint, self.parts)
            self.saved_at = time.monotonic()

    def forget(self) -> None:
        """Delete the file: the analysis is finished."""
        if self.path:
            self.path.unlink(missing_ok=True)


def over_images(
    add: Callable[[Tensor, Tensor, int], np.ndarray],
    images: Images,
    labels: Tensor,
    *,
    size: int,
    shape: tuple[int, ...],
    name: str,
    unfinished: Unfinished | None = None,
) -> np.ndarray:
    """Sum add(inputs, targets, number of the first image), of this shape, over passes of `size` images.

    images: uint8 (n, c, h, w); labels: (n,). The result does not depend on interruptions.
    """
    unfinished = unfinished or Unfinished()
    sums, done = unfinished.found(name, shape)
    first, begun, reported = done, time.monotonic(), 0.0
    left_over = passes(images[done:], labels[done:], size) if done < len(labels) else ()
    for inputs, targets in left_over:
        sums += in_parts(add, inputs, targets, done)
        done += len(targets)
        unfinished.note(name, sums, done)
        spent = time.monotonic() - begun
        if spent - reported >= REPORT_SECONDS or done == len(labels):
            left = spent / (done - first) * (len(labels) - done)
            log.info("%s: %d of %d images, %.0f s left", name, done, len(labels), left)
            reported = spent
    return sums
