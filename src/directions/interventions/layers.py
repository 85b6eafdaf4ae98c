"""Find the layers of units of any network, the axis of their units, and the weights that feed them.

A unit is one neuron of a dense layer or one feature map of a convolution. A dense layer has its units on the
last axis of its output, also when applied to every token or position, (examples, tokens, units); a
convolution has them on axis 1, (examples, units, height, width). An activation takes the axis of the last
layer of weights called before it: GELU after a dense layer in a channels-last block has units on the last
axis. A unit is clamped, perturbed or measured at all tokens or positions together.
"""

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.seeds import torch_stream
from directions.interventions import activations, functions, layer_patterns, logits, self_check
from directions.interventions.feeding_layers import weights_of as feeding_weights
from directions.interventions.hooks import Network, set_unit_axis, unit_axis
from directions.interventions.module_calls import CONVOLUTIONS, PROBE, Call, called_once, calls_of
from directions.interventions.prepare import check_still, copied, layer_name, plain
from directions.interventions.tracing import make_in_place, same
from directions.interventions.unit_axes import check_examples_first, found_axis, weighs

log = logging.getLogger(__name__)

AS_IS = "none"  # in place of an activation: the layer's own outputs are the units
BRANCHES = 3  # layers of weights before a layer of units that are tried as its input
SHOWN = 20  # layers named in an error
SIZES = (1.0, 10.0)  # standard deviations of the inputs on which operations in place are tried

Layers = str | Sequence[str] | Mapping[str, str]


def find(network: nn.Module, wanted: Layers, shape: Sequence[int], classes: int | None = None) -> Network:
    """Return the network with the units of these layers, traced by `activations.separated` if need be.

    wanted: names of modules whose outputs are units, with patterns as `layer_patterns.expanded` takes them,
    or {module: activation that follows it}, "none" for its own output. shape: of one example, without the
    batch axis. classes: number of classes in the data, if known (see `logits.alone`). Raises InputError for a
    layer that does not exist (naming those that do, the nearest first), is not called exactly once, or has
    ambiguous units.
    """
    network = plain(network).eval()
    check_still(network)
    example = torch.rand(PROBE, *shape, generator=torch_stream("example"))
    calls_of(network, example)  # a first pass, which initialises lazy modules
    network = activations.named(logits.alone(network.requires_grad_(False), example, classes))
    if layer_patterns.asked(wanted):
        shown, shared = _listed(network, shape)
        modules = called_once(calls_of(network, example))
        known = [*shown.loc[shown["activation"], "layer"], *shared]
        wanted = layer_patterns.expanded(wanted, known, modules)  # shared ones are refused below
    asked = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(wanted, AS_IS)
    asked = {_name(name, network): activation for name, activation in asked.items()}
    as_given = copied(network)
    _out_of_place(network, example)
    calls = calls_of(network, example)
    simple = set(asked.values()) == {AS_IS} and set(asked) <= set(called_once(calls))
    parts = (network, list(asked), calls) if simple else _separated(network, asked, example)
    found = _measured(*parts, example)
    model = functions.as_modules(found.model, found.layers, example)
    return replace(found, model=model, original=as_given)


def _out_of_place(network: nn.Module, example: Tensor) -> None:
    """Make in-place activations return new tensors, unless the network relies on the in-place change.

    Tested on numbers of both signs and several magnitudes, as an activation may not change those in 0..1.
    """
    modules = [module for module in network.modules() if getattr(module, "inplace", False)]
    if not modules:
        return
    calls_of(network, example)
    noise = torch.randn(example.shape, generator=torch_stream("example"))
    tried = [example, *(noise * size for size in SIZES)]
    before = [network(images.clone()) for images in tried]
    for module in modules:
        make_in_place(module, False)
    pairs = zip((network(images.clone()) for images in tried), before, strict=True)
    if any(isinstance(old, Tensor) and not self_check.agree(new, old) for new, old in pairs):
        for module in modules:
            make_in_place(module, True)  # `self.relu(h)` with its result unused


def catalogue(network: nn.Module, shape: Sequence[int]) -> pd.DataFrame:
    """Return a table of all layers that `find` accepts: layer, module, output, units, activation.

    Rows are in forward order. shape: of one example; output: the shape of the layer's output for it. If
    torch.fx cannot trace the network, functional activations are missing, with a warning in the log. Raises
    InputError for a shape that the network does not take.
    """
    return _listed(network, shape)[0]


