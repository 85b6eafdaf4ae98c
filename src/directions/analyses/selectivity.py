"""Measures of what a unit tells about the class: selectivity, mutual information (sections 2.4 and A.5).

All take the activity of units as (images, units): one number per image, for a feature map its mean over all
spatial positions. Selectivity is only meaningful for activity that is never negative, as after a ReLU; in
layers where some is negative, as after GELU, it is left empty and the units are marked.
"""

import logging
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.scoring import pass_size, passes
from directions.core.seeds import stream
from directions.core.types import Images
from directions.interventions import self_check
from directions.interventions.hooks import observed

log = logging.getLogger(__name__)

BYTES = 2**30  # most activity kept at a time: that of all small studies, a fifth of ResNet-50's on ImageNet
NO_INDEX = "the class selectivity index has no meaning in this layer and is left empty"
BLOCK = 64  # units measured at a time; their counts take several times the memory of their activity


@torch.no_grad()
def unit_activity(
    model: nn.Module,
    layers: Mapping[str, int],
    images: Images,
    labels: Tensor,
    size: int | None = None,
    budget: int = BYTES,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the activity of all units on each image, in blocks of units; section 2.4.

    A feature map's activity is its mean over positions.

    Args:
        model: in evaluation mode.
        layers: {name: number of units}.
        images: uint8 (n, c, h, w), or floating point as the network takes them.
        labels: (n,).
        size: images per pass; None: see `scoring.pass_size`.
        budget: most bytes of activity in memory; if that of all units does not fit, the images are run
            several times.

    Returns:
        Pairs (layer, activity (images, at most BLOCK units) in float32), in the order of `Trained.numbered`.

    Example:
        >>> from torch import arange, eye, nn
        >>> from directions.analyses.selectivity import unit_activity
        >>> model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU())
        >>> _ = model[0].weight.data.copy_(2 * eye(3))
        >>> [(layer, activity)] = unit_activity(model, {"1": 3}, eye(3), arange(3))
        >>> activity  # (images, units)
        array([[2., 0., 0.],
               [0., 2., 0.],
               [0., 0., 2.]], dtype=float32)
    """
    blocks = [
        (layer, first, min(first + BLOCK, units))
        for layer, units in layers.items()
        for first in range(0, units, BLOCK)
    ]
    size = size or pass_size(model, images)
    together = max(1, budget // (BLOCK * len(labels) * np.dtype(np.float32).itemsize))
    for place in range(0, len(blocks), together):
        chosen = blocks[place : place + together]
        kept = [np.empty((len(labels), end - first), dtype=np.float32) for _, first, end in chosen]
        done = 0
        with observed(model, {layer: None for layer, _, _ in chosen}) as seen:
            for inputs, targets in passes(images, labels, size):
                model(inputs)
                rows = slice(done, done + len(targets))
                means = {layer: mean_activity(output) for layer, output in seen.items()}
                for (layer, first, end), block in zip(chosen, kept, strict=True):
                    block[rows] = means[layer][:, first:end]
                done += len(targets)
        for (layer, _, _), block in zip(chosen, kept, strict=True):
            yield layer, block


def mean_activity(output: Tensor) -> np.ndarray:
    """Average a layer's output, (examples, units) or (..., h, w), to (examples, units) in float32."""
    return (output.flatten(2).mean(2) if output.dim() > 2 else output).float().cpu().numpy()


def dead(activity: np.ndarray) -> np.ndarray:
    """Mark units (units,) that are 0 for every image: they have no selectivity and no importance."""
    return np.asarray(~activity.any(axis=0))


def negative(activity: np.ndarray) -> np.ndarray:
    """Mark units (units,) that are negative for some image: their selectivity index is undefined."""
    return np.asarray((activity < 0).any(axis=0))


