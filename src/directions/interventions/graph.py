"""A network as a graph of steps, with a mark wherever the units of an ablated layer leave it.

Any network that torch.fx can trace is such a graph, including residual blocks and branches. Each step has a
kind that says what it does to single channels: `weights` mix them, `each` acts on every channel separately,
`pair` on two tensors channel by channel, and `other` runs unchanged on all of them. `patches.py` uses this.
"""

import logging
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import torch
from torch import Tensor, fx, nn
from torch.fx.node import Argument
from torch.nn import functional

from directions.core.scoring import PROBE, scaled
from directions.core.types import Images
from directions.interventions.chain import (
    NORMS,
    POOLS,
    Link,
    NoChain,
    folded,
    is_elementwise,
    weights_of,
)
from directions.interventions.conv_matrices import as_matrix
from directions.interventions.hooks import unit_axis
from directions.interventions.marking import NoGraph, marked, units
from directions.interventions.tracing import UNTRACEABLE

PAIRS = (operator.add, operator.sub, operator.mul, torch.add, torch.sub, torch.mul, "add", "sub", "mul")
FUNCTIONS = (  # of one tensor, channel by channel
    functional.relu, functional.relu6, functional.leaky_relu, functional.elu, functional.gelu,
    functional.silu, functional.mish, functional.hardswish, functional.softplus, functional.hardsigmoid,
    functional.max_pool2d, functional.avg_pool2d, functional.adaptive_avg_pool2d, functional.sigmoid,
    functional.tanh, torch.relu, torch.sigmoid, torch.tanh, "relu", "sigmoid", "tanh",
)  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Step:
    """The computation of one node.

    kind: see the module. inputs: the steps it reads. shape: of its output for `PROBE` images, None if that is
    not a tensor. layer: the layer whose units leave the network here, axis: theirs. link: the weights, norms
    folded in. need: the layers whose units are all that is read of the output; None: all of it is read.
    """

    node: fx.Node
    kind: str
    inputs: list["Step"]
    shape: tuple[int, ...] | None
    layer: str | None = None
    axis: int = 1
    link: Link | None = None
    need: frozenset[str] | None = None
    depends: frozenset[str] = field(default_factory=frozenset)  # layers before it, and its own

    @property
    def own(self) -> frozenset[str]:
        """Return the layer whose units leave the network here, as a set of one or none."""
        return frozenset() if self.layer is None else frozenset([self.layer])

    def size(self, axis: int) -> int:
        """Return the length of an axis of the output, a tensor."""
        assert self.shape is not None
        return self.shape[axis]


