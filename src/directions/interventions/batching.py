"""Batch size from free memory; on out-of-memory, split the batch and retry."""

import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from directions.core.errors import InputError

CACHED = 2**21  # elements that stay in a processor's cache, or nearly
TENSORS = 6  # tensors alive at a time, each the size of all layers together
SHARE = 0.5  # fraction of a GPU's free memory to use

log = logging.getLogger(__name__)


def affordable(elements: int, device: torch.device) -> int:
    """Return how many images to process at a time, given the float32 elements per image of all layers.

    On a CPU, data that is soon reused should stay in cache; a GPU takes what fits into its free memory.
    """
    budget = CACHED
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        budget = int(free * SHARE) // (4 * TENSORS)
    return max(1, budget // elements)


def in_parts(
    work: Callable[[Tensor, Tensor, int], np.ndarray], inputs: Tensor, targets: Tensor, first: int
) -> np.ndarray:
    """Return `work(inputs, targets, first)`, or its sum over halves if memory runs out.

    first: number of the first image. Raises InputError if even one image does not fit.
    """
    try:
        return work(inputs, targets, first)
    except torch.OutOfMemoryError as error:
        short = str(error)  # not the error itself: its traceback would keep the memory in use
    if len(targets) == 1:
        raise InputError(
            f"one image does not fit into the memory of {inputs.device} ({short}): free some, or use another"
        )
    half = len(targets) // 2
    log.warning("out of memory with %d images at a time: continuing with %d", len(targets), half)
    if inputs.device.type == "cuda":
        torch.cuda.empty_cache()
    parts = zip(
        inputs.split(half), targets.split(half), range(first, first + len(targets), half), strict=True
    )
    return sum((in_parts(work, *part) for part in parts), np.array(0))
