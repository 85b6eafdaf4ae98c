"""Train copies of a dense network at once, each on its own examples.

The weights of all copies are stacked and have one optimizer, whose steps are elementwise: each copy learns as
it would alone (src/directions/training/loop.py), with the same initial weights and order of examples.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from directions.core.errors import InputError
from directions.core.scoring import right
from directions.core.seeds import torch_stream
from directions.models.optimizers import learning_rate, make_optimizer
from directions.study.needs import ONLY, unlike
from directions.study.training_settings import TrainingSettings
from directions.study.training_steps import steps_in_all, steps_per_epoch

Layers = list[tuple[nn.Parameter, nn.Parameter]]  # weights (copies, out, in) and biases (copies, 1, out)


def check(settings: TrainingSettings) -> None:
    """Raise InputError for a network that cannot be trained in this way."""
    if found := unlike(settings):
        raise InputError(
            f"measure_cmi {ONLY}, not with {', '.join(found)}: remove it from the analyses of this experiment"
        )


def train(model: nn.Module, inputs: Tensor, labels: Tensor, settings: TrainingSettings) -> Layers:
    """Train one copy of `model`, an mlp, per row of inputs (copies, n, pixels) and labels (copies, n)."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    layers = [(_copied(each.weight, len(labels)), _copied(each.bias[None], len(labels))) for each in linear]
    optimizer = make_optimizer([values for layer in layers for values in layer], settings)
    steps = steps_in_all(settings, labels.shape[1])
    for step, chosen in enumerate(_batches(labels.shape[1], steps, settings)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(settings, step, steps)
        optimizer.zero_grad(set_to_none=True)
        here = chosen.to(labels.device)
        found = logits(layers, inputs[:, here])
        loss = cross_entropy(found.flatten(0, 1), labels[:, here].flatten(), reduction="sum") / len(here)
        loss.backward()
        optimizer.step()
    if not loss.isfinite():
        raise InputError("retraining diverged: lower learning_rate of this experiment")
    return layers


def _copied(values: Tensor, copies: int) -> nn.Parameter:
    return nn.Parameter(values.detach().repeat(copies, *[1] * values.dim()))


def _batches(images: int, steps: int, settings: TrainingSettings) -> Iterator[Tensor]:
    """Yield the places of the examples of each step, in the order of training."""
    for step in range(steps):
        epoch, place = divmod(step, steps_per_epoch(settings, images))
        if place == 0:
            stream = torch_stream("order", settings.seed, epoch)
            batches = torch.randperm(images, generator=stream).split(settings.batch)
        yield batches[place]


def logits(layers: Layers, inputs: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
    """Compute logits (copies, n, classes) of inputs (copies, n, pixels).

    kept: for each hidden layer 1 for units left alone and 0 for units clamped to zero, (copies, 1, units).
    """
    *hidden, (weight, bias) = layers
    for place, (weights, biases) in enumerate(hidden):
        inputs = torch.baddbmm(biases, inputs, weights.mT).relu()
        if kept:
            inputs = inputs * kept[place]
    return torch.baddbmm(bias, inputs, weight.mT)


@torch.no_grad()
def curves(
    layers: Layers, inputs: Tensor, labels: Tensor, orders: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Compute the accuracy of each copy with its first `counts` units clamped to zero: (copies, points).

    orders: of the units of all hidden layers, by number, (copies, units).
    """
    places = torch.as_tensor(np.argsort(orders, axis=1), device=inputs.device)[:, None]  # (copies, 1, units)
    widths = [weights.shape[1] for weights, _ in layers[:-1]]
    found = []
    for count in counts:
        kept = (places >= count).to(inputs.dtype).split(widths, dim=2)
        found.append(right(logits(layers, inputs, kept), labels).double().mean(1))
    return torch.stack(found, 1).cpu().numpy()