class Graph:
    """The steps of a network (in evaluation mode) in the order of a forward pass; the last gives the logits.

    layers: {name: number of units} of the marked layers. images: (n, c, h, w), used to infer shapes.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, int], images: Images):
        self.module = marked(model, layers)
        self._axes = {name: unit_axis(model.get_submodule(name)) for name in layers}
        self._shapes = _Shapes(self.module).of(images)
        self.caller = fx.Interpreter(self.module)
        self.steps = list(self._steps())
        if next(iter(reversed(self.module.graph.nodes))).args[0] is not self.steps[-1].node:
            raise NoGraph("its output is not a single tensor")
        missing = set(layers) - {step.layer for step in self.steps}
        if missing:
            raise NoGraph(f"the outputs of {', '.join(sorted(missing))} do not appear in it")
        _tell_needs(self.steps)

    def call(self, node: fx.Node, *tensors: Argument) -> Any:
        """Evaluate a node with these values in place of the nodes that it reads."""
        given = dict(zip(node.all_input_nodes, tensors, strict=True))
        args, kwargs = fx.map_arg((node.args, node.kwargs), given.__getitem__)
        return getattr(self.caller, node.op)(node.target, args, kwargs)

    def submodule(self, node: fx.Node) -> nn.Module | None:
        """Return the module that a node calls."""
        return self.module.get_submodule(str(node.target)) if node.op == "call_module" else None

    def after(self, layer: str) -> list[Step]:
        """List all steps that depend on the units of a layer, starting with its own mark."""
        return [step for step in self.steps if layer in step.depends]

    def _steps(self) -> Iterator[Step]:
        made: dict[fx.Node, Step] = {}
        for node in self.module.graph.nodes:
            if node.op == "output":
                return
            if self._norm_after(node):
                continue  # part of that norm's step
            read = self._folds(node) or node
            inputs = [made[other] for other in read.all_input_nodes]
            step = self._step(node, inputs)
            step.depends = step.own.union(*(other.depends for other in inputs))
            made[node] = step
            yield step

    def _step(self, node: fx.Node, inputs: list[Step]) -> Step:
        shape = self._shapes[node]
        if node.op in ("placeholder", "get_attr"):
            return Step(node, {"placeholder": "images", "get_attr": "constant"}[node.op], inputs, shape)
        if node.target is units:
            layer = str(node.args[1])
            return Step(node, "units", inputs, shape, layer, self._axes[layer])
        if (link := self._link(node)) is not None:
            return Step(node, "weights", inputs, shape, link=link)
        read = [other.shape for other in inputs if other.shape is not None]
        if shape is None or len(read) < len(inputs):
            return Step(node, "other", inputs, shape)
        if len(inputs) == 1 and self._each(node, read[0], shape):
            return Step(node, "each", inputs, shape)
        return Step(node, "pair" if self._pair(node, read, shape) else "other", inputs, shape)

    def _each(self, node: fx.Node, before: tuple[int, ...], after: tuple[int, ...]) -> bool:
        """Return whether a node acts on every channel separately."""
        if len(before) < 2 or len(after) < 2 or before[1] != after[1]:
            return False
        module = self.submodule(node)
        if module is not None:
            norm = isinstance(module, NORMS) and module.running_var is not None
            return norm or is_elementwise(module) or isinstance(module, POOLS) or is_depthwise(module)
        scaled_by = node.target in PAIRS and not node.kwargs
        mean = node.target in ("mean", torch.mean) and node.args[1:2] in (([2, 3],), ((2, 3),), ([-2, -1],))
        flat = node.target in ("flatten", torch.flatten) and node.args[1:] == (1,)
        return node.target in FUNCTIONS or scaled_by or mean or (flat and after == before[:2])

    def _pair(self, node: fx.Node, before: Sequence[tuple[int, ...]], after: tuple[int, ...]) -> bool:
        """Return whether a node acts on two tensors channel by channel."""
        if node.target not in PAIRS or node.kwargs or len(node.args) != 2 or len(before) != 2:
            return False
        return all(len(shape) == len(after) > 1 and shape[1] == after[1] for shape in before)

    def _norm_after(self, node: fx.Node) -> bool:
        """Return whether only a batch norm reads a node with weights, so that it is folded into them."""
        return len(node.users) == 1 and self._folds(next(iter(node.users))) is node

    def _folds(self, node: fx.Node) -> fx.Node | None:
        """Return the weights whose output only this batch norm reads, or None."""
        module = self.submodule(node)
        if not isinstance(module, NORMS) or module.running_var is None:
            return None
        [before] = node.all_input_nodes
        return before if len(before.users) == 1 and self._plain_link(before) else None

    def _link(self, node: fx.Node) -> Link | None:
        """Return the weights of a node, including the batch norm if the node is one."""
        weights = self._folds(node) or node
        link, norm = self._plain_link(weights), self.submodule(node)
        if link is None:
            return None
        shape = self._shapes[weights.all_input_nodes[0]]
        assert shape is not None  # else `_plain_link` finds none
        return as_matrix(folded(link, norm) if isinstance(norm, NORMS) else link, shape)

    def _plain_link(self, node: fx.Node) -> Link | None:
        """Return the weights of a node, or None if a link cannot represent them."""
        module = self.submodule(node)
        if not isinstance(module, nn.Conv2d | nn.Linear):
            return None
        if isinstance(module, nn.Conv2d) and (module.groups > 1 or module.padding_mode != "zeros"):
            return None
        before = self._shapes[node.all_input_nodes[0]]
        fits = before is not None and len(before) == (4 if isinstance(module, nn.Conv2d) else 2)
        return weights_of(module, ()) if fits else None


def find_graph(model: nn.Module, layers: Mapping[str, int], images: Images) -> Graph | None:
    """Trace a network into a graph; if torch.fx cannot, log why and return None."""
    try:
        graph = Graph(model, layers, images)
    except (*UNTRACEABLE, NoGraph, NoChain) as reason:
        log.info("ablation by hooks (slow): %s", (str(reason) or repr(reason)).splitlines()[0])
        return None
    after = [step for step in graph.steps if step.depends]
    whole = [step.node.name for step in after if step.kind == "other"]
    log.info(
        "ablation along the graph of %s: what precedes %s once, then %d layers of weights by the channels"
        " that differ; in full: %s", type(model).__name__, after[0].layer,
        sum(step.kind == "weights" for step in after), ", ".join(whole) or "nothing",
    )  # fmt: skip
    return graph


def is_depthwise(module: nn.Module | None) -> TypeGuard[nn.Conv2d]:
    """Return whether a module is a depthwise convolution."""
    if not isinstance(module, nn.Conv2d) or module.padding_mode != "zeros":
        return False
    return module.groups == module.in_channels == module.out_channels


class _Shapes(fx.Interpreter):
    """Runs a network to record the shapes of its nodes' outputs."""

    @torch.no_grad()
    def of(self, images: Images) -> dict[fx.Node, tuple[int, ...] | None]:
        """Map each node to its shape for `PROBE` of these images, or None if it returns no tensor."""
        self.found: dict[fx.Node, tuple[int, ...] | None] = {}
        [probe] = images[:PROBE].split(PROBE)
        self.run(scaled(probe))
        return self.found

    def run_node(self, n: fx.Node) -> object:
        """Run the node as `fx.Interpreter` does, and record its shape."""
        value = super().run_node(n)
        self.found[n] = tuple(value.shape) if isinstance(value, Tensor) else None
        return value


def _tell_needs(steps: list[Step]) -> None:
    """Record for every step which units are all that later steps read of it."""
    wanted: dict[Step, list[frozenset[str] | None]] = {step: [] for step in steps}
    wanted[steps[-1]].append(None)
    for step in reversed(steps):
        parts = [asked for asked in wanted[step] if asked is not None]
        # Without ablated layers before it, a step is computed once, for all points.
        in_part = step.depends and parts and len(parts) == len(wanted[step])
        step.need = frozenset[str]().union(*parts) if in_part else None
        passed = {"units": step.own, "each": step.need, "pair": step.need}.get(step.kind)
        if step.kind == "units" and step.axis != 1:
            passed = None
        for other in step.inputs:
            wanted[other].append(passed)
