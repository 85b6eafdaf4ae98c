"""A module of its own for every call of an activation, so that its outputs can be observed and changed.

Many networks call `relu(self.fc1(x))`, or one `self.relu` in several places. The network is followed with
torch.fx, and every such call becomes a module. What the network computes stays the same.
"""

import copy
import re
from collections import Counter

from torch import Tensor, fx, nn
from torch.nn import functional

from directions.analyses import ACTIVATIONS
from directions.errors import InputError
from directions.tracing import UNTRACEABLE, in_place, reassigned
from directions.tracing import traced as followed

MODULES = {
    nn.ReLU: "relu", nn.GELU: "gelu", nn.SiLU: "silu", nn.ELU: "elu", nn.LeakyReLU: "leaky_relu",
    nn.ReLU6: "relu6", nn.Hardswish: "hardswish", nn.Mish: "mish", nn.Softplus: "softplus", nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
}  # fmt: skip
PASSED = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
)  # fmt: skip  (what may stand between weights and the activation that is meant)


class Applied(nn.Module):
    """An activation function with its arguments, as a module."""

    elementwise = True

    def __init__(self, name: str, args: tuple, kwargs: dict):
        super().__init__()
        self.name, self.args = name, args
        self.kwargs = {key: value for key, value in kwargs.items() if key != "inplace"}

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape."""
        return getattr(functional, self.name)(x, *self.args, **self.kwargs)


def separated(network: nn.Module) -> fx.GraphModule:
    """The same network with a module for every call of an activation, in evaluation mode.

    The first call of a module keeps its name, later ones are name_2, name_3, ...; a call of a function takes
    the name of the module that it follows, fc1_relu, or of what it follows in its block, layer3.2.add_relu.
    Raises InputError where fx cannot follow the network.
    """
    try:
        traced = followed(network.eval())
    except UNTRACEABLE as error:
        raise InputError(
            "this network cannot be followed by torch.fx to where its activations are called"
            f" ({str(error).splitlines()[0]}): give every activation a module of its own, such as"
            " self.relu1 = nn.ReLU(), called once, and name these as layers"
        ) from error
    modules = dict(traced.named_modules())
    taken = Counter(modules)
    seen: set[str] = set()
    for node in list(traced.graph.nodes):
        name = kind(node, traced)
        if name is None or (node.op == "call_module" and node.target not in seen):
            seen.add(node.target)
            continue
        if node.op == "call_module":
            module, target = copy.deepcopy(traced.get_submodule(node.target)), f"{node.target}_2"
        else:
            module = nn.ReLU() if name == "relu" else Applied(name, node.args[1:], dict(node.kwargs))
            target = f"{_before(node)}_{name}"
        target = _free(target, taken)
        traced.add_submodule(target, module)
        with traced.graph.inserting_after(node):
            made = traced.graph.call_module(target, (node.args[0],))
        if in_place(node, modules):
            reassigned(traced, node, made)
        node.replace_all_uses_with(made)
        traced.graph.erase_node(node)
    traced.recompile()
    return traced.eval()


def named(network: nn.Module) -> nn.Module:
    """The same network; in transformer layers of PyTorch's the activation becomes the module `activation`.

    There it is a function, which has no name, and torch.fx cannot follow these layers to where it is called.
    """
    for module in network.modules():
        if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            name = getattr(module.activation, "__name__", "")
            if getattr(functional, name, None) is module.activation and name in ACTIVATIONS:
                module.activation = nn.ReLU() if name == "relu" else Applied(name, (), {})
    return network


def kind(node: fx.Node, network: nn.Module) -> str | None:
    """The name of the activation that a node calls, as module, function or method; else None."""
    if node.op == "call_module":
        return name_of(network.get_submodule(node.target))
    if node.op == "call_function":
        name = getattr(node.target, "__name__", "")
    else:
        name = node.target if node.op == "call_method" else ""
    name = name.rstrip("_")
    return name if name in ACTIVATIONS else None


def name_of(module: nn.Module) -> str | None:
    """The name of the activation that a module is; else None."""
    return module.name if isinstance(module, Applied) else MODULES.get(type(module))


def _before(node: fx.Node) -> str:
    """The module whose output a node takes; of a function what it does, in the block that calls it.

    So the last sum of a residual block is layer3.2.add, however deep the network is before it.
    """
    before = node.args[0]
    if before.op == "call_module":
        return str(before.target)
    name = re.sub(r"_\d+$", "", before.name).strip("_")
    blocks = list(before.meta.get("nn_module_stack", {}).values())
    block = blocks[-1][0] if blocks else ""
    return ".".join(filter(None, (block, {"iadd": "add"}.get(name, name))))


def _free(target: str, taken: Counter) -> str:
    """`target`, or the same with the next number where that name is taken."""
    stem, number = (target[:-2], 2) if target.endswith("_2") else (target, 1)
    while target in taken:
        number += 1
        target = f"{stem}_{number}"
    taken[target] += 1
    return target


def following(traced: fx.GraphModule, layer: str, activation: str) -> str:
    """The name of the module, after `separated`, that applies `activation` to what `layer` returns.

    Raises InputError where something else follows.
    """
    nodes = [node for node in traced.graph.nodes if node.op == "call_module" and node.target == layer]
    if len(nodes) != 1:
        raise InputError(f"layer {layer} is called {len(nodes)} times: name one that is called once")
    [node] = nodes
    while len(node.users) == 1:
        [node] = node.users
        if (found := kind(node, traced)) == activation:
            return str(node.target)
        if node.op == "call_module" and isinstance(traced.get_submodule(node.target), PASSED):
            continue
        what = found or getattr(node.target, "__name__", node.target)
        later = [str(user.target) for user in node.users if kind(user, traced) == activation]
        hint = f"; what {activation} returns then is called {later[0]}: name it with none" if later else ""
        raise InputError(f"layer {layer} is followed by {what}, not by {activation}{hint}")
    raise InputError(
        f"layer {layer} is read in {len(node.users)} places, so {activation} does not simply follow"
    )
