"""How many images are worked on at a time, and what happens when they turn out to be too many."""

import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from directions.errors import InputError

CACHED = 2**21  # elements that stay in a processor's cache, or nearly
TENSORS = 6  # of the size of all layers together that are alive at a time
SHARE = 0.5  # of a GPU's free memory that is planned with

log = logging.getLogger(__name__)


def affordable(elements: int, device: torch.device) -> int:
    """How many images to take at a time, from the float32 elements that the layers have per image.

    On a CPU what is used again soon is to stay in its cache; a GPU takes what fits its free memory.
    """
    budget = CACHED
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        budget = int(free * SHARE) // (4 * TENSORS)
    return max(1, budget // elements)


def in_parts(
    work: Callable[[Tensor, Tensor, int], np.ndarray], inputs: Tensor, targets: Tensor, first: int
) -> np.ndarray:
    """`work(inputs, targets, first)`, or the sum of what it gives on halves, where memory does not suffice.

    first: number of the first image. Raises InputError when memory does not suffice for one image.
    """
    try:
        return work(inputs, targets, first)
    except torch.OutOfMemoryError as error:
        short = str(error)  # not the error: its traceback would keep what fills the memory
    if len(targets) == 1:
        raise InputError(
            f"memory of {inputs.device} does not suffice for one image ({short}): free some, or use another"
        )
    half = len(targets) // 2
    log.warning("out of memory with %d images at a time: going on with %d", len(targets), half)
    if inputs.device.type == "cuda":
        torch.cuda.empty_cache()
    parts = zip(
        inputs.split(half), targets.split(half), range(first, first + len(targets), half), strict=True
    )
    return sum(in_parts(work, *part) for part in parts)
