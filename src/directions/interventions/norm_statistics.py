"""Batch norm by the statistics of the images at hand instead of those kept from training (D32).

The paper does not say by which its networks were normalised while units were ablated.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from directions.core.errors import InputError
from directions.core.seeds import stream
from directions.core.types import Images

log = logging.getLogger(__name__)


@contextmanager
def own_statistics(model: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Let batch norm in evaluation mode normalise every batch by its own mean and (biased) variance.

    What was kept from training is back afterwards, unchanged. Modules that call `F.batch_norm` themselves,
    and torchvision's frozen ones, are as before. wanted: whether to do it at all.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)] if wanted else []
    if wanted and not norms:
        log.warning("warning: the network has no batch norm, so norm_images makes no difference")
    kept = [(norm.running_mean, norm.running_var) for norm in norms]
    try:
        for norm in norms:
            norm.running_mean = norm.running_var = None  # PyTorch's way to ask for the batch's own
        yield
    finally:
        for norm, (mean, variance) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var = mean, variance


def whole_batches(images: Images, labels: Tensor, size: int, seed: int) -> tuple[Images, Tensor]:
    """Draw whole batches of `size` from images (n, ...) and labels (n,): a random order without the last few.

    Random, because a data set may be sorted by class. Raises InputError if there are fewer images.
    """
    if size > len(labels):
        raise InputError(f"norm_images: {size} images requested, but there are only {len(labels)}: lower it")
    order = stream("norm batch", seed).permutation(len(labels))[: len(labels) // size * size]
    chosen = torch.as_tensor(order, device=labels.device)
    return images[chosen], labels[chosen]
