"""Trace networks with torch.fx as called with nothing but images."""

import operator
from collections.abc import Collection, Iterable, Iterator

import torch
from torch import fx, nn

# What fx raises for networks that it cannot trace, such as those that branch on their input or check it.
UNTRACEABLE = (fx.proxy.TraceError, TypeError, RuntimeError, AttributeError, ValueError, AssertionError)
INPLACE = (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.setitem)


class Tracer(fx.Tracer):
    """Passes only images to a network: further arguments keep their defaults, such as None."""

    def trace(self, root, concrete_args=None):
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

    def create_args_for_root(self, root_fn, is_module, concrete_args=None):
        """Return what to call, and with which proxies; see `fx.Tracer`."""
        _, proxies = super().create_args_for_root(root_fn, is_module, concrete_args)
        given = 2 if is_module else 1  # the network itself, images
        for proxy in proxies[given:]:
            self.graph.erase_node(proxy.node)
        return root_fn, proxies[:given]

    def is_leaf_module(self, m, module_qualified_name):
        """Treat this project's activations, marked `elementwise`, like PyTorch's modules."""
        return getattr(m, "elementwise", False) or super().is_leaf_module(m, module_qualified_name)


def traced(network: nn.Module) -> fx.GraphModule:
    """Return the network as a graph; raises one of `UNTRACEABLE` if fx cannot trace it."""
    tracer = Tracer()
    graph = tracer.trace(network)
    return fx.GraphModule(tracer.root, graph, type(network).__name__)


def in_place(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    """Return whether a node changes its first argument: `h.relu_()`, `h += x`, `relu(h, inplace=True)`."""
    if node.op == "call_module":
        return bool(getattr(modules.get(str(node.target)), "inplace", False))
    if node.op not in ("call_function", "call_method"):
        return False
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    special = name.startswith("__")
    return (
        node.target in INPLACE
        or (name.endswith("_") and not special)
        or node.kwargs.get("inplace") is True
        or any(value is not None for key, value in node.kwargs.items() if key == "out")
    )


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


def unassigned(graph: fx.Graph, wanted: Collection[fx.Node], modules: dict) -> Iterator[fx.Node]:
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
    part, copies = fx.Graph(), {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = part.node_copy(node, lambda known: copies[known])
    part.output(tuple(copies[node] for node in wanted))
    return fx.GraphModule(network, part).eval()


def reassigned(network: fx.GraphModule, node: fx.Node, result: fx.Node) -> None:
    """Redirect later readers of the tensor that `node` changed in place to `result`."""
    changed = node.args[0]
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
