"""Check an analysis on a few real images, against the network called as a module.

A network's own hooks, in-place operations and compiled code can disable our hooks or make a faster engine
compute something else. So before any unit is touched, this module checks that two passes agree and are
finite, that every layer's hook fires and its return value is read, and that a faster engine (`chain`,
`graph`, `hooks.split`) gives the same logits as hooks on the whole module, untouched and clamped; otherwise
the engine is not used. This costs a few passes over `IMAGES` images.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.core.types import Images
from directions.interventions.hooks import edited, find_layer, observed

IMAGES = 8  # number of images, the first ones; an arbitrary choice
TOLERANCE = {"cpu": 1e-3, "cuda": 1e-2}  # relative to the largest logit; arbitrary, far above rounding
LAYERS = 8  # layers in which a unit is clamped alone, spread over all
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
COMPILED = (
    "torch.compile and torch.jit run code that skips hooks: analyse the network as it was before compilation"
    " (`network._orig_mod`)"
)

Way = TypeVar("Way")

log = logging.getLogger(__name__)


def few(images: Images) -> Tensor:
    """Return the first `IMAGES` images in the form a network takes them."""
    [batch] = images[:IMAGES].split(IMAGES)
    return scaled(batch)


@torch.no_grad()
def of_network(model: nn.Module, layers: Iterable[str], images: Images) -> Tensor:
    """Return the logits (n, classes) of the first images with no intervention.

    Raises InputError if two passes differ, logits are not finite, or a layer's hook does not fire.
    """
    inputs = few(images)
    logits: Tensor = model(inputs.clone())
    with observed(model, layers) as seen:
        again = model(inputs.clone())
    if silent := [name for name in layers if name not in seen]:
        raise InputError(
            f"layer {silent[0]} is never called as a module, or its hooks do not run; {COMPILED}"
        )
    if not logits.isfinite().all():
        raise InputError(
            "the network's logits are NaN or infinite: did its training diverge, or do weights or images hold"
            " such values?"
        )
    if not agree(again, logits):
        raise InputError(
            f"two passes over the same {len(inputs)} images differ: the network draws random numbers, or"
            " changes its state, in evaluation mode. Dropout must be off then: F.dropout(x, p, self.training)"
        )
    return logits


@torch.no_grad()
def of_clamping(model: nn.Module, layers: Iterable[str], images: Images) -> Tensor:
    """Check as `of_network` does, and raise InputError if the output of a layer is never read."""
    logits = of_network(model, layers, images)
    names = list(layers)
    for first in range(0, len(names), IMAGES):
        chosen = names[first : first + IMAGES]
        if unread := [
            name for name, read in zip(chosen, _read(model, chosen, images), strict=True) if not read
        ]:
            raise InputError(
                f"layer {unread[0]}: its output is never read, so clamping its units would change"
                " nothing. One cause is an in-place operation whose result is not assigned: replace"
                " `self.relu(h)` by `h = self.relu(h)`"
            )
    return logits


def hooked(model: nn.Module) -> str:
    """Return the name of a module with hooks or an overridden forward, which faster engines ignore, or "".

    Hooks of torch.nn.utils, such as weight norm, only compute weights that already exist.
    """
    for name, module in model.named_modules():
        hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
        if "forward" in vars(module) or not all(map(_of_weights, hooks)):
            return name or type(module).__name__
    return ""


def _of_weights(hook: object) -> bool:
    return type(hook).__module__.startswith("torch.nn.utils")


def _read(model: nn.Module, names: Sequence[str], images: Images) -> Iterator[bool]:
    """Return whether logits depend on each layer: it returns NaN for one of as many copies of an image."""
    batch = few(images)[:1].repeat_interleave(max(2, len(names)), 0)
    before = model(batch.clone())
    try:
        with ExitStack() as stack:
            for row, name in enumerate(names):
                stack.enter_context(edited(find_layer(model, name), _poison(row)))
            after = model(batch)
    except (RuntimeError, ValueError, AssertionError):  # the network refuses NaN, so it reads the layer
        return iter([True] * len(names))
    return (not agree(after[row], before[row]) for row in range(len(names)))


def _poison(row: int) -> Callable[[Tensor], Tensor]:
    def poison(activity: Tensor) -> Tensor:
        poisoned = activity.clone()
        poisoned[row] = torch.nan
        return poisoned

    return poison


def agree(found: Tensor, wanted: Tensor, tolerance: float | None = None) -> bool:
    """Return whether logits are equal up to rounding; NaN equals NaN, and infinities of one sign each other.

    tolerance: relative to the largest finite logit; by default as the device computes.
    """
    if found.shape != wanted.shape:
        return False
    found = found.to(wanted)  # autocast inside the network's forward gives bfloat16
    finite = wanted[wanted.isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    tolerance = tolerance or TOLERANCE.get(wanted.device.type, max(TOLERANCE.values()))
    return torch.allclose(found, wanted, rtol=0, atol=tolerance * size + 1e-6, equal_nan=True)


def right(faster: Mapping[str, Way], slowest: Way, answers: Callable[[Way], Tensor], analysis: str) -> Way:
    """Return the first engine of {name: engine} that gives the slowest engine's logits, else the slowest.

    slowest: hooks on the whole network, called as a module. The log names the engines that fail.
    """
    if not faster:
        return slowest
    wanted = answers(slowest)
    for name, engine in faster.items():
        try:
            found = answers(engine)
        except FAILURES as error:
            log.info("%s: %s does not work for this network: %s", analysis, name, error)
            continue
        if agree(found, wanted):
            return engine
        log.warning(
            "%s: %s would compute something else than this network called as a module (it may have its own"
            " hooks, or work in place): using a slower engine",
            analysis,
            name,
        )
    return slowest


def trial(layers: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return (order of all units, numbers clamped): none, every second unit of every layer, all."""
    units = np.arange(sum(layers.values()))
    return np.concatenate([units[::2], units[1::2]]), np.unique([0, len(units[::2]), len(units)])


@torch.no_grad()
def loudest(model: nn.Module, layers: Mapping[str, int], images: Images) -> list[int]:
    """Return the most active unit, numbered through all layers, of up to `LAYERS` of them, ascending."""
    starts = dict(zip(layers, np.cumsum([0, *layers.values()]).tolist(), strict=False))
    names = list(layers)
    chosen = [names[place] for place in np.unique(np.linspace(0, len(names) - 1, LAYERS).round().astype(int))]
    with observed(model, dict.fromkeys(chosen)) as seen:
        model(few(images))
    return [
        starts[name] + int(seen[name].transpose(0, 1).flatten(1).abs().sum(1).argmax()) for name in chosen
    ]
