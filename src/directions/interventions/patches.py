"""Ablation on any graph: compute only the channels of each tensor that differ from a known run.

A patch describes a step's output as a difference: channels `at` hold `new`, and all others equal their values
in a base run of the same network. Steps that treat every channel separately map patches to patches. Weights
add the contribution of the differing channels to the base's sums, and only in the rows that are read: before
a layer with half its units off, that is half of the sums. All other steps are given all channels.

    curves        base: all units off, so the units that are on differ. With a fraction s of them on, a
                  convolution between two layers takes s * s of its products; shortcuts are patches too.
                  What no unit affects is computed once; what did not change since the last point is kept.
    single units  base: nothing off, so a single channel differs: a thin product in the next weights, and
                  what follows them. Nothing upstream of the unit is recomputed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from directions.core.scoring import PROBE
from directions.interventions.chain import Link, Values
from directions.interventions.graph import Graph, Step, is_depthwise

NOTHING = torch.empty(0, dtype=torch.long)


@dataclass(frozen=True)
class Patch:
    """A tensor (n, channels, ...): `new` (n, k, ...) in channels `at` (k,), ascending; elsewhere the base.

    at: None for all channels. new: may be any value if the step does not return a tensor.
    """

    at: Tensor | None
    new: Tensor

    @property
    def empty(self) -> bool:
        """Return whether the patch equals the base."""
        return self.at is not None and not len(self.at)


SAME = Patch(NOTHING, NOTHING)


class Patching:
    """Runs steps of a graph on the same n images, as patches of `base` {step: tensor (n or 1, ...)}.

    Without a base, every patch has all channels.
    """

    def __init__(self, graph: Graph, count: int, base: Mapping[Step, Tensor] | None = None):
        self.graph, self.count, self.base = graph, count, base or {}
        self._zeros: dict[Step, bool] = {}

    def step(self, step: Step, given: Sequence[Patch], rows: Tensor | None = None) -> Patch:
        """Compute a step's output from its inputs; rows: the channels that are read of it, None: all."""
        if rows is not None and not len(rows):
            return SAME
        same = all(patch.empty for patch in given)
        if given and same and (step.kind in ("weights", "each", "pair") or self._complete(step)):
            return SAME
        if step.link is not None:
            return self._weights(step, step.link, given[0], rows)
        if step.kind == "each" and (at := given[0].at) is not None:
            return self._each(step, given[0], at, rows)
        if step.kind == "pair" and self.base:
            return self._pair(step, given, rows)
        tensors = (self.whole(other, patch) for other, patch in zip(step.inputs, given, strict=True))
        return Patch(None, self.graph.call(step.node, *tensors))

    def whole(self, step: Step, patch: Patch) -> Tensor:
        """Return all channels of a step's output."""
        if patch.at is None:
            return patch.new
        base = self.base[step]
        if step.kind == "constant" or step.shape is None:
            return base
        whole = base.expand(self.count, *base.shape[1:])
        return whole if patch.empty else whole.index_copy(1, patch.at, patch.new)

    def channels(self, step: Step, patch: Patch, wanted: Tensor) -> Tensor:
        """Return the wanted channels (k,) of a step's output, (n or 1, k, ...)."""
        if patch.at is wanted:
            return patch.new
        if patch.at is None:
            return patch.new.index_select(1, wanted)
        base = self.base[step].index_select(1, wanted)
        if patch.empty:
            return base.expand(self.count, *base.shape[1:])
        place = torch.searchsorted(patch.at, wanted).clamp_(max=len(patch.at) - 1)
        known = patch.at[place] == wanted
        if known.all():
            return patch.new.index_select(1, place)
        base = base.expand(self.count, *base.shape[1:])
        return base.index_copy(1, known.nonzero()[:, 0], patch.new.index_select(1, place[known]))

    def _weights(self, step: Step, link: Link, patch: Patch, rows: Tensor | None) -> Patch:
        before = step.inputs[0]
        weight, bias = link.by_unit(before.size(1)), link.bias
        if rows is not None:
            weight, bias = weight.index_select(0, rows), bias[rows]
        if patch.at is None:
            return Patch(rows, link.product(patch.new, weight, bias))
        weight = weight.index_select(1, patch.at)
        if self._zero(before):
            return Patch(rows, link.product(patch.new, weight, bias))
        change = patch.new - self.base[before].index_select(1, patch.at)
        sums = self.base[step] if rows is None else self.base[step].index_select(1, rows)
        if len(sums) == len(change):
            sums = sums.clone()
            link.add_product(sums, change, weight)
            return Patch(rows, sums)
        return Patch(rows, link.product(change, weight).add_(sums))

    def _each(self, step: Step, patch: Patch, at: Tensor, rows: Tensor | None) -> Patch:
        new, module = patch.new, self.graph.submodule(step.node)
        if rows is not None and at is not rows and not (read := torch.isin(at, rows)).all():
            at = at[read]
            new = self.channels(step.inputs[0], patch, at)
        if not len(at):
            return SAME
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            parts = (module.running_mean, module.running_var, module.weight, module.bias)
            mean, var, weight, bias = (None if part is None else part[at] for part in parts)
            made = nn.functional.batch_norm(new, mean, var, weight, bias, False, 0.0, module.eps)
            return Patch(at, made)
        if is_depthwise(module):
            bias = None if module.bias is None else module.bias[at]
            weight, stride, padding = module.weight[at], module.stride, module.padding
            made = nn.functional.conv2d(new, weight, bias, stride, padding, module.dilation, len(at))
            return Patch(at, made)
        return Patch(at, self.graph.call(step.node, new))

    def _pair(self, step: Step, given: Sequence[Patch], rows: Tensor | None) -> Patch:
        pairs = list(zip(step.inputs, given, strict=True))
        at = rows
        differing = [patch.at for patch in given if patch.at is not None]
        if rows is None and len(differing) == len(given):
            at = torch.cat(differing).unique()
        if at is None:
            return Patch(None, self.graph.call(step.node, *(self.whole(*pair) for pair in pairs)))
        return Patch(at, self.graph.call(step.node, *(self.channels(*pair, at) for pair in pairs)))

    def _complete(self, step: Step) -> bool:
        """Return whether the base holds a step's output for each image."""
        return step.shape is not None and step in self.base and len(self.base[step]) == self.count

    def _zero(self, step: Step) -> bool:
        """Return whether the base is 0 everywhere."""
        if step not in self._zeros:
            self._zeros[step] = not self.base[step].any()
        return self._zeros[step]


