"""Ablation: clamp units and measure the loss in accuracy (paper, sections 2.2 and 3.1).

The reference engine clamps units with forward hooks and reruns everything after the first clamped layer at
every point. Where the network ends in a chain of layers, curves are computed in reverse instead (reverse.py);
on any other graph that torch.fx can trace, only what differs is recomputed (patches.py). Both give the same
logits up to rounding at a fraction of the cost. Each set of clamped units contains the previous one, so the
first point of a curve is the untouched network, and at the last point, with every unit clamped, all images
have the same logits.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.scoring import correct_top5_each, has_top5, pass_size, tally_each
from directions.core.seeds import stream
from directions.core.types import Count, Images
from directions.interventions import self_check
from directions.interventions.accumulate import Unfinished, over_images
from directions.interventions.chain import Values, find_chain
from directions.interventions.graph import find_graph
from directions.interventions.graph_curves import GraphCurves
from directions.interventions.hooks import clamped, find_layer, split
from directions.interventions.layer_selection import Wanted, chosen_layers
from directions.interventions.norm_statistics import own_statistics
from directions.interventions.reverse import Revival

log = logging.getLogger(__name__)


class CurveEngine(Protocol):
    """An engine for cumulative ablation."""

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, list[int], Tensor]]:
        """Yield (row, columns, logits (columns, n, classes)) of all curves for inputs (n, c, h, w)."""


class UnitEngine(Protocol):
    """An engine for single-unit ablation."""

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield (row, logits (n, classes)) on inputs (n, c, h, w): -1 with none off, then a row per unit."""


Engine = TypeVar("Engine", CurveEngine, UnitEngine)
Ways = tuple[dict[str, partial[Engine]], partial[Engine]]  # faster ones by name; the one that always works


@dataclass(frozen=True)
class Curves:
    """Cumulative ablation curves: `ablated` is (points,), the others are (orderings, points).

    accuracy_top5 is None with too few classes, see `scoring.has_top5`.
    """

    ablated: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    accuracy_top5: np.ndarray | None

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """Map table columns to their values (orderings, points)."""
        top5 = {} if self.accuracy_top5 is None else {"accuracy_top5": self.accuracy_top5}
        return {"loss": self.loss, "accuracy": self.accuracy} | top5


def chosen(layers: Mapping[str, int], wanted: Wanted) -> dict[str, int]:
    """Select the wanted layers from {unit layer: number of units}; raises InputError like `chosen_layers`."""
    return {name: layers[name] for name in chosen_layers(list(layers), wanted)}


def orderings(units: int, count: int, seed: int) -> list[np.ndarray]:
    """Draw `count` random orders (units,) in which all units of all layers are ablated."""
    return [stream("ablation", seed, ordering).permutation(units) for ordering in range(count)]


def sample(units: int, wanted: Count, seed: int) -> np.ndarray:
    """Draw `wanted` unit numbers at random, ascending; take all for "all" or if there are too few."""
    if wanted == "all" or wanted >= units:
        return np.arange(units)
    return np.sort(stream("single units", seed).permutation(units)[:wanted])


def grid(units: int, points: Count) -> np.ndarray:
    """Return the numbers of ablated units, from 0 to all, at which a curve is measured (D4).

    points: number of points, evenly spaced and rounded to whole units; "all" measures at every number.
    """
    if points == "all" or points > units:
        return np.arange(units + 1)
    return np.unique(np.linspace(0, units, points).round().astype(int))


@contextmanager
def ablated(model: nn.Module, layers: Mapping[str, int], units: np.ndarray, values: Values) -> Iterator[None]:
    """Clamp the given units while the context is open; units are numbered through all `layers`, in order."""
    with ExitStack() as stack:
        first = 0
        for name, count in layers.items():
            here = units[(units >= first) & (units < first + count)] - first
            if len(here):
                stack.enter_context(clamped(find_layer(model, name), torch.as_tensor(here), values[name]))
            first += count
        yield


class Hooks:
    """Reference engine: a forward pass per point, from the first ablated layer on unless `whole`."""

    def __init__(
        self,
        model: nn.Module,
        layers: Mapping[str, int],
        orders: Sequence[np.ndarray],
        counts: np.ndarray,
        values: Values,
        whole: bool = False,
    ):
        self.head, self.tail = (nn.Identity(), model) if whole else split(model, next(iter(layers)))
        self.layers, self.orders, self.counts, self.values = layers, orders, counts, values

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, list[int], Tensor]]:
        """Yield (row, columns, logits (columns, n, classes)) of all curves for inputs (n, c, h, w)."""
        activity = self.head(inputs)
        for row, order in enumerate(self.orders):
            for column, count in enumerate(self.counts):
                with ablated(self.tail, self.layers, order[:count], self.values):
                    yield row, [column], self.tail(activity.clone())[None]