def _listed(network: nn.Module, shape: Sequence[int]) -> tuple[pd.DataFrame, list[str]]:
    """Return (`catalogue`, activation modules missing in it: called more than once, and not separable)."""
    example = torch.rand(PROBE, *shape, generator=torch_stream("example"))
    network = activations.named(network.eval())
    calls_of(network, example)
    try:
        network = activations.separated(network)
    except InputError as error:
        log.warning("functional activations are not shown: %s", error)
    calls, feeding, rows = calls_of(network, example), None, []
    longer, once = calls_of(network, _one_more(example)), set(called_once(calls))
    for place, call in enumerate(calls):
        if weighs(call.module):
            feeding = place
        if feeding is None or call.name not in once:
            continue
        try:
            check_examples_first(longer[place], PROBE + 1)
            axis = found_axis(call, calls[feeding])
        except InputError:
            continue  # its units are ambiguous
        kind = activations.name_of(call.module)
        output = "x".join(map(str, call.output.shape[1:]))
        rows.append(
            (call.name, kind or type(call.module).__name__, output, call.output.shape[axis], bool(kind))
        )
    shared = [call.name for call in calls if activations.name_of(call.module) and call.name not in once]
    return pd.DataFrame(rows, columns=["layer", "module", "output", "units", "activation"]), sorted(
        set(shared)
    )


def _separated(
    network: nn.Module, asked: dict[str, str], example: Tensor
) -> tuple[nn.Module, list[str], list[Call]]:
    """Return (network with one module per call of an activation, names of the layers in it, its calls)."""
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
            "this network computes something else when traced by torch.fx, perhaps because it draws random"
            " numbers: give every activation its own module, called once, and list these as layers"
        )
    calls = calls_of(traced, example)
    called = {call.name for call in calls}
    for name in asked:
        if name not in called and name in existing:
            within = [call for call in calls if call.name.startswith(f"{name}.")]
            found = [call.name for call in within if activations.name_of(call.module)]
            hint = f"the last activation in it, {found[-1]}" if found else f"one of {_nearest(name, called)}"
            raise InputError(
                f"layer {name} is a block, or is never called; as activations had to be turned into modules,"
                f" name {hint}"
            )
        if name not in called:
            raise InputError(_no_layer(name, called))
    layers = [
        name if activation == AS_IS else activations.following(traced, name, activation)
        for name, activation in asked.items()
    ]
    return traced, layers, calls


def _name(asked: str, network: nn.Module) -> str:
    """Return the name that `named_modules` gives a layer, which may have several names."""
    every = dict(network.named_modules(remove_duplicate=False))
    name = layer_name(asked, every)
    return next((first for first, module in network.named_modules() if module is every.get(name)), name)


def _no_layer(name: str, known: Iterable[str]) -> str:
    if not any(known):
        return f"no layer {name!r}: this network has no modules: analyse it as it was before export"
    return f"no layer {name!r}: layers of this network are {_nearest(name, known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """List the existing layers, those most similar to `name` first."""
    ranked = difflib.get_close_matches(name, sorted(filter(None, known)), n=10**6, cutoff=0.0)
    more = f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
    return f"{', '.join(ranked[:SHOWN])}{more}"


def _one_more(example: Tensor) -> Tensor:
    """Return a larger batch, as an axis may have the length of the batch by chance."""
    return torch.cat([example, example[:1]])


def _measured(network: nn.Module, wanted: list[str], calls: list[Call], example: Tensor) -> Network:
    """Count the units of each layer, mark their axis, and find the weights that feed them."""
    for call in calls:
        if isinstance(call.module, nn.Linear) and isinstance(call.output, Tensor) and call.output.dim() > 2:
            set_unit_axis(call.module, -1)
    for call in calls_of(network, _one_more(example)):
        if call.name in wanted:
            check_examples_first(call, PROBE + 1)
    layers, incoming, feeding = {}, {}, None
    for place, call in enumerate(calls):
        if weighs(call.module):
            feeding = place
        if call.name not in wanted:
            continue
        if call.name in layers:
            times = sum(other.name == call.name for other in calls)
            raise InputError(f"layer {call.name} is called {times} times: name one that is called once")
        if feeding is None:
            raise InputError(f"layer {call.name}: no layer of weights is called before it")
        set_unit_axis(call.module, found_axis(call, calls[feeding]))
        layers[call.name] = call.output.shape[unit_axis(call.module)]
        earlier = calls[: feeding + 1]
        weights = [other.name for other in earlier if isinstance(other.module, (nn.Linear, *CONVOLUTIONS))]
        units, called = layers[call.name], weights[-BRANCHES:]
        found = feeding_weights(network, call.name, units, called, example)
        incoming[call.name] = torch.full((units, 1), torch.nan) if found is None else found
    if silent := [name for name in wanted if name not in layers]:
        raise InputError(f"layer {silent[0]} is never called, so it has no outputs")
    return Network(network, layers, incoming)
