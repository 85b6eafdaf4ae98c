"""How weights are updated: the optimizer and its learning rate, from the settings of training."""

import math
from collections.abc import Iterable
from typing import Any

from torch import nn, optim

from directions.core.errors import InputError
from directions.core.types import present
from directions.study.training_settings import TrainingSettings


def make_optimizer(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> optim.Optimizer:
    """Create SGD with momentum, or Adam, from the settings (docs/DEVIATIONS.md, D1)."""
    shared: dict[str, Any] = {
        "lr": settings.learning_rate, "weight_decay": settings.weight_decay, "fused": True
    }  # fmt: skip
    if settings.optimizer == "sgd":
        return optim.SGD(parameters, momentum=present(settings.momentum), **shared)
    if settings.optimizer == "adam":
        return optim.Adam(parameters, **shared)
    raise InputError(f"unknown optimizer {settings.optimizer!r}: known are sgd, adam")


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Return the learning rate of a step (from 0): constant, or falling to 0 along half a cosine."""
    share = 1.0 if settings.schedule == "constant" else (1 + math.cos(math.pi * step / steps)) / 2
    return settings.learning_rate * share
