"""Cumulative ablation in reverse: start with all units off and restore them one by one.

A unit's contribution to the sums of the next layer does not depend on the other units of its own layer. So
the sums behind the first layer are never recomputed, they only grow; those behind a later layer grow as long
as the layers before it do not change. Units that are off cost nothing: with the units of each layer sorted by
when they are restored, those that are on are the leading channels of every tensor. Because sums grow from
zero instead of shrinking from the full value, nothing cancels: logits equal those of hooks up to rounding.

    units of layer 1   ──►  sums of layer 2        a unit is restored: add one thin product
    that are on                 │ relu, units that are on
                                ▼
                            sums of layer 3        layer 1 changed: recompute from the units that are on;
                                │ activation       otherwise add a thin product
                                ▼
                            logits                 the same

In bfloat16, products with many units at once use that precision; sums and thin products do not.

A clamp value other than 0 acts as the zero point: activity is measured from it, and the sums start from the
contribution of the clamp values.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from directions.interventions.chain import Chain, Values
from directions.interventions.winograd import Product

STACKED = 2**22  # most logits to collect before they are scored


class Revival:
    """All curves of an ablation on a chain; `orders` and `counts` as in `ablation.cumulative`."""

    def __init__(
        self,
        chain: Chain,
        layers: Mapping[str, int],
        orders: Sequence[np.ndarray],
        counts: np.ndarray,
        values: Values,
        precision: str = "float32",
    ):
        self.chain, self.orders, self.counts = chain, orders, counts
        self.settings = layers, values, precision

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, list[int], Tensor]]:
        """Yield (row, columns, logits (columns, n, classes)) of all curves for inputs (n, c, h, w)."""
        activity, *joined = self.chain.prefix(inputs)
        column_of = {int(count): column for column, count in enumerate(self.counts)}
        layers, values, precision = self.settings
        for row, order in enumerate(self.orders):
            walk = Walk(self.chain, layers, order, values, precision)  # its weights live for this curve only
            columns, waiting = [], []
            for count, logits in walk.logits(activity, joined, self.counts):
                columns.append(column_of[count])
                waiting.append(logits.clone())
                if len(waiting) * logits.numel() >= STACKED:
                    yield row, columns, torch.stack(waiting)
                    columns, waiting = [], []
            if waiting:
                yield row, columns, torch.stack(waiting)


class Walk:
    """One curve on a chain: when each unit is restored, with weights and clamp values in that order.

    layers: {name: number of units} of the ablated layers; order: permutation (units,) of all their units;
    values: clamp values of the units of each layer; precision: float32 or bf16.
    """

    def __init__(
        self,
        chain: Chain,
        layers: Mapping[str, int],
        order: np.ndarray,
        values: Values,
        precision: str = "float32",
    ):
        self.chain = chain
        starts = dict(zip(layers, np.cumsum([0, *layers.values()]), strict=False))
        widths = [layers[chain.layers[0]], *(len(link.weight) for link in chain.links[:-1])]
        returning = np.asarray(order)[::-1]
        sorts, self._on = [], []  # per layer: units by restoration; number on, for each total number on
        for name, width in zip(chain.layers, widths, strict=True):
            times, units = np.full(width, -1), np.arange(width)  # never off
            if name in layers:
                times = np.flatnonzero((returning >= starts[name]) & (returning < starts[name] + width))
                units = returning[times] - starts[name]
            sorts.append(torch.as_tensor(units.copy(), device=chain.links[0].weight.device))
            self._on.append(np.searchsorted(times, np.arange(len(order) + 1)).tolist())
        self._sorts = sorts
        self._values = [
            _sorted(values.get(name, 0.0), units) for name, units in zip(chain.layers, sorts, strict=True)
        ]
        self._weights, self._biases = [], []
        for place, link in enumerate(chain.links):
            rows = sorts[place + 1] if place + 1 < len(sorts) else slice(None)
            self._weights.append(link.by_unit(widths[place])[:, sorts[place]][rows])
            self._biases.append(link.bias[rows])
        self._products = [
            Product(link, weight, precision) for link, weight in zip(chain.links, self._weights, strict=True)
        ]

    def logits(
        self, activity: Tensor, joined: Sequence[Tensor], counts: np.ndarray
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield (number of units off, logits (examples, classes)) for the ascending `counts`, last one first.

        activity: (examples, units, ...) of the first layer; joined: inputs of the links that have one. Each
        tensor of logits is valid only until the next one is requested.
        """
        units = len(self._on[0]) - 1
        points = [units - int(count) for count in reversed(counts)]
        values = iter(joined)
        sorts: list[Tensor | slice] = [*self._sorts[1:], slice(None)]
        constants = [
            None if link.joined is None else next(values)[:, order]
            for link, order in zip(self.chain.links, sorts, strict=True)
        ]
        for point, answers in self._from(0, _channels(activity, self._sorts[0]), constants, points):
            yield units - point, answers

    def _from(
        self, place: int, activity: Tensor, constants: list[Tensor | None], points: list[int]
    ) -> Iterator[tuple[int, Tensor]]:
        """Do the same from a layer whose activity is known and constant over all of these points."""
        link, weight, on = self.chain.links[place], self._weights[place], self._on[place]
        last = place + 1 == len(self.chain.links)
        # At least one, needed or not: convolutions and pools refuse zero channels.
        rows = len(weight) if last else max(1, self._on[place + 1][points[-1]])
        zero_point = self._zero_point(place, activity)
        activity = link.pooled(activity)
        if zero_point is not None:
            activity = activity - zero_point[:, : activity.shape[1]]
        sums, done = None, 0
        start = self._start(place, rows, zero_point)
        if (constant := constants[place]) is not None:
            start = start + constant[:, :rows]
        for here, group in groupby(points, key=on.__getitem__):
            same = list(group)
            if sums is None:
                many = activity[:, :here] if here else torch.zeros_like(activity[:, :1])  # for the shape
                sums, done = self._products[place](many, rows).add_(start), here
            elif here > done:
                link.add_product(sums, activity[:, done:here], weight[:rows, done:here])
                done = here
            if last:
                answers = link.activation(sums)
                yield from ((point, answers) for point in same)
            else:
                next_on = max(1, self._on[place + 1][same[-1]])
                yield from self._from(place + 1, link.activation(sums[:, :next_on]), constants, same)

    def _zero_point(self, place: int, activity: Tensor) -> Tensor | None:
        """Compute the next weights' input (1, units, ...) with all units of a layer clamped; None for 0."""
        value = self._values[place]
        if value is None:
            return None
        if value.dim() < activity.dim():  # one number per feature map
            value = value.view(1, -1, 1, 1).expand(1, -1, *activity.shape[2:])
        return self.chain.links[place].pooled(value)

    def _start(self, place: int, rows: int, zero_point: Tensor | None) -> Tensor:
        """Return the sums (1, rows, ...) with all units of the layer off, or what broadcasts to them."""
        link, weight = self.chain.links[place], self._weights[place][:rows]
        bias = self._biases[place][:rows].view(1, -1, *[1] * (0 if link.convolution is None else 2))
        return bias if zero_point is None else bias + link.product(zero_point, weight)


def _sorted(value: Tensor | float, order: Tensor) -> Tensor | None:
    """Sort the units of a clamp value (1, units, ...); None for 0."""
    if isinstance(value, Tensor):
        return value[order][None]
    return None if value == 0 else torch.full((1, len(order)), float(value), device=order.device)


def _channels(activity: Tensor, units: Tensor) -> Tensor:
    """Sort the units of an activity, with feature maps in channels-last layout."""
    if activity.dim() != 4:
        return activity[:, units]
    return activity.permute(0, 2, 3, 1)[..., units].permute(0, 3, 1, 2)
