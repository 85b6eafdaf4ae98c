"""Ablation of single units: the loss without each of them alone (paper, section 3.4)."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.scoring import pass_size, right, tally
from directions.core.types import Images
from directions.interventions import self_check
from directions.interventions.ablation import UnitEngine, Ways, ablated, ways
from directions.interventions.accumulate import Unfinished, over_images
from directions.interventions.chain import Values
from directions.interventions.graph_curves import GraphUnits
from directions.interventions.hooks import split
from directions.interventions.one_unit import Alone


@dataclass(frozen=True)
class SingleUnits:
    """The effect of clamping each unit alone; units are numbered through all layers, in order.

    loss: (units,), class_accuracy: (units, classes), each with the unit clamped; `*_before`: none clamped.
    """

    loss_before: float
    class_accuracy_before: np.ndarray
    loss: np.ndarray
    class_accuracy: np.ndarray
    class_images: np.ndarray


class HooksAlone:
    """Reference engine: clamp each of `units` in its own forward pass, from its layer on unless `whole`."""

    def __init__(
        self,
        model: nn.Module,
        layers: Mapping[str, int],
        values: Values,
        units: Container[int],
        whole: bool = False,
    ):
        self.model, self.layers, self.values, self.units, self.whole = model, layers, values, units, whole

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield (row, logits (n, classes)) on inputs (n, c, h, w): -1 with none off, then a row per unit."""
        yield -1, self.model(inputs.clone())
        row, first = 0, 0
        for name, count in self.layers.items():
            head, tail = (nn.Identity(), self.model) if self.whole else split(self.model, name)
            activity = head(inputs.clone())
            for unit in range(count):
                if first + unit not in self.units:
                    continue
                with ablated(tail, {name: count}, np.array([unit]), self.values):
                    yield row, tail(activity.clone())
                row += 1
            first += count


@torch.no_grad()
def single(
    model: nn.Module,
    images: Images,
    labels: Tensor,
    *,
    layers: Mapping[str, int],
    classes: int,
    values: Values,
    units: Iterable[int] | None = None,
    size: int | None = None,
    by_hooks: bool = False,
    unfinished: Unfinished | None = None,
) -> SingleUnits:
    """Measure loss and accuracy per class with each unit of `layers` clamped alone (paper, section 3.4).

    units: numbers of the units to clamp, ascending, or None for all. Other arguments as in `cumulative`.
    """
    wanted = range(sum(layers.values())) if units is None else dict.fromkeys(units)
    shape = (len(wanted) + 1, 1 + classes)  # loss, correct per class; the last row: none clamped
    self_check.of_clamping(model, layers, images)
    engines: Ways[UnitEngine] = ways((Alone, GraphUnits, HooksAlone), model, layers, values, images, by_hooks)
    way = _engine(*engines, images)(units=wanted)

    def add(inputs: Tensor, targets: Tensor, _first: int) -> np.ndarray:
        added = np.zeros(shape)
        for row, answers in way.answers(inputs):
            added[row, 0] = tally(answers, targets)[0]
            correct = targets[right(answers, targets)]
            added[row, 1:] = torch.bincount(correct, minlength=classes).cpu()
        return added

    size = size or pass_size(model, images)
    name = "single-unit ablation"
    sums = over_images(add, images, labels, size=size, shape=shape, name=name, unfinished=unfinished)
    class_images = np.bincount(labels.cpu().numpy(), minlength=classes)
    loss, accuracy = sums[:, 0] / len(labels), sums[:, 1:] / np.maximum(class_images, 1)
    return SingleUnits(loss[-1], accuracy[-1], loss[:-1], accuracy[:-1], class_images)


def _engine(
    faster: dict[str, partial[UnitEngine]], slowest: partial[UnitEngine], images: Images
) -> partial[UnitEngine]:
    """Pick the fastest single-unit engine that gives the right logits on the first images; it takes units."""
    units = self_check.loudest(slowest.args[0], slowest.keywords["layers"], images)

    def answers(engine: partial[UnitEngine]) -> Tensor:
        found = [logits.clone() for _, logits in engine(units=units).answers(self_check.few(images))]
        return torch.stack(found)

    return self_check.right(faster, slowest, answers, "single-unit ablation")
