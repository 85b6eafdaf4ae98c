"""Batch norm by the statistics of the images at hand instead of those kept from training (D32).

The paper does not say by which its networks were normalised while units were ablated.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from directions.core.errors import InputError
from directions.core.seeds import stream
from directions.core.types import Images
from directions.interventions.self_check import FAILURES, few

WAY_OUT = "make it a BatchNorm module of PyTorch, or leave norm_images out"

log = logging.getLogger(__name__)


@contextmanager
def own_statistics(model: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Let batch norm in evaluation mode normalise every batch by its own mean and (biased) variance.

    What was kept from training is back afterwards, unchanged. wanted: whether to do it at all.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)] if wanted else []
    kept = [(norm.running_mean, norm.running_var) for norm in norms]
    try:
        for norm in norms:
            norm.running_mean = norm.running_var = None  # PyTorch's way to ask for the batch's own
        yield
    finally:
        for norm, (mean, variance) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var = mean, variance


class _Norms(TorchFunctionMode):
    """Notes of each batch norm that is computed whether it is by the batch's own statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.own: list[bool] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in (functional.batch_norm, torch.batch_norm):
            self.own.append(bool(given.get("training", args[5] if len(args) > 5 else False)))
        return func(*args, **given)


@torch.no_grad()
def acts_on(model: nn.Module, images: Images) -> bool:
    """Return whether `own_statistics` changes how a network normalises: False if it has no batch norm.

    Raises InputError if it changes some of its batch norms only, or makes the network fail.
    """
    try:
        with own_statistics(model), _Norms() as norms:
            model(few(images))
    except FAILURES as error:
        raise InputError(
            f"norm_images: this network's own batch norm reads the mean and variance kept from training"
            f" ({error}): {WAY_OUT}"
        ) from error
    if norms.own and not all(norms.own):
        raise InputError(
            "norm_images: this network calls F.batch_norm itself, by the mean and variance kept from"
            f" training: {WAY_OUT}"
        )
    if not norms.own:
        log.warning("warning: the network has no batch norm, so norm_images is not used")
    return bool(norms.own)


def whole_batches(images: Images, labels: Tensor, size: int, split: str, seed: int) -> tuple[Images, Tensor]:
    """Draw whole batches of `size` from images (n, ...) and labels (n,): a random order without the last few.

    Random, because a data set may be sorted by class. split: "train" or "test", for messages. Raises
    InputError if there are fewer images.
    """
    count, left_over = len(labels), len(labels) % size
    if size > count:
        raise InputError(
            f"norm_images {size} is more than the {count} {split} images to score: lower it, or use more"
            f" images (images, {split}_images)"
        )
    if left_over:
        log.warning(
            "warning: norm_images %d: %d of %d %s images to score fill no batch and are left out",
            size, left_over, count, split,
        )  # fmt: skip
    order = stream("norm images", seed).permutation(count)[: count - left_over]
    chosen = torch.as_tensor(order, device=labels.device)
    return images[chosen], labels[chosen]
