"""Prove an analysis on a few real images: it acts on the network as it was given, called as a module.

Hooks of the network's own, operations in place and compiled code can make a hook of ours do nothing, or a
faster way compute another network. So before any unit is touched: two passes agree and are numbers, the hook
of every layer fires, what it returns is read, and a faster way (`chains`, `graphs`, `units.split`) gives the
logits that hooks on the whole module give, untouched and clamped, or is left. Costs a few passes over
`IMAGES` images.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from directions.errors import InputError
from directions.evaluation import scaled
from directions.units import edited, find_layer, observed

IMAGES = 8  # the first ones; a bound of ours
TOLERANCE = {"cpu": 1e-3, "cuda": 1e-2}  # of the largest logit; a bound of ours, far above rounding
LAYERS = 8  # layers of which a unit is clamped alone, spread over all
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
COMPILED = (
    "torch.compile and torch.jit run code that skips hooks: analyse the network from before it was compiled"
    " (`network._orig_mod`)"
)

Way = TypeVar("Way")

log = logging.getLogger(__name__)


def few(images: Tensor) -> Tensor:
    """Return the first `IMAGES` images as a network takes them."""
    [batch] = images[:IMAGES].split(IMAGES)
    return scaled(batch)


@torch.no_grad()
def of_network(model: nn.Module, layers: Mapping[str, object], images: Tensor) -> Tensor:
    """Return the logits (n, classes) of the first images with nothing touched.

    Raises InputError where two passes differ, logits are not finite, or the hook of a layer does not fire.
    """
    inputs = few(images)
    logits = model(inputs.clone())
    with observed(model, layers) as seen:
        again = model(inputs.clone())
    if silent := [name for name in layers if name not in seen]:
        raise InputError(
            f"layer {silent[0]} is never called as a module, or its hooks do not run; {COMPILED}"
        )
    if not logits.isfinite().all():
        raise InputError(
            "the network answers images with NaN or infinite logits: did its training diverge, or do weights"
            " or images hold such numbers?"
        )
    if not agree(again, logits):
        raise InputError(
            f"two passes over the same {len(inputs)} images differ: the network draws random numbers, or"
            " changes itself, in evaluation mode. Dropout must be off then: F.dropout(x, p, self.training)"
        )
    return logits


@torch.no_grad()
def of_clamping(model: nn.Module, layers: Mapping[str, object], images: Tensor) -> Tensor:
    """Do the same as `of_network`, and raise InputError where what a layer returns is never read."""
    logits = of_network(model, layers, images)
    names = list(layers)
    for first in range(0, len(names), IMAGES):
        chosen = names[first : first + IMAGES]
        if unread := [
            name for name, read in zip(chosen, _read(model, chosen, images), strict=True) if not read
        ]:
            raise InputError(
                f"layer {unread[0]}: nothing reads what it returns, so clamping its units would change"
                " nothing. An operation in place whose result is not assigned (`self.relu(h)` for"
                " `h = self.relu(h)`) is one cause: assign it"
            )
    return logits


def hooked(model: nn.Module) -> str:
    """Return the name of a module with hooks or a forward of its own, which a faster way leaves out, or "".

    Those of torch.nn.utils, such as weight norm, only compute weights, which are there already.
    """
    for name, module in model.named_modules():
        hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
        if "forward" in vars(module) or not all(map(_of_weights, hooks)):
            return name or type(module).__name__
    return ""


def _of_weights(hook: Callable) -> bool:
    return type(hook).__module__.startswith("torch.nn.utils")


def _read(model: nn.Module, names: Sequence[str], images: Tensor) -> Iterator[bool]:
    """Whether logits change with each layer, which returns NaN for one of as many copies of an image."""
    batch = few(images)[:1].repeat_interleave(max(2, len(names)), 0)
    before = model(batch.clone())
    try:
        with ExitStack() as stack:
            for row, name in enumerate(names):
                stack.enter_context(edited(find_layer(model, name), _poison(row)))
            after = model(batch)
    except (RuntimeError, ValueError, AssertionError):  # the network itself refuses NaN: it was read
        return iter([True] * len(names))
    return (not agree(after[row], before[row]) for row in range(len(names)))


def _poison(row: int) -> Callable[[Tensor], Tensor]:
    def poison(activity: Tensor) -> Tensor:
        poisoned = activity.clone()
        poisoned[row] = torch.nan
        return poisoned

    return poison


def agree(found: Tensor, wanted: Tensor) -> bool:
    """Tell whether logits are the same but for rounding; NaN equals NaN."""
    if found.shape != wanted.shape:
        return False
    found = found.to(wanted)  # autocast in a forward of the network's own gives bfloat16
    finite = wanted[wanted.isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    tolerance = TOLERANCE.get(wanted.device.type, max(TOLERANCE.values()))
    return torch.allclose(found, wanted, rtol=0, atol=tolerance * size + 1e-6, equal_nan=True)


def right(faster: Mapping[str, Way], slowest: Way, answers: Callable[[Way], Tensor], analysis: str) -> Way:
    """Return the first engine of `faster` {description: engine} with the `answers` of the slowest, else that.

    slowest: hooks on the whole network, called as a module. The log says which engines are wrong.
    """
    wanted = answers(slowest) if faster else None
    for name, engine in faster.items():
        try:
            found = answers(engine)
        except FAILURES as error:
            log.info("%s: %s is no way through this network: %s", analysis, name, error)
            continue
        if agree(found, wanted):
            return engine
        log.warning(
            "%s: %s would compute something else than this network called as a module (it may have hooks of"
            " its own, or work in place): a slower engine is taken",
            analysis,
            name,
        )
    return slowest


def trial(layers: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """(order of all units, numbers off): none, every second unit of every layer, all."""
    units = np.arange(sum(layers.values()))
    return np.concatenate([units[::2], units[1::2]]), np.unique([0, len(units[::2]), len(units)])


@torch.no_grad()
def loudest(model: nn.Module, layers: Mapping[str, int], images: Tensor) -> list[int]:
    """Return numbers, through all layers, of the most active unit of up to `LAYERS` of them, ascending."""
    starts = dict(zip(layers, np.cumsum([0, *layers.values()]).tolist(), strict=False))
    names = list(layers)
    chosen = [names[place] for place in np.unique(np.linspace(0, len(names) - 1, LAYERS).round().astype(int))]
    with observed(model, dict.fromkeys(chosen)) as seen:
        model(few(images))
    return [
        starts[name] + int(seen[name].transpose(0, 1).flatten(1).abs().sum(1).argmax()) for name in chosen
    ]
