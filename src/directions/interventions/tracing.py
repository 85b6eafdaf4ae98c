"""Trace networks with torch.fx as called with nothing but images."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn

# What fx raises for networks that it cannot trace, such as those that branch on their input or check it.
UNTRACEABLE = (fx.proxy.TraceError, TypeError, RuntimeError, AttributeError, ValueError, AssertionError)
INPLACE = (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.setitem)
OPTION = "inplace"  # attribute of PyTorch's activations: whether they change their input


class Tracer(fx.Tracer):
    """Passes only images to a network: further arguments keep their defaults, such as None."""

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        """Trace a network, and undo what its forward() assigned meanwhile: proxies, not tensors."""
        kept = [held for module in root.modules() for held in (vars(module), module._buffers)]
        before = [dict(held) for held in kept]
        try:
            return super().trace(root, concrete_args)
        finally:
            for held, old in zip(kept, before, strict=True):
                held.update(old)
                for name in [name for name, value in held.items() if isinstance(value, fx.Proxy)]:
                    del held[name]

    def create_args_for_root(
        self,
        root_fn: Callable[..., Any],
        is_module: bool,
        concrete_args: dict[str, Any] | tuple[Any, ...] | None = None,
    ) -> tuple[Any, list[Any]]:
        """Return what to call, and with which proxies; see `fx.Tracer`."""
        _, proxies = super().create_args_for_root(root_fn, is_module, concrete_args)
        given = 2 if is_module else 1  # the network itself, images
        for proxy in proxies[given:]:
            self.graph.erase_node(proxy.node)
        return root_fn, proxies[:given]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Treat this project's activations, marked `elementwise`, like PyTorch's modules."""
        return getattr(m, "elementwise", False) or super().is_leaf_module(m, module_qualified_name)


def traced(network: nn.Module) -> fx.GraphModule:
    """Return the network as a graph; raises one of `UNTRACEABLE` if fx cannot trace it."""
    tracer = Tracer()
    graph = tracer.trace(network)
    return fx.GraphModule(tracer.root, graph, type(network).__name__)


def in_place(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Return whether a node changes its first argument: `h.relu_()`, `h += x`, `relu(h, inplace=True)`."""
    if node.op == "call_module":
        return bool(getattr(modules.get(str(node.target)), OPTION, False))
    if node.op not in ("call_function", "call_method"):
        return False
    name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
    special = name.startswith("__")
    return (
        node.target in INPLACE
        or (name.endswith("_") and not special)
        or node.kwargs.get("inplace") is True
        or any(value is not None for key, value in node.kwargs.items() if key == "out")
    )


def first_input(node: fx.Node) -> fx.Node:
    """Return the node whose value a node takes as its first argument."""
    first = node.args[0] if node.args else node.kwargs.get("input")
    assert isinstance(first, fx.Node), f"{node} takes no tensor first"
    return first


def make_in_place(module: nn.Module, inplace: bool) -> None:
    """Let an activation change its input, or return a new tensor."""
    setattr(module, OPTION, inplace)


def ancestors(wanted: Iterable[fx.Node]) -> set[fx.Node]:
    """Return these nodes and all that they depend on."""
    found, waiting = set(), list(wanted)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.all_input_nodes
    return found


def descendants(first: fx.Node) -> set[fx.Node]:
    """Return all nodes that depend on this one."""
    found, waiting = set(), [first]
    while waiting:
        users = [user for user in waiting.pop().users if user not in found]
        found.update(users)
        waiting += users
    return found


def unassigned(
    graph: fx.Graph, wanted: Sequence[fx.Node], modules: Mapping[str, nn.Module]
) -> Iterator[fx.Node]:
    """Yield in-place operations before the last of `wanted`, even those whose result is never read."""
    after = descendants(wanted[0])
    nodes = list(graph.nodes)
    for node in nodes[: max(map(nodes.index, wanted))]:
        if node not in after and in_place(node, modules):
            yield node


def subgraph(network: fx.GraphModule, wanted: list[fx.Node]) -> fx.GraphModule:
    """Extract a module that computes these nodes and returns them as a tuple, in the given order."""
    graph, modules = network.graph, dict(network.named_modules())
    needed = ancestors([*wanted, *unassigned(graph, wanted, modules)])
    part = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = part.node_copy(node, lambda known: copies[known])
    part.output(tuple(copies[node] for node in wanted))
    return fx.GraphModule(network, part).eval()


def reassigned(network: fx.GraphModule, node: fx.Node, result: fx.Node) -> None:
    """Redirect later readers of the tensor that `node` changed in place to `result`."""
    changed = first_input(node)
    later = False
    for other in network.graph.nodes:
        if later and other is not result:
            other.replace_input_with(changed, result)
        later = later or other is node


@torch.no_grad()
def same(left: nn.Module, right: nn.Module, images: torch.Tensor) -> bool:
    """Return whether two networks return the same tensor for images, up to rounding."""
    answers = left(images.clone()), right(images.clone())
    return not isinstance(answers[1], torch.Tensor) or torch.allclose(
        *answers, rtol=1e-4, atol=1e-5, equal_nan=True
    )