def class_means(activity: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Average activity (classes, units) over the images of each class; leave out classes without images."""
    sums = [np.bincount(labels, weights=values, minlength=classes) for values in activity.T]
    images = np.bincount(labels, minlength=classes)
    return np.stack(sums, axis=1)[images > 0] / images[images > 0, None]


def selectivity(means: np.ndarray) -> np.ndarray:
    """Compute the class selectivity index (units,) from class means (classes, units); section 2.4.

    (largest - mean of the other classes' means) / (their sum): 0 if all class means are equal, 1 if only one
    class activates the unit. NaN for dead units, whose index is 0/0; they are reported separately (D8).
    """
    largest = means.max(0)
    others = (means.sum(0) - largest) / (len(means) - 1)
    total = largest + others
    index = np.full(len(largest), np.nan)
    np.divide(largest - others, total, out=index, where=total > 0)
    return index


def binned(activity: np.ndarray, bins: int) -> np.ndarray:
    """Bin activity to (images, units): exact zeros are bin 0, the rest fill `bins` bins equally (D7).

    Bins follow ranks and equal values share a bin, so any increasing map that keeps 0 gives the same bins.
    """
    result = np.zeros(activity.shape, dtype=np.int64)
    for unit, values in enumerate(activity.T):
        active = values != 0
        ranked = np.sort(values[active])
        if len(ranked):
            edges = ranked[np.arange(1, bins) * len(ranked) // bins]
            result[active, unit] = 1 + np.searchsorted(edges, values[active], side="right")
    return result


def mutual_information(bin_numbers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Estimate mutual information (units,) in bits of binned activity (images, units) and class (plug-in)."""
    images, units = bin_numbers.shape
    height = int(bin_numbers.max(initial=0)) + 1
    cell = (np.arange(units) * height + bin_numbers) * classes + labels[:, None]
    counts = np.bincount(cell.ravel(), minlength=units * height * classes)
    joint = counts.reshape(units, height, classes) / images
    return entropy(joint.sum(2)) + entropy(joint.sum(1)) - entropy(joint.reshape(units, -1))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Compute the Shannon entropy in bits over the last dimension."""
    logs = np.zeros_like(probabilities)
    np.log2(probabilities, out=logs, where=probabilities > 0)
    return -(probabilities * logs).sum(-1)


def information_null(
    bin_numbers: np.ndarray, labels: np.ndarray, classes: int, shuffles: int, rng: np.random.Generator
) -> np.ndarray:
    """Estimate the bias: the mean information (units,) in bits that remains when labels are shuffled."""
    each = (mutual_information(bin_numbers, rng.permutation(labels), classes) for _ in range(shuffles))
    return sum(each, np.zeros(bin_numbers.shape[1])) / shuffles


def measure(
    activity: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    bins: int,
    shuffles: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Compute all measures, each (units,), from activity (images, units) and labels (images,).

    Selectivity is NaN for dead units and for units with negative activity; both are marked.
    Information is also given with half and with twice the `bins`, to show how much it depends on them (D7).
    """
    bin_numbers = binned(activity, bins)
    coarse, fine = (binned(activity, number) for number in (max(1, bins // 2), 2 * bins))
    below = negative(activity)
    return {
        "selectivity": np.where(below, np.nan, selectivity(class_means(activity, labels, classes))),
        "information_bits": mutual_information(bin_numbers, labels, classes),
        "information_null_bits": information_null(bin_numbers, labels, classes, shuffles, rng),
        "information_bits_coarse": mutual_information(coarse, labels, classes),
        "information_bits_fine": mutual_information(fine, labels, classes),
        "dead": dead(activity),
        "negative": below,
        "mean": activity.mean(0, dtype=np.float64),
        "sd": activity.std(0, dtype=np.float64),
    }


def measure_all(
    model: nn.Module,
    layers: Mapping[str, int],
    images: Images,
    labels: Tensor,
    classes: int,
    *,
    bins: int,
    shuffles: int,
    seed: int,
    budget: int = BYTES,
) -> dict[str, np.ndarray]:
    """Run `measure` on all units of `layers`, numbered through, each (units,), in bounded memory.

    images: uint8 (n, c, h, w); labels: (n,). budget: see `unit_activity`; it affects no result. A layer with
    even one negative unit has no selectivity at all: the remaining units would be a biased sample.
    """
    self_check.of_network(model, layers, images)
    given = labels.cpu().numpy()
    parts: dict[str, list[dict[str, np.ndarray]]] = {layer: [] for layer in layers}
    for layer, activity in unit_activity(model, layers, images, labels, budget=budget):
        rng = stream("information", seed, layer)  # the same shuffled labels for all blocks of a layer
        parts[layer].append(measure(activity, given, classes, bins=bins, shuffles=shuffles, rng=rng))
    for layer, blocks in parts.items():
        if units := sum(int(block["negative"].sum()) for block in blocks):
            log.warning(
                "%s: %d of %d units are negative for some images: %s", layer, units, layers[layer], NO_INDEX
            )
            for block in blocks:
                block["negative"][:], block["selectivity"][:] = True, np.nan
    every = [block for blocks in parts.values() for block in blocks]
    return {name: np.concatenate([block[name] for block in every]) for name in every[0]}
