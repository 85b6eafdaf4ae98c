"""The training schedule: how many steps, on which images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.seeds import torch_stream
from directions.data.examples import Examples
from directions.study import training_steps
from directions.study.training_settings import TrainingSettings
from directions.training.distributed import Processes


@dataclass(frozen=True)
class Plan:
    """Length of training: `steps` in total, `per_epoch` of them per pass over the training set."""

    steps: int
    per_epoch: int

    @property
    def epochs(self) -> int:
        """Number of epochs begun; the last may end early."""
        return -(-self.steps // self.per_epoch)

    def left(self, epoch: int, step: int) -> tuple[int, int]:
        """Return (first, end) of the steps left in this epoch, from its first, after `step` in total."""
        before = epoch * self.per_epoch
        return step - before, min(self.per_epoch, self.steps - before)


def planned(model: nn.Module, train: Examples, settings: TrainingSettings, processes: Processes) -> Plan:
    """Plan training with these settings; raises InputError if the batches or the processes do not fit."""
    images, batch, norm_batch = len(train), settings.batch, settings.norm_batch
    check_batches(model, images, batch, norm_batch)
    processes.share(batch, norm_batch)
    if settings.augment and isinstance(train.images, Tensor):
        raise InputError("augment: only images streamed from their files can be cropped; set it to false")
    plan = Plan(
        training_steps.steps_in_all(settings, images), training_steps.steps_per_epoch(settings, images)
    )
    late = [str(epoch) for epoch in settings.keep_epochs if epoch > plan.epochs]
    if late:
        raise InputError(
            f"keep_epochs has {', '.join(late)}, but training ends in epoch {plan.epochs}, after "
            f"{plan.steps} steps of {batch} images: remove them, or train longer"
        )
    if (settings.keep_every or 0) > plan.steps:
        every = settings.keep_every
        raise InputError(f"keep_every {every} is more than the {plan.steps} steps of training: lower it")
    return plan


def check_batches(model: nn.Module, images: int, batch: int, norm_batch: int | None) -> None:
    """Raise InputError if groups do not fit, or if batch norm would get a single image, without variance."""
    normed = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    if norm_batch is None and normed and (batch == 1 or images % batch == 1):
        raise InputError(
            f"batch: {images} images in batches of {batch} leave a batch of 1, for which batch norm has no "
            "variance: change `batch` or `images`"
        )
    if norm_batch is not None and batch % norm_batch:
        raise InputError(f"norm_batch {norm_batch} does not divide batch {batch}: change one of them")
    if norm_batch is not None and images < batch:
        raise InputError(f"batch {batch} is more than the {images} images trained on: lower it")


def batches(
    train: Examples, settings: TrainingSettings, epoch: int, steps: tuple[int, int], processes: Processes
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) of this epoch's steps, from the first of `steps` to before the second.

    Yields this process's share of every batch. The order depends only on (seed, epoch), so resuming needs no
    stored random state.
    """
    seed, batch = settings.seed, settings.batch
    share = processes.share(batch, settings.norm_batch)
    order = torch.randperm(len(train), generator=torch_stream("order", seed, epoch))
    order = order[steps[0] * batch : steps[1] * batch]
    if processes.count > 1:
        order = order.view(-1, processes.count, share)[:, processes.rank].flatten()
    order = order.to(train.images.device)
    images: Any = train.images  # with `augment`, they stay in their files: see `planned`
    images = images.augmented("augment", seed, epoch) if settings.augment else images
    return zip(images[order].split(share), train.labels[order].split(share), strict=True)
