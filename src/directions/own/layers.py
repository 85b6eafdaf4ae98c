"""Layers of units of any network: which they are, along which axis their units lie, what feeds them.

A unit is one neuron of a dense layer or one feature map of a convolution. A dense layer has its units on the
last axis of its output, also where it acts on every token or position, (examples, tokens, units); a
convolution has them on axis 1, (examples, units, height, width). An activation follows the layer of weights
that was called last before it: GELU after a dense layer in a channels-last block has units on the last axis.
What is clamped, made noisy or measured is the unit at all tokens or positions together.
"""

import difflib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor, nn

from directions import proof
from directions.errors import InputError
from directions.own import activations, answers, functions, patterns
from directions.own.feeding import weights_of as feeding_weights
from directions.own.given import check_still, copied, layer_name, plain
from directions.seeds import torch_stream
from directions.tracing import same
from directions.units import Network

log = logging.getLogger(__name__)

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
PROBE = 2  # examples with which a network is tried
AS_IS = "none"  # the activation of layers whose outputs are units as they come
BRANCHES = 3  # layers of weights before one of units that may feed it
SHOWN = 20  # layers named in an error
SIZES = (1.0, 10.0)  # of the numbers, normal ones, with which operations in place are tried
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

Layers = str | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One call of a module in a forward pass."""

    name: str
    module: nn.Module
    output: object


def find(network: nn.Module, wanted: Layers, shape: Sequence[int], classes: int | None = None) -> Network:
    """The network with the units of the layers wanted; it is changed where `activations.separated` is needed.

    wanted: names of modules whose outputs are units, with patterns as `patterns.expanded` takes them, or
    {module: activation that follows it}, "none" for its output as it comes. shape: of one example, without
    the examples' axis. classes: of the data, where they are known (see `answers.alone`). Raises InputError
    for a layer that does not exist (naming those that do, the nearest first), is not called just once, or
    whose units cannot be told.
    """
    network = plain(network).eval()
    check_still(network)
    example = torch.rand(PROBE, *shape, generator=torch_stream("example"))
    _calls(network, example)  # a first pass, in which lazy modules find their shapes
    network = answers.alone(network.requires_grad_(False), example, classes)
    if patterns.asked(wanted):
        shown = catalogue(network, shape)
        modules = _once(_calls(network, example))
        wanted = patterns.expanded(wanted, list(shown.loc[shown["activation"], "layer"]), modules)
    asked = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(wanted, AS_IS)
    known = dict(network.named_modules())
    asked = {layer_name(name, known): activation for name, activation in asked.items()}
    as_given = copied(network)
    _out_of_place(network, example)
    calls = _calls(network, example)
    simple = set(asked.values()) == {AS_IS} and set(asked) <= set(_once(calls))
    parts = (network, list(asked), calls) if simple else _separated(network, asked, example)
    found = _measured(*parts, example)
    model = functions.as_modules(found.model, found.layers, example)
    return replace(found, model=model, original=as_given)


def _out_of_place(network: nn.Module, example: Tensor) -> None:
    """Let activations return new tensors, unless the network's answers depend on their changing old ones.

    Tried with numbers of both signs and several sizes: an activation may leave those in 0..1 as they are.
    """
    modules = [module for module in network.modules() if getattr(module, "inplace", False)]
    if not modules:
        return
    _calls(network, example)
    noise = torch.randn(example.shape, generator=torch_stream("example"))
    tried = [example, *(noise * size for size in SIZES)]
    before = [network(images.clone()) for images in tried]
    for module in modules:
        module.inplace = False
    pairs = zip((network(images.clone()) for images in tried), before, strict=True)
    if any(isinstance(old, Tensor) and not proof.agree(new, old) for new, old in pairs):
        for module in modules:
            module.inplace = True  # `self.relu(h)`, its result not assigned


def catalogue(network: nn.Module, shape: Sequence[int]) -> pd.DataFrame:
    """Columns layer, module, output, units, activation: all layers that `find` takes, in forward order.

    shape: of one example; output: the same of what the layer returns. Activations that are called as
    functions are missing where torch.fx cannot follow the network, which the log says. Raises InputError for
    a shape that the network does not take.
    """
    example = torch.rand(PROBE, *shape, generator=torch_stream("example"))
    _calls(network.eval(), example)
    try:
        network = activations.separated(network)
    except InputError as error:
        log.warning("activations that are called as functions are not shown: %s", error)
    calls, feeding, rows = _calls(network, example), None, []
    for place, call in enumerate(calls):
        if _weighs(call.module):
            feeding = place
        if feeding is None or sum(other.name == call.name for other in calls) > 1:
            continue
        try:
            axis = _axis(call, calls[feeding])
        except InputError:
            continue  # its units cannot be told
        kind = activations.name_of(call.module)
        shape = "x".join(map(str, call.output.shape[1:]))
        rows.append(
            (call.name, kind or type(call.module).__name__, shape, call.output.shape[axis], bool(kind))
        )
    return pd.DataFrame(rows, columns=["layer", "module", "output", "units", "activation"])


def _separated(network: nn.Module, asked: dict[str, str], example: Tensor) -> tuple:
    """(network with an own module for every call of an activation, its layers wanted, its calls)."""
    existing = dict(network.named_modules())
    if (unknown := next((name for name in asked if name not in existing), None)) and set(asked.values()) == {
        AS_IS
    }:
        try:
            traced = activations.separated(network)
        except InputError as error:
            raise InputError(f"{_no_layer(unknown, existing)} ({error})") from error
    else:
        traced = activations.separated(network)
    if not same(traced, network, example):
        raise InputError(
            "this network computes something else when followed by torch.fx, perhaps because it draws"
            " numbers: give every activation a module of its own, called once, and name these as layers"
        )
    calls = _calls(traced, example)
    called = {call.name for call in calls}
    for name in asked:
        if name not in called and name in existing:
            within = [call for call in calls if call.name.startswith(f"{name}.")]
            found = [call.name for call in within if activations.name_of(call.module)]
            hint = f"the last activation in it, {found[-1]}" if found else f"one of {_nearest(name, called)}"
            raise InputError(
                f"layer {name} is a block, or is never called; where activations need modules of their own,"
                f" name {hint}"
            )
        if name not in called:
            raise InputError(_no_layer(name, called))
    layers = [
        name if activation == AS_IS else activations.following(traced, name, activation)
        for name, activation in asked.items()
    ]
    return traced, layers, calls


def _no_layer(name: str, known: Iterable[str]) -> str:
    return f"no layer {name!r}: layers of this network are {_nearest(name, known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """The layers that there are, those first that are most like `name`."""
    ranked = difflib.get_close_matches(name, sorted(filter(None, known)), n=10**6, cutoff=0.0)
    more = f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
    return f"{', '.join(ranked[:SHOWN])}{more}"


def _calls(network: nn.Module, example: Tensor) -> list[Call]:
    """All calls of modules for these examples, in the order in which they end."""
    calls: list[Call] = []

    def noting(name: str) -> Callable:
        return lambda module, _inputs, output: calls.append(Call(name, module, output))

    handles = [module.register_forward_hook(noting(name)) for name, module in network.named_modules() if name]
    try:
        with torch.no_grad():
            network(example.clone())
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        flat = "; images (n, h, w) that are no bytes need an axis of channels, (n, 1, h, w)"
        raise InputError(
            f"the network does not take images of shape {tuple(example.shape[1:])}"
            f"{flat if example.dim() == 3 else _other_channels(network, example)}: {reason}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _once(calls: list[Call]) -> list[str]:
    """The names of modules that are called just once."""
    times = Counter(call.name for call in calls)
    return [name for name, number in times.items() if number == 1]


def _other_channels(network: nn.Module, example: Tensor) -> str:
    """Says so where the first convolution wants another number of channels."""
    for name, module in network.named_modules():
        if isinstance(module, CONVOLUTIONS) and module.in_channels != example.shape[1]:
            return f"; its first convolution, {name}, takes {module.in_channels} channels"
        if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
            break
    return ""


def _measured(network: nn.Module, wanted: list[str], calls: list[Call], example: Tensor) -> Network:
    """The network with units counted, axes marked, weights found."""
    for call in calls:
        if isinstance(call.module, nn.Linear) and isinstance(call.output, Tensor) and call.output.dim() > 2:
            call.module.unit_axis = -1
    layers, incoming, feeding = {}, {}, None
    for place, call in enumerate(calls):
        if _weighs(call.module):
            feeding = place
        if call.name not in wanted:
            continue
        if call.name in layers:
            times = sum(other.name == call.name for other in calls)
            raise InputError(f"layer {call.name} is called {times} times: name one that is called once")
        if feeding is None:
            raise InputError(f"layer {call.name}: no layer of weights is called before it")
        call.module.unit_axis = _axis(call, calls[feeding])
        layers[call.name] = call.output.shape[call.module.unit_axis]
        earlier = calls[: feeding + 1]
        weights = [other.name for other in earlier if isinstance(other.module, (nn.Linear, *CONVOLUTIONS))]
        units, called = layers[call.name], weights[-BRANCHES:]
        found = feeding_weights(network, call.name, units, called, example)
        incoming[call.name] = torch.full((units, 1), torch.nan) if found is None else found
    if silent := [name for name in wanted if name not in layers]:
        raise InputError(f"layer {silent[0]} is never called, so it has no outputs")
    return Network(network, layers, incoming)


def _weighs(module: nn.Module) -> bool:
    """Tell whether a module mixes what it is given by weights of its own: dense, convolutional or other."""
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        return True
    parts = {name for name, _ in module.named_children()}
    if isinstance(module, nn.LayerNorm | nn.Embedding) or parts - {"parametrizations"}:
        return False
    return any(value.numel() > max(value.shape) for value in module.parameters() if value.dim())


def _axis(call: Call, feeding: Call) -> int:
    """The axis of a layer's output on which its units lie, 1 or -1, as the weights that feed it tell."""
    if not isinstance(call.output, Tensor) or call.output.dim() < 2:
        raise InputError(
            f"layer {call.name} returns {type(call.output).__name__}, not one tensor of examples"
        )
    shape = tuple(call.output.shape)
    if shape[0] != PROBE:
        raise InputError(
            f"layer {call.name} returns {shape} of {PROBE} examples: they must be on its first axis (such as"
            " batch_first=True)"
        )
    if not isinstance(feeding.module, (nn.Linear, *CONVOLUTIONS)):
        if len(shape) == 2 or (
            isinstance(feeding.module, TRANSPOSED) and shape[1] == feeding.module.out_channels
        ):
            return 1
        raise InputError(
            f"layer {call.name} returns (examples, ...) of shape {shape}, and is fed by {feeding.name}, a"
            f" {type(feeding.module).__name__}, so which axis has the units cannot be told: name a layer that"
            " a dense layer or a convolution feeds, or one that returns (examples, units)"
        )
    units = len(feeding.module.weight)
    usual = -1 if isinstance(feeding.module, nn.Linear) else 1
    if call.output.dim() == 2:
        usual = 1
    if shape[usual] == units and shape == tuple(feeding.output.shape):
        return usual
    fitting = [axis for axis in (1, -1) if shape[axis] == units]
    if len(fitting) == 1 or (fitting and len(shape) == 2):
        return fitting[0]
    told = "more than one axis has" if fitting else "no axis has"
    raise InputError(
        f"layer {call.name} returns (examples, ...) of shape {shape}, and {told} the {units} units of"
        f" {feeding.name}, which feeds it: name a layer nearer to its weights"
    )
