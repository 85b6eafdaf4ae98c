"""Batch norm over groups of images: in training, each group has a mean and a variance of its own.

So a batch of 1,024 images is normalised as 32 workers with 32 images each would do it (D28), in however many
processes the groups are. Acts from outside: the network, its parameters and their names stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm


@contextmanager
def over_groups(model: nn.Module, size: int | None) -> Iterator[None]:
    """Within, every BatchNorm2d in training mode takes its statistics over `size` consecutive images.

    The number of images must be a multiple of `size`. None: over all images of the batch, as always.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)] if size else []
    try:
        for norm in norms:
            norm.forward = partial(grouped, norm, size)  # of this one object: hides the method of its class
        yield
    finally:
        for norm in norms:
            norm.__dict__.pop("forward", None)


def grouped(norm: nn.BatchNorm2d, size: int, x: Tensor) -> Tensor:
    """What `norm` makes of x (groups * size, c, h, w).

    The running mean and variance move towards the mean over groups of their means and (unbiased) variances.
    That is linear: two copies, each moved by half of the groups, average to one that was moved by all.
    """
    if not norm.training:
        return type(norm).forward(norm, x)
    groups = x.split(size)
    # With a momentum of 1 the "running" statistics that come back are those of the group alone.
    means, variances = norm.running_mean.new_zeros(2, len(groups), norm.num_features)
    out = [
        batch_norm(group, mean, variance, norm.weight, norm.bias, training=True, momentum=1.0, eps=norm.eps)
        for group, mean, variance in zip(groups, means, variances, strict=True)
    ]
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(means.mean(0), norm.momentum)
        norm.running_var.lerp_(variances.mean(0), norm.momentum)
    return torch.cat(out)


def running_statistics(model: nn.Module) -> list[Tensor]:
    """The running means and variances of all batch norm, in the order of the network; may be empty."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    return [tensor for norm in norms for tensor in (norm.running_mean, norm.running_var)]
