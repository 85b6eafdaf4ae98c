"""Replace functional pooling, flattening and dropout by modules, which `chain` can follow.

Nothing else changes: a network that ends in `self.fc(x.view(x.size(0), -1))` can then be ablated as a chain,
like one that ends in `nn.Sequential(nn.Flatten(), fc)`.
"""

import operator
from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor, fx, nn
from torch.fx.node import Argument
from torch.nn import functional

from directions.interventions.tracing import UNTRACEABLE, first_input, in_place
from directions.interventions.tracing import traced as followed

Sizes = int | tuple[int, ...]

POOLS: Mapping[object, Callable[..., nn.Module]] = {
    functional.max_pool2d: nn.MaxPool2d,
    functional.avg_pool2d: nn.AvgPool2d,
    functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
}
RESHAPES = ("view", "reshape", torch.reshape)
MEANS = ("mean", torch.mean)
POSITIONS = [[2, 3], [-2, -1]]  # height and width


class Recorder(fx.Interpreter):
    """Runs a traced network and records the sizes that it computes: integers, or tuples of them."""

    def sizes(self, example: Tensor) -> dict[fx.Node, Sizes]:
        """Return {node: sizes} for examples (n, ...)."""
        self.found: dict[fx.Node, Sizes] = {}
        with torch.no_grad():
            self.run(example.clone())
        return self.found

    def run_node(self, n: fx.Node) -> object:
        """Run a node as `fx.Interpreter` does, and record its value if it is a size."""
        value = super().run_node(n)
        if isinstance(value, int) or (isinstance(value, tuple) and all(isinstance(v, int) for v in value)):
            self.found[n] = value
        return value


def as_modules(network: nn.Module, layers: Collection[str], example: Tensor) -> nn.Module:
    """Return the network with modules for these functions, or itself if it has none or cannot be traced.

    network: in evaluation mode. layers: modules that must still be called. example: (n, ...); the outputs
    for it must stay the same.
    """
    try:
        traced = followed(network)
        called = {node.target for node in traced.graph.nodes if node.op == "call_module"}
        sizes = _sizes(traced, example)
        replaced = [_replaced(node, traced, sizes) for node in list(traced.graph.nodes)]
        if not any(replaced) or not set(layers) <= called:
            return network
        modules = dict(traced.named_modules())
        # An operation in place, `h.clamp_(max=2)`, has an effect even if its result is unused.
        traced.graph.eliminate_dead_code(lambda node: node.is_impure() or in_place(node, modules))
        traced.recompile()
        with torch.no_grad():
            before, after = network(example.clone()), traced.eval()(example.clone())
        torch.testing.assert_close(before, after)
    except (*UNTRACEABLE, AssertionError):
        return network
    return traced


def _sizes(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, Sizes]:
    """Return {node: value} for sizes other than the number of examples, such as x.size(3)."""
    recorder = Recorder(traced.eval())
    few, more = (recorder.sizes(batch) for batch in (example, torch.cat([example, example[:1]])))
    return {node: value for node, value in few.items() if more[node] == value}


def _replaced(node: fx.Node, traced: fx.GraphModule, sizes: Mapping[fx.Node, Sizes]) -> bool:
    """Replace a functional call by a module, or remove a dropout; return whether this node was one."""
    if node.target is functional.dropout and node.kwargs.get("training") is False:
        node.replace_all_uses_with(first_input(node))
        traced.graph.erase_node(node)
        return True
    if node.op not in ("call_function", "call_method"):
        return False
    args, kwargs = fx.map_arg((node.args[1:], node.kwargs), lambda other: sizes.get(other, other))
    module = _as_module(node.target, args, kwargs)
    if module is None:
        return False
    name = f"{node.name}_module"
    traced.add_submodule(name, module)
    with traced.graph.inserting_after(node):
        node.replace_all_uses_with(traced.graph.call_module(name, node.args[:1]))
    traced.graph.erase_node(node)
    return True


def _as_module(
    function: object, args: tuple[Argument, ...], kwargs: Mapping[str, Argument]
) -> nn.Module | None:
    """Return the module that applies this function to its first argument; None if there is none."""
    unknown: list[fx.Node] = []
    fx.map_arg((args, kwargs), unknown.append)
    constant = not unknown
    if function in POOLS and constant and not kwargs.get("return_indices"):
        return POOLS[function](*args, **{key: kwargs[key] for key in kwargs if key != "return_indices"})
    if function in MEANS and constant and _over_positions(*args, **kwargs):
        keeps = kwargs.get("keepdim") or args[1:] == (True,)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Identity() if keeps else nn.Flatten())
    return nn.Flatten() if function in RESHAPES and _flattens(args) else None


def _over_positions(dim: object = None, keepdim: object = False, **others: object) -> bool:
    """Return whether a mean with these arguments is over the positions of a feature map."""
    return isinstance(dim, tuple | list) and sorted(dim) in POSITIONS and not others


def _flattens(args: tuple[Argument, ...]) -> bool:
    """Return whether arguments flatten, as in x.view(x.size(0), -1) or x.view(-1, 400)."""
    shape = args[0] if len(args) == 1 and isinstance(args[0], tuple) else args
    if len(shape) != 2 or not isinstance(shape[1], int):
        return False
    return shape[0] == -1 if isinstance(shape[0], int) else _counts_examples(shape[0])


def _counts_examples(node: object) -> bool:
    """Return whether a node is x.size(0) or x.shape[0]."""
    if not isinstance(node, fx.Node) or node.args[1:] != (0,):
        return False
    return node.target == "size" or (node.target is operator.getitem and "shape" in first_input(node).args)
