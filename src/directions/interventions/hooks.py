"""Act on single units from outside a model, which itself knows nothing of ablation or noise.

A unit is one neuron of a dense layer or one whole feature map of a convolution: dimension 1 of a layer's
output in both cases (paper, section 2.2). A module whose units are on another axis has an attribute
`unit_axis` (see `layers.py`); its output is transposed to have them on dimension 1, and back again.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from directions.core.errors import InputError

UNIT_AXIS = "unit_axis"  # attribute of a module: the axis of its output that holds its units


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode whose units are known.

    layers: {layer: number of units}, in the order of the forward pass. incoming: {layer: weights (units,
    fan-in) of the weight layer that feeds it, NaN if no single one does}. Modules whose units are not on
    axis 1 of their output have an attribute `unit_axis` (see `edited`). original: the network as given, if
    `model` was rewritten from it.
    """

    model: nn.Module
    layers: dict[str, int]
    incoming: dict[str, Tensor]
    original: nn.Module | None = None


def unit_axis(module: nn.Module) -> int:
    """Return the axis of a module's output that holds its units: 1, unless `set_unit_axis` set another."""
    axis: int = getattr(module, UNIT_AXIS, 1)
    return axis


def set_unit_axis(module: nn.Module, axis: int) -> None:
    """Record in a module which axis of its output holds its units."""
    setattr(module, UNIT_AXIS, axis)


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """Return the module called `name`; raises InputError with the names that exist."""
    modules: dict[str, nn.Module] = dict(model.named_modules())
    if name not in modules:
        raise InputError(
            f"no layer {name!r}: layers of this network are {', '.join(n for n in modules if n)}"
        )
    return modules[name]


def split(model: nn.Module, layer: str) -> tuple[nn.Module, nn.Module]:
    """Split into (head, tail): `tail(head(images))` is `model(images)`; the head ends with `layer`'s output.

    Whatever precedes the first unit touched then runs once for many interventions on the tail, in which
    `layer` and all later modules keep their names. If `layer` is nested inside a module of the chain, such as
    a residual block, the head ends before that module. A model that is not a plain chain becomes the tail.
    """
    inside, _, nested = layer.partition(".")
    # A Sequential that overrides forward does more than run its modules in turn.
    chain = isinstance(model, nn.Sequential) and type(model).forward is nn.Sequential.forward
    chain = chain and not (model._forward_hooks or model._forward_pre_hooks)  # of the model itself
    if not chain or inside not in model._modules:
        return nn.Identity(), model
    # named_children() omits a module's second use.
    children = [(name, child) for name, child in model._modules.items() if child is not None]
    place = [name for name, _ in children].index(inside)
    head, tail = children[:place], children[place:]
    if not nested:
        through = nn.Identity()
        set_unit_axis(through, unit_axis(tail[0][1]))
        head, tail = [*head, tail[0]], [(layer, through), *tail[1:]]
    first, rest = (nn.Sequential(OrderedDict(part)).train(model.training) for part in (head, tail))
    return first, rest


@contextmanager
def edited(layer: nn.Module, edit: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Make `layer` return `edit(output)` while the context is open; no trace is left, even after an error.

    `edit` receives the output with its units on dimension 1, (examples, units, ...), whatever their axis.
    """
    axis = unit_axis(layer)

    def turned(output: Tensor) -> Tensor:
        return edit(output) if axis == 1 else edit(output.movedim(axis, 1)).movedim(1, axis)

    handle = layer.register_forward_hook(lambda _module, _inputs, output: turned(output))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def clamped(layer: nn.Module, units: Tensor, value: Tensor | float = 0.0) -> Iterator[None]:
    """Clamp the given units of `layer` to `value` while the context is open (ablation; mostly to 0).

    units: indices (k,). value: one number, or a tensor (all units of the layer, ...) without the example
    dimension, e.g. the mean of every spatial element of each feature map (Appendix A.1).
    """

    def clamp(activation: Tensor) -> Tensor:  # (examples, units, ...) -> same
        chosen = units.to(activation.device)
        if isinstance(value, Tensor):
            filled = activation.clone()
            filled[:, chosen] = value[units.to(value.device)].to(activation)
            return filled
        return activation.index_fill(1, chosen, value)

    with edited(layer, clamp):
        yield


@contextmanager
def observed_inputs(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, Tensor]]:
    """Record what each named layer is given in every pass, such as the pre-activations of a ReLU.

    As `observed`: units are on dimension 1.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def note(module: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
            axis = getattr(module, "unit_axis", 1)
            given = inputs[0] if inputs else next(iter(named.values()))
            seen[name] = given.movedim(axis, 1).clone()  # the module may change it in place

        return note

    handles = [
        find_layer(model, name).register_forward_pre_hook(keep(name), with_kwargs=True) for name in layers
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def observed(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, Tensor]]:
    """Record each named layer's output of every pass in the yielded dict while the context is open."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor], Tensor]:
        def note(activation: Tensor) -> Tensor:
            seen[name] = activation.clone()  # later modules may change it in place
            return activation

        return note

    with ExitStack() as stack:
        for name in layers:
            stack.enter_context(edited(find_layer(model, name), keep(name)))
        yield seen


def moments(
    model: nn.Module, layers: Mapping[str, int], batches: Iterator[Tensor]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Compute {layer: (mean, standard deviation)} of outputs over all images, each of shape (units, ...).

    One pass; batch statistics are merged in float64 (Chan et al. 1979), so the result does not depend on the
    batch size. Feature maps keep their spatial elements (Appendix A.1 uses each one's own mean).
    """
    means: dict[str, Tensor] = {}
    squares: dict[str, Tensor] = {}
    count = 0
    with observed(model, layers) as seen, torch.no_grad():
        for images in batches:
            model(images)
            added = len(images)
            for name in layers:
                values = seen[name].double()  # (examples, units, ...)
                mean = values.mean(0)
                square = (values - mean).square().sum(0)
                if count:
                    shift = mean - means[name]
                    square += squares[name] + shift.square() * (count * added / (count + added))
                    mean = means[name] + shift * (added / (count + added))
                means[name], squares[name] = mean, square
            count += added
    return {name: (means[name], (squares[name] / count).sqrt()) for name in layers}