@torch.no_grad()
def cumulative(
    model: nn.Module,
    images: Images,
    labels: Tensor,
    *,
    layers: Mapping[str, int],
    orders: Sequence[np.ndarray],
    ablated_counts: np.ndarray,
    values: Values,
    size: int | None = None,
    precision: str = "float32",
    by_hooks: bool = False,
    norm_images: int | None = None,
    unfinished: Unfinished | None = None,
    name: str = "cumulative ablation",
) -> Curves:
    """Measure loss and accuracy while more and more units are clamped to `values`.

    images: uint8 (n, c, h, w); labels: (n,). layers: {name: number of units}. orders: permutations of all
    units of all layers. ablated_counts: number of clamped units at each point (see `grid`). size: images per
    pass; None picks a size that suits memory and cache. precision: float32, or bf16 in large products.
    by_hooks: use the reference engine, in float32, for any network. norm_images: number of consecutive images
    that batch norm normalises by their own statistics, by hooks; None: by those kept from training.
    Raises InputError if so many images do not fit into memory.
    """
    untouched = self_check.of_clamping(model, layers, images)
    if norm_images is not None:
        by_hooks, size = True, norm_images
    with own_statistics(model, norm_images is not None):
        kinds = Revival, GraphCurves, Hooks
        engines: Ways[CurveEngine] = ways(kinds, model, layers, values, images, by_hooks)
        engine = _engine(*engines, images, name)
        chain = engine.args[0] if engine.func is Revival else None
        options = {"precision": precision} if chain else {}
        way = engine(orders=orders, counts=np.asarray(ablated_counts), **options)
        size = size or min(pass_size(model, images), chain.pass_size(images) if chain else len(images))
        counted = has_top5(untouched)
        shape = (3, len(orders), len(ablated_counts))  # summed losses, correct top-1, correct top-5

        def add(inputs: Tensor, targets: Tensor, _first: int) -> np.ndarray:
            if norm_images not in (None, len(targets)):
                raise InputError(
                    f"norm_images: {norm_images} images do not fit into memory at once: lower it"
                )
            added = np.zeros(shape)
            for row, columns, answers in way.answers(inputs):
                losses, correct = tally_each(answers, targets)
                added[0, row, columns], added[1, row, columns] = losses.cpu(), correct.cpu()
                if counted:
                    added[2, row, columns] = correct_top5_each(answers, targets).cpu()
            return added

        sums = over_images(add, images, labels, size=size, shape=shape, name=name, unfinished=unfinished)
    loss, accuracy, top5 = sums / len(labels)
    return Curves(np.asarray(ablated_counts), loss, accuracy, top5 if counted else None)


def _engine(
    faster: dict[str, partial[CurveEngine]], slowest: partial[CurveEngine], images: Images, name: str
) -> partial[CurveEngine]:
    """Pick the fastest curve engine with the right logits on the first images; it takes orders and counts."""
    order, counts = self_check.trial(slowest.keywords["layers"])

    def answers(engine: partial[CurveEngine]) -> Tensor:
        found: dict[int, Tensor] = {}
        for _, columns, logits in engine(orders=[order], counts=counts).answers(self_check.few(images)):
            found |= dict(zip(columns, logits, strict=True))
        return torch.stack([found[column] for column in range(len(counts))])

    return self_check.right(faster, slowest, answers, name)


def ways(
    engines: Sequence[Callable[..., Engine]],
    model: nn.Module,
    layers: Mapping[str, int],
    values: Values,
    images: Images,
    by_hooks: bool,
) -> Ways[Engine]:
    """Return ({name: faster engine that may suit the network}, fastest first; the engine that always works).

    engines: for a chain, for a graph, by hooks.
    """
    on_chain, on_graph, hooked = (partial(engine, layers=layers, values=values) for engine in engines)
    faster: dict[str, partial[Engine]] = {}
    if name := self_check.hooked(model):
        log.info("ablation by hooks (slow): %s has hooks or overrides forward on the instance", name)
        return faster, partial(hooked, model, whole=True)
    if not by_hooks and (chain := find_chain(model, layers, images)):
        faster["the chain"] = partial(on_chain, chain)
    elif not by_hooks and (graph := find_graph(model, layers, images)):
        faster["the graph"] = partial(on_graph, graph)
    if split(model, next(iter(layers)))[1] is not model:
        faster["splitting the network"] = partial(hooked, model)
    return faster, partial(hooked, model, whole=True)
