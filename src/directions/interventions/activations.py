"""Turn every call of an activation into a module, so that hooks can observe and change its output.

Many networks call `relu(self.fc1(x))`, or reuse one `self.relu`. The network is traced with torch.fx, and
every such call becomes a module. The network computes the same as before.
"""

import copy
import logging
import re
from collections import Counter
from collections.abc import Mapping

from torch import Tensor, fx, nn
from torch.fx.node import Argument
from torch.nn import functional

from directions.core.errors import InputError
from directions.interventions.names import ACTIVATIONS
from directions.interventions.tracing import UNTRACEABLE, first_input, in_place, reassigned
from directions.interventions.tracing import traced as followed

log = logging.getLogger(__name__)

MODULES = {
    nn.ReLU: "relu", nn.GELU: "gelu", nn.SiLU: "silu", nn.ELU: "elu", nn.LeakyReLU: "leaky_relu",
    nn.ReLU6: "relu6", nn.Hardswish: "hardswish", nn.Mish: "mish", nn.Softplus: "softplus", nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid", nn.PReLU: "prelu", nn.RReLU: "rrelu", nn.SELU: "selu", nn.CELU: "celu",
    nn.Hardtanh: "hardtanh", nn.Hardsigmoid: "hardsigmoid", nn.LogSigmoid: "logsigmoid",
    nn.Softsign: "softsign", nn.Tanhshrink: "tanhshrink", nn.Softshrink: "softshrink",
    nn.Hardshrink: "hardshrink", nn.Threshold: "threshold",
}  # fmt: skip
SPELT = {"log_sigmoid": "logsigmoid"}  # functions of torch whose own name differs
PASSED = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
)  # fmt: skip  (modules allowed between a layer of weights and its activation)


class Applied(nn.Module):
    """An activation function with its arguments, as a module."""

    elementwise = True

    def __init__(self, name: str, args: tuple[Argument, ...], kwargs: Mapping[str, Argument]):
        super().__init__()
        self.name, self.args = name, args
        self.kwargs = {key: value for key, value in kwargs.items() if key not in ("input", "inplace")}

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to a tensor of any shape."""
        applied: Tensor = getattr(functional, self.name)(x, *self.args, **self.kwargs)
        return applied


def separated(network: nn.Module) -> fx.GraphModule:
    """Return the network, in evaluation mode, with one module per call of an activation.

    The first call of a module keeps its name, later ones become name_2, name_3, ...; a functional call is
    named after the module that it follows, fc1_relu, or the operation in its block, layer3.2.add_relu.
    Raises InputError if torch.fx cannot trace the network.
    """
    try:
        traced = followed(network.eval())
    except UNTRACEABLE as error:
        raise InputError(
            "torch.fx cannot trace this network to find where its activations are called"
            f" ({str(error).splitlines()[0]}): give every activation its own module, such as"
            " self.relu1 = nn.ReLU(), called once, and list these modules as layers"
        ) from error
    modules = dict(traced.named_modules())
    taken = Counter(modules)
    seen: set[str] = set()
    for node in list(traced.graph.nodes):
        name = kind(node, traced)
        if name is None and node.op != "call_module" and _function(node) and _learned(node):
            log.warning(
                "%s after %s is not among the activations, as its parameters are computed or learned: make it"
                " a module such as nn.PReLU, called once, to have its units", _function(node), _before(node),
            )  # fmt: skip
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
            made = traced.graph.call_module(target, (first_input(node),))
        if in_place(node, modules):
            reassigned(traced, node, made)
        node.replace_all_uses_with(made)
        traced.graph.erase_node(node)
    traced.recompile()
    return traced.eval()


def named(network: nn.Module) -> nn.Module:
    """Return the network, with the activation of PyTorch's transformer layers as the module `activation`.

    There it is a plain function without a module name, and torch.fx cannot trace into these layers.
    """
    for module in network.modules():
        if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            name = getattr(module.activation, "__name__", "")
            if getattr(functional, name, None) is module.activation and name in ACTIVATIONS:
                module.activation = nn.ReLU() if name == "relu" else Applied(name, (), {})
    return network


def kind(node: fx.Node, network: nn.Module) -> str | None:
    """Return the name of the activation that a node calls, as module, function or method; else None."""
    if node.op == "call_module":
        return name_of(network.get_submodule(str(node.target)))
    return None if _learned(node) else _function(node)


def _function(node: fx.Node) -> str | None:
    """Return the name of the activation that a node calls as function or method; else None."""
    if node.op == "call_function":
        name = getattr(node.target, "__name__", "").strip("_")
    else:
        name = str(node.target).strip("_") if node.op == "call_method" else ""
    name = SPELT.get(name, name)
    return name if name in ACTIVATIONS else None


def _learned(node: fx.Node) -> bool:
    """Return whether a call has arguments that the network computes or learns, as in prelu(x, self.slope)."""
    given = (*node.args[1:], *(value for key, value in node.kwargs.items() if key != "input"))
    return any(isinstance(value, fx.Node) for value in given)


def name_of(module: nn.Module) -> str | None:
    """Return the name of the activation that a module implements; else None."""
    return module.name if isinstance(module, Applied) else MODULES.get(type(module))


def _before(node: fx.Node) -> str:
    """Return the module that feeds a node, or the name of the operation, prefixed by the block calling it.

    The last sum of a residual block is thus layer3.2.add, however many layers come before it.
    """
    before = first_input(node)
    if before.op == "call_module":
        return str(before.target)
    name = re.sub(r"_\d+$", "", before.name).strip("_")
    blocks = list(before.meta.get("nn_module_stack", {}).values())
    block = blocks[-1][0] if blocks else ""
    return ".".join(filter(None, (block, {"iadd": "add"}.get(name, name))))


def _free(target: str, taken: Counter[str]) -> str:
    """Return `target`, numbered if that name is taken."""
    stem, number = (target[:-2], 2) if target.endswith("_2") else (target, 1)
    while target in taken:
        number += 1
        target = f"{stem}_{number}"
    taken[target] += 1
    return target


def following(traced: fx.GraphModule, layer: str, activation: str) -> str:
    """Return the name of the module, after `separated`, that applies `activation` to the output of `layer`.

    Raises InputError if something else follows.
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
        hint = f"; the {activation} after that is called {later[0]}: list it with none" if later else ""
        raise InputError(f"layer {layer} is followed by {what}, not by {activation}{hint}")
    raise InputError(
        f"the output of layer {layer} is used {len(node.users)} times, so {activation} does not simply follow"
    )
