"""Ablation curves and single units on the graph of a network, by patches (see patches.py)."""

from collections.abc import Container, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from directions.core.scoring import PROBE
from directions.interventions.chain import Values
from directions.interventions.graph import Graph, Step
from directions.interventions.patches import SAME, Patch, Patching, channels_last, clamped, one_of, run


class GraphCurves:
    """All curves of a cumulative ablation on a graph; `orders` and `counts` as in `ablation.cumulative`."""

    def __init__(
        self,
        graph: Graph,
        layers: Mapping[str, int],
        orders: Sequence[np.ndarray],
        counts: np.ndarray,
        values: Values,
    ):
        self.graph, self.layers, self.orders, self.counts, self.values = graph, layers, orders, counts, values

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, list[int], Tensor]]:
        """Yield (row, columns, logits (columns, n, classes)) of all curves for inputs (n, c, h, w)."""
        inputs = channels_last(inputs)
        every = {name: torch.arange(count, device=inputs.device) for name, count in self.layers.items()}
        known = run(self.graph, torch.cat([inputs[:1]] * PROBE), every, self.values)
        base = {step: one_of(step, value) for step, value in known.items()}
        walk = _Walk(Patching(self.graph, len(inputs), base), inputs, self.values)
        for row, order in enumerate(self.orders):
            for column, count in enumerate(self.counts):
                yield row, [column], walk.logits(self._on(order[count:], inputs.device))[None]

    def _on(self, numbers: np.ndarray, device: torch.device) -> dict[str, Tensor]:
        """Sort units numbered through all layers into {layer: its units among these, ascending}."""
        numbers, found, first = np.sort(numbers), {}, 0
        for name, count in self.layers.items():
            low, high = np.searchsorted(numbers, [first, first + count])
            found[name] = torch.as_tensor(numbers[low:high] - first, device=device)
            first += count
        return found


class _Walk:
    """Steps from one set of units that are on to the next, and keeps whatever the change does not affect."""

    def __init__(self, patching: Patching, inputs: Tensor, values: Values):
        self.patching, self.inputs, self.values = patching, inputs, values
        self._on: dict[str, Tensor] = {}
        self._unions: dict[frozenset[str], tuple[list[Tensor], Tensor]] = {}
        self._kept: dict[Step, tuple[Sequence[object], Patch]] = {}

    def logits(self, on: Mapping[str, Tensor]) -> Tensor:
        """Compute logits (n, classes) with these units {layer: numbers} on and all others off."""
        for name, units in on.items():
            if name not in self._on or not torch.equal(units, self._on[name]):
                self._on[name] = units
        for step in self.patching.graph.steps:
            rows = None if step.need is None else self._union(step.need)
            given = [self._kept[other][1] for other in step.inputs]
            # Patches and sets of units that are kept are the same objects.
            key = (*given, rows, *map(self._on.get, step.own))
            if step not in self._kept or not _identical(key, self._kept[step][0]):
                self._kept[step] = key, self._made(step, given, rows)
        return self.patching.whole(step, self._kept[step][1])

    def _made(self, step: Step, given: list[Patch], rows: Tensor | None) -> Patch:
        if step.kind == "images":
            return Patch(None, self.inputs)
        if step.layer is None:
            return self.patching.step(step, given, rows)
        [before], [patch], on = step.inputs, given, self._on[step.layer]
        if step.axis == 1:
            return Patch(on, self.patching.channels(before, patch, on)) if len(on) else SAME
        count = step.size(step.axis)
        off = torch.ones(count, dtype=torch.bool, device=on.device).index_fill(0, on, False).nonzero()[:, 0]
        whole = self.patching.whole(before, patch)
        return Patch(None, clamped(whole, off, self.values[step.layer], step.axis))

    def _union(self, layers: frozenset[str]) -> Tensor:
        if len(layers) == 1:
            return self._on[next(iter(layers))]
        parts = [self._on[name] for name in layers]
        if layers not in self._unions or not _identical(parts, self._unions[layers][0]):
            self._unions[layers] = parts, torch.cat(parts).unique()
        return self._unions[layers][1]


def _identical(left: Sequence[object], right: Sequence[object]) -> bool:
    return all(one is other for one, other in zip(left, right, strict=True))


class GraphUnits:
    """Clamp each of `units` alone to its layer's value; units are numbered through `layers` {name: units}."""

    def __init__(self, graph: Graph, layers: Mapping[str, int], values: Values, units: Container[int]):
        self.graph, self.layers, self.values, self.units = graph, layers, values, units

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield (row, logits (n, classes)) on inputs (n, c, h, w): -1 with none off, then a row per unit."""
        inputs = channels_last(inputs)
        base = run(self.graph, inputs, {}, self.values)
        patching = Patching(self.graph, len(inputs), base)
        yield -1, base[self.graph.steps[-1]]
        row, first = 0, 0
        for name, count in self.layers.items():
            after = self.graph.after(name)
            for unit in range(count):
                if first + unit in self.units:
                    yield row, self._without(patching, after, name, unit)
                    row += 1
            first += count

    def _without(self, patching: Patching, after: list[Step], name: str, unit: int) -> Tensor:
        """Compute logits (n, classes) with one unit of a layer off."""
        found: dict[Step, Patch] = {}
        at = torch.tensor([unit], device=next(iter(patching.base.values())).device)
        for step in after:
            given = [found.get(other, SAME) for other in step.inputs]
            if step.kind == "units" and step.layer != name:
                found[step] = given[0]
            elif step.kind != "units":
                found[step] = patching.step(step, given)
            elif step.axis == 1 and given[0].empty:
                one = patching.base[step].index_select(1, at)
                found[step] = Patch(at, clamped(one, at - unit, _of_one(self.values[name], at)))
            else:
                whole = patching.whole(step.inputs[0], given[0])
                found[step] = Patch(None, clamped(whole, at, self.values[name], step.axis))
        return patching.whole(step, found[step])


def _of_one(value: Tensor | float, at: Tensor) -> Tensor | float:
    return value[at.to(value.device)] if isinstance(value, Tensor) else value
