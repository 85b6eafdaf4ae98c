"""Pooling, flattening and dropout that a network calls as functions, made modules that `chains` can follow.

Nothing else changes: a network that ends in `self.fc(x.view(x.size(0), -1))` is then ablated along a chain,
like one that ends in `nn.Sequential(nn.Flatten(), fc)`.
"""

import operator
from collections.abc import Collection

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from directions.tracing import UNTRACEABLE
from directions.tracing import traced as followed

POOLS = {
    functional.max_pool2d: nn.MaxPool2d,
    functional.avg_pool2d: nn.AvgPool2d,
    functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
}
RESHAPES = ("view", "reshape", torch.reshape)


def as_modules(network: nn.Module, layers: Collection[str], example: Tensor) -> nn.Module:
    """The network with modules for such functions; itself where there are none, or it cannot be traced.

    network: in evaluation mode. layers: modules that must go on being called. example: (n, ...), for which
    the answers must stay the same.
    """
    try:
        traced = followed(network)
        called = {node.target for node in traced.graph.nodes if node.op == "call_module"}
        replaced = [_replaced(node, traced) for node in list(traced.graph.nodes)]
        if not any(replaced) or not set(layers) <= called:
            return network
        traced.graph.eliminate_dead_code()
        traced.recompile()
        with torch.no_grad():
            before, after = network(example.clone()), traced.eval()(example.clone())
        torch.testing.assert_close(before, after)
    except (*UNTRACEABLE, AssertionError):
        return network
    return traced


def _replaced(node: fx.Node, traced: fx.GraphModule) -> bool:
    """Whether a module, or for dropout nothing, now stands where this node called a function."""
    if node.target is functional.dropout and node.kwargs.get("training") is False:
        node.replace_all_uses_with(node.args[0])
        traced.graph.erase_node(node)
        return True
    constant = not any(isinstance(value, fx.Node) for value in (*node.args[1:], *node.kwargs.values()))
    if node.target in POOLS and constant and not node.kwargs.get("return_indices"):
        settings = {key: value for key, value in node.kwargs.items() if key != "return_indices"}
        module = POOLS[node.target](*node.args[1:], **settings)
    elif _flattens(node):
        module = nn.Flatten()
    else:
        return False
    name = f"{node.name}_module"
    traced.add_submodule(name, module)
    with traced.graph.inserting_after(node):
        node.replace_all_uses_with(traced.graph.call_module(name, node.args[:1]))
    traced.graph.erase_node(node)
    return True


def _flattens(node: fx.Node) -> bool:
    """Whether a node is like x.view(x.size(0), -1), x.reshape(x.shape[0], -1) or x.view(-1, 400)."""
    shape = node.args[1] if len(node.args) == 2 and isinstance(node.args[1], tuple) else node.args[1:]
    if node.target not in RESHAPES or len(shape) != 2 or not isinstance(shape[1], int):
        return False
    return shape[0] == -1 if isinstance(shape[0], int) else _counts_examples(shape[0])


def _counts_examples(node: object) -> bool:
    """Whether a node is x.size(0) or x.shape[0]."""
    if not isinstance(node, fx.Node) or node.args[1:] != (0,):
        return False
    return node.target == "size" or (node.target is operator.getitem and "shape" in node.args[0].args)
