"""Scores of units by which they are ordered for ablation: what a unit tells, shares, weighs or causes."""

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from directions.analyses import pair_information as pair
from directions.analyses import selectivity
from directions.analyses.network import Trained
from directions.core.seeds import stream
from directions.core.types import Images
from directions.interventions import ablation

BINS = 20  # for information about the class, as in measure_units
PAIR_BINS = 2  # for its decomposition, as in measure_pairs
PARTNERS = 16


class NoScore(Exception):
    """Units of this network cannot have a score; says why."""


def scores(
    name: str, trained: Trained, layers: Mapping[str, int], images: Images, labels: Tensor, classes: int
) -> np.ndarray:
    """Return the score `name` of all units of `layers`, (units,), numbered through; NaN where it has none.

    Raises NoScore for one that a layer cannot have.
    """
    values = _scores(name, trained, layers, images, labels, classes)
    known = values[~np.isnan(values)]
    if not len(known) or (known == known[0]).all():
        raise NoScore("all units have the same, or none")
    return values


def _scores(
    name: str, trained: Trained, layers: Mapping[str, int], images: Images, labels: Tensor, classes: int
) -> np.ndarray:
    if name == "importance":
        return _importance(trained, layers, images, labels, classes)
    if name == "l1":
        return _l1(trained, layers)
    of_layer = ACTIVITY[name]
    given, parts = labels.cpu().numpy(), []
    for layer, activity in _activity(trained, layers, images, labels):
        values = of_layer(activity.astype(np.float64), given, classes, stream("pairs", trained.seed, layer))
        parts.append(values)
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


def _activity(trained: Trained, layers: Mapping[str, int], images: Images, labels: Tensor):
    """Yield (layer, activity (images, units)) of whole layers."""
    parts: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    for layer, block in selectivity.unit_activity(trained.model, layers, images, labels):
        parts[layer].append(block)
        if sum(part.shape[1] for part in parts[layer]) == layers[layer]:
            yield layer, np.concatenate(parts.pop(layer), axis=1)


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


def _l1(trained: Trained, layers: Mapping[str, int]) -> np.ndarray:
    norms = {layer: trained.incoming[layer].abs().sum(1).cpu().numpy() for layer in layers}
    if several := [layer for layer, values in norms.items() if np.isnan(values).any()]:
        raise NoScore(f"several layers of weights feed {several[0]}, or none: units have no L1 norm")
    return np.concatenate(list(norms.values()))


def _importance(
    trained: Trained, layers: Mapping[str, int], images: Images, labels: Tensor, classes: int
) -> np.ndarray:
    """Return the loss that each unit causes when it is ablated alone."""
    found = ablation.single(
        trained.model, images, labels, layers=layers, classes=classes,
        values=dict.fromkeys(layers, 0.0), units=np.arange(sum(layers.values())),
    )  # fmt: skip
    return found.loss - found.loss_before
