"""Ghost batch norm: in training, each group of images has its own mean and variance.

A batch of 1,024 images is thus normalised as 32 workers with 32 images each would do it (D28), however many
processes share the groups. It acts from outside: the network, its parameters and their names do not change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from directions.core.types import present


@contextmanager
def over_groups(model: nn.Module, size: int | None) -> Iterator[None]:
    """Compute the training statistics of every BatchNorm2d over `size` consecutive images in this context.

    The number of images must be a multiple of `size`. None: over the whole batch, as usual.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)] if size else []
    try:
        for norm in norms:
            # On this instance: shadows its class's method.
            norm.__dict__["forward"] = partial(grouped, norm, present(size))
        yield
    finally:
        for norm in norms:
            norm.__dict__.pop("forward", None)


def grouped(norm: nn.BatchNorm2d, size: int, x: Tensor) -> Tensor:
    """Apply `norm` to x (groups * size, c, h, w), one group at a time.

    The running mean and variance move towards the mean over groups of their means and (unbiased) variances.
    This is linear: two copies, each updated by half of the groups, average to one updated by all.
    """
    if not norm.training:
        return type(norm).forward(norm, x)
    running_mean, running_var = present(norm.running_mean), present(norm.running_var)
    groups, momentum = x.split(size), present(norm.momentum)
    # With a momentum of 1, the "running" statistics returned are those of the group alone.
    means, variances = running_mean.new_zeros(2, len(groups), norm.num_features)
    out = [
        batch_norm(group, mean, variance, norm.weight, norm.bias, training=True, momentum=1.0, eps=norm.eps)
        for group, mean, variance in zip(groups, means, variances, strict=True)
    ]
    with torch.no_grad():
        present(norm.num_batches_tracked).add_(1)
        running_mean.lerp_(means.mean(0), momentum)
        running_var.lerp_(variances.mean(0), momentum)
    return torch.cat(out)


def running_statistics(model: nn.Module) -> list[Tensor]:
    """List the running means and variances of all batch norm layers, in network order; may be empty."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    both = (tensor for norm in norms for tensor in (norm.running_mean, norm.running_var))
    return [tensor for tensor in both if tensor is not None]
