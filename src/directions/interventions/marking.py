"""Trace a network with torch.fx, with a mark wherever the units of an ablated layer leave it (graph.py)."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, fx, nn
from torch.nn import functional

from directions.interventions.chain import PASSED, out_of_place
from directions.interventions.tracing import INPLACE, Tracer, in_place


class NoGraph(Exception):
    """The network cannot be turned into a graph; the message says why."""


def units(activity: Tensor, _layer: str) -> Tensor:
    """Return the activity unchanged: the mark in the graph at which the units of a layer are clamped."""
    return activity


class _Marking(Tracer):
    """Traces a network and inserts a mark after every call of a layer."""

    def __init__(self, layers: Mapping[str, int]):
        super().__init__()
        self.layers = layers

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the module as `fx.Tracer` does, then mark the output of a unit layer."""
        output = super().call_module(m, forward, args, kwargs)
        name = self.path_of_module(m)
        return (
            self.create_proxy("call_function", units, (output, name), {}) if name in self.layers else output
        )


def marked(model: nn.Module, layers: Mapping[str, int]) -> fx.GraphModule:
    """Trace the network with marks, leaving out whatever does nothing in evaluation mode or works in place.

    Raises NoGraph if other nodes rely on an operation in place, and what torch.fx raises.
    """
    tracer = _Marking(layers)
    graph = tracer.trace(model)
    modules = dict(tracer.root.named_modules())
    for node in list(graph.nodes):
        off = node.target is functional.dropout and node.kwargs.get("training") is False
        if off or (node.op == "call_module" and isinstance(modules[node.target], PASSED)):
            node.replace_all_uses_with(node.all_input_nodes[0])
            graph.erase_node(node)
    module = fx.GraphModule(tracer.root, graph, type(model).__name__).eval()
    _without_effects(module)
    return module


def _without_effects(module: fx.GraphModule) -> None:
    """Replace in-place operations by out-of-place ones; NoGraph if other nodes rely on them."""
    nodes = list(module.graph.nodes)
    place = {node: number for number, node in enumerate(nodes)}
    modules = dict(module.named_modules())
    for node in nodes:
        if not in_place(node, modules):
            continue
        if any(place[user] > place[node] for user in node.args[0].users):
            raise NoGraph(f"{node.target} changes a tensor in place that is read again later")
        if node.op == "call_module":
            module.add_submodule(node.target, out_of_place(modules[node.target]))
        elif node.kwargs.get("inplace") is True:
            node.kwargs = node.kwargs | {"inplace": False}
        elif node.target in INPLACE and node.target is not operator.setitem:
            node.target = getattr(operator, node.target.__name__.removeprefix("i"))
        elif node.op == "call_method":
            node.target = node.target.rstrip("_")
        else:
            raise NoGraph(f"{node.target} changes its input in place")
    module.graph.eliminate_dead_code()
    module.recompile()