def clamped(activity: Tensor, units: Tensor, value: Tensor | float, axis: int = 1) -> Tensor:
    """Clamp units of an activity to a value, as `hooks.clamped` does."""
    turned = activity.movedim(axis, 1)
    if isinstance(value, Tensor):
        filled = value[units.to(value.device)].to(turned).expand(len(turned), *turned[:, units].shape[1:])
        return turned.index_copy(1, units, filled).movedim(1, axis)
    return turned.index_fill(1, units, value).movedim(1, axis)


def run(graph: Graph, inputs: Tensor, off: Mapping[str, Tensor], values: Values) -> dict[Step, Tensor]:
    """Map each step to its output for inputs (n, c, h, w), with units {layer: numbers} at their values."""
    patching = Patching(graph, len(inputs))
    found: dict[Step, Tensor] = {}
    for step in graph.steps:
        if step.kind == "images":
            found[step] = inputs
            continue
        made = patching.step(step, [Patch(None, found[other]) for other in step.inputs]).new
        if step.layer is not None and step.layer in off:
            made = clamped(made, off[step.layer], values[step.layer], step.axis)
        found[step] = made
    return found


def one_of(step: Step, value: Any) -> Any:
    """Reduce an output for `PROBE` images to the first, (1, ...); outputs without an image axis are kept."""
    same = isinstance(value, Tensor) and step.kind != "constant" and len(value.shape) and len(value) == PROBE
    return value[:1] if same else value


def channels_last(inputs: Tensor) -> Tensor:
    """Convert images (n, c, h, w) to the memory layout in which CPU convolutions are fastest."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.dim() == 4 else inputs
