"""Scores of units by which they are ordered for ablation: what a unit tells, shares, weighs or causes."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from directions.analyses import pair_information as pair
from directions.analyses import selectivity
from directions.analyses.network import Trained
from directions.core.seeds import stream
from directions.data.examples import Examples
from directions.interventions import single_units

BINS = 20  # for information about the class, as in measure_units
PAIR_BINS = 2  # for its decomposition, as in measure_pairs
PARTNERS = 16


class NoScore(Exception):
    """Units of this network cannot have a score; says why."""


def activities_of(trained: Trained, layers: Mapping[str, int], examples: Examples) -> dict[str, np.ndarray]:
    """Return {layer: activity (images, units) in float64} of the units of `layers`."""
    parts: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    for layer, block in selectivity.unit_activity(trained.model, layers, examples.images, examples.labels):
        parts[layer].append(block)
    return {layer: np.concatenate(blocks, axis=1).astype(np.float64) for layer, blocks in parts.items()}


def scores(
    name: str, trained: Trained, activities: Mapping[str, np.ndarray], examples: Examples
) -> np.ndarray:
    """Return the score `name` of the units of all `activities`, (units,); NaN where a unit has none.

    activities: of the layers chosen, on the examples; see `activities_of`. Raises NoScore for a score that a
    layer cannot have, and if all units have the same.
    """
    if name == "importance":
        values = _importance(trained, activities, examples)
    elif name == "l1":
        values = _l1(trained, activities)
    else:
        values = _of_activity(ACTIVITY[name], trained.seed, activities, examples)
    known = values[~np.isnan(values)]
    if not len(known) or (known == known[0]).all():
        raise NoScore("all units have the same, or none")
    return values


def _of_activity(
    of_layer: Callable[..., np.ndarray], seed: int, activities: Mapping[str, np.ndarray], examples: Examples
) -> np.ndarray:
    labels, classes = examples.labels.cpu().numpy(), examples.classes
    parts = [
        of_layer(activity, labels, classes, stream("pairs", seed, layer))
        for layer, activity in activities.items()
    ]
    return np.concatenate(parts)


def order(values: np.ndarray, layers: Mapping[str, int], *, highest: bool, within: bool) -> np.ndarray:
    """Sort units (units,) by their score, the highest first or last; units without a score come last.

    within: rank units within their layer, and take the same fraction of every layer at any time.
    """
    keys = -values if highest else values
    keys = np.where(np.isnan(values), np.inf, keys)
    if within:
        ends = np.cumsum([0, *layers.values()])
        ranks = [
            (np.argsort(np.argsort(keys[first:last], kind="stable")) + 0.5) / (last - first)
            for first, last in zip(ends, ends[1:], strict=False)
        ]
        keys = np.concatenate(ranks)
    return np.argsort(keys, kind="stable")


def _mean_activity(activity: np.ndarray, _labels, _classes, _rng) -> np.ndarray:
    return activity.mean(0, dtype=np.float64)


def _selectivity(activity: np.ndarray, labels: np.ndarray, classes: int, _rng) -> np.ndarray:
    if (activity < 0).any():
        raise NoScore("selectivity needs activity that is never negative, as after a ReLU")
    return selectivity.selectivity(selectivity.class_means(activity, labels, classes))


def _information(activity: np.ndarray, labels: np.ndarray, classes: int, _rng) -> np.ndarray:
    return selectivity.mutual_information(selectivity.binned(activity, BINS), labels, classes)


def _shared(part: str) -> Callable[..., np.ndarray]:
    def of_layer(activity: np.ndarray, labels: np.ndarray, classes: int, rng) -> np.ndarray:
        pairs = pair.partners(activity.shape[1], PARTNERS, rng)
        found = pair.decomposition(selectivity.binned(activity, PAIR_BINS), pairs, labels, classes)
        return pair.mean_over_pairs(found[part], pairs, activity.shape[1])

    return of_layer


def _mutual(activity: np.ndarray, _labels, _classes, rng) -> np.ndarray:
    return pair.mean_with_others(pair.normal_scores(activity, rng))


ACTIVITY: dict[str, Callable[..., np.ndarray]] = {
    "mean_activity": _mean_activity,
    "selectivity": _selectivity,
    "information": _information,
    "mutual": _mutual,
    "redundancy": _shared("redundancy"),
    "synergy": _shared("synergy"),
}


def _l1(trained: Trained, layers: Iterable[str]) -> np.ndarray:
    norms = {layer: trained.incoming[layer].abs().sum(1).cpu().numpy() for layer in layers}
    if several := [layer for layer, values in norms.items() if np.isnan(values).any()]:
        raise NoScore(f"several layers of weights feed {several[0]}, or none: units have no L1 norm")
    return np.concatenate(list(norms.values()))


def _importance(trained: Trained, layers: Iterable[str], examples: Examples) -> np.ndarray:
    """Return the loss that each unit causes when it is ablated alone."""
    units = {layer: trained.layers[layer] for layer in layers}
    found = single_units.single(
        trained.model, examples.images, examples.labels, layers=units, classes=examples.classes,
        values=dict.fromkeys(units, 0.0), units=np.arange(sum(units.values())),
    )  # fmt: skip
    return found.loss - found.loss_before
