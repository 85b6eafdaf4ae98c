"""Adding up over images what an analysis counts, so that a killed one goes on where it was."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from directions import snapshots
from directions.evaluation import passes
from directions.memory import in_parts

REPORT_SECONDS = 5.0  # between two lines of progress

log = logging.getLogger(__name__)


class Unfinished:
    """The sums of an analysis so far, by name, in memory and now and then in a file.

    path: the file, None: keep none. A file with another `fingerprint` is ignored. seconds: most work that a
    kill can cost.
    """

    def __init__(self, path: Path | None = None, fingerprint: str = "", seconds: float = 30.0):
        self.path, self.fingerprint, self.seconds = path, fingerprint, seconds
        self.parts: dict[str, dict] = (snapshots.load(path, fingerprint) if path else None) or {}
        self.saved_at = time.monotonic()

    def found(self, name: str, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """(sums, images they are over) as they were noted; zeros over none if they were not."""
        if name not in self.parts:
            return np.zeros(shape), 0
        part = self.parts[name]
        log.info("%s: going on after %d images", name, part["images"])
        return part["sums"].numpy().copy(), part["images"]

    def note(self, name: str, sums: np.ndarray, images: int) -> None:
        """Remember these sums over the first so many images; write the file where it is due."""
        self.parts[name] = {"sums": torch.from_numpy(sums.copy()), "images": images}
        if self.path and time.monotonic() - self.saved_at >= self.seconds:
            snapshots.save(self.path, self.fingerprint, self.parts)
            self.saved_at = time.monotonic()

    def forget(self) -> None:
        """Remove the file: the analysis is finished."""
        if self.path:
            self.path.unlink(missing_ok=True)


def over_images(
    add: Callable[[Tensor, Tensor, int], np.ndarray],
    images: Tensor,
    labels: Tensor,
    *,
    size: int,
    shape: tuple[int, ...],
    name: str,
    unfinished: Unfinished | None = None,
) -> np.ndarray:
    """The sum, of this shape, of add(inputs, targets, number of the first) over passes of `size` images.

    images: uint8 (n, c, h, w); labels: (n,). The same however often it was interrupted.
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
