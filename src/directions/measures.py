"""What a unit tells about the class: selectivity and mutual information (paper, sections 2.4 and A.5).

All take the activity of units as (images, units): one number per image, a feature map's being its mean over
all spatial positions. Activity is meant to be non-negative, after a ReLU.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from directions.evaluation import pass_size, passes
from directions.units import observed


@torch.no_grad()
def unit_activity(
    model: nn.Module, layers: Iterable[str], images: Tensor, labels: Tensor, size: int | None = None
) -> dict[str, np.ndarray]:
    """{layer: activity (images, units) in float32}: the mean over the positions of each feature map.

    One pass over uint8 images (n, c, h, w); size: images per pass, None: see `evaluation.pass_size`.
    """
    parts: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    with observed(model, parts) as seen:
        for inputs, _ in passes(images, labels, size or pass_size(model, images)):
            model(inputs)
            for layer, found in parts.items():
                # Feature maps are (examples, units, h, w), dense units (examples, units).
                output = seen[layer]
                found.append((output.flatten(2).mean(2) if output.dim() > 2 else output).float().cpu())
    return {layer: torch.cat(found).numpy() for layer, found in parts.items()}


def dead(activity: np.ndarray) -> np.ndarray:
    """(units,) bool: units that are 0 for every image. They have no selectivity and no importance."""
    return ~activity.any(axis=0)


def class_means(activity: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Mean activity (classes, units) over the images of each class."""
    member = np.eye(classes)[labels]  # (images, classes)
    return member.T @ activity.astype(np.float64) / member.sum(0)[:, None]


def selectivity(means: np.ndarray) -> np.ndarray:
    """Class selectivity index (units,) from class means (classes, units); section 2.4.

    (largest - mean of the other classes' means) / (their sum): 0 for the same mean in every class, 1 for
    activity in one class only. NaN for dead units, whose index is 0/0: they are reported apart (D8).
    """
    largest = means.max(0)
    others = (means.sum(0) - largest) / (len(means) - 1)
    total = largest + others
    index = np.full(len(largest), np.nan)
    np.divide(largest - others, total, out=index, where=total > 0)
    return index


def binned(activity: np.ndarray, bins: int) -> np.ndarray:
    """Bin numbers (images, units): exact zeros are bin 0, the rest fall into `bins` equally filled bins (D7).

    Bins follow ranks, equal values share a bin, so any increasing map that keeps 0 gives the same bins.
    """
    result = np.zeros(activity.shape, dtype=np.int64)
    for unit, values in enumerate(activity.T):
        positive = np.sort(values[values > 0])
        if len(positive):
            edges = positive[np.arange(1, bins) * len(positive) // bins]
            active = values > 0
            result[active, unit] = 1 + np.searchsorted(edges, values[active], side="right")
    return result


def mutual_information(bin_numbers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Plug-in mutual information (units,) in bits between binned activity (images, units) and the class."""
    images, units = bin_numbers.shape
    height = int(bin_numbers.max(initial=0)) + 1
    cell = (np.arange(units) * height + bin_numbers) * classes + labels[:, None]
    counts = np.bincount(cell.ravel(), minlength=units * height * classes)
    joint = counts.reshape(units, height, classes) / images
    return entropy(joint.sum(2)) + entropy(joint.sum(1)) - entropy(joint.reshape(units, -1))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Shannon entropy in bits over the last dimension."""
    logs = np.zeros_like(probabilities)
    np.log2(probabilities, out=logs, where=probabilities > 0)
    return -(probabilities * logs).sum(-1)


def information_null(
    bin_numbers: np.ndarray, labels: np.ndarray, classes: int, shuffles: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean information (units,) in bits that remains when labels are shuffled: the estimator's bias."""
    total = sum(mutual_information(bin_numbers, rng.permutation(labels), classes) for _ in range(shuffles))
    return total / shuffles


def measure_layer(
    activity: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    bins: int,
    shuffles: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """All measures of one layer's units, each (units,), from activity (images, units), labels (images,).

    Information is also given with half and with twice the `bins`: how far it hangs on their number (D7).
    """
    bin_numbers = binned(activity, bins)
    coarse, fine = (binned(activity, number) for number in (max(1, bins // 2), 2 * bins))
    return {
        "selectivity": selectivity(class_means(activity, labels, classes)),
        "information_bits": mutual_information(bin_numbers, labels, classes),
        "information_null_bits": information_null(bin_numbers, labels, classes, shuffles, rng),
        "information_bits_coarse": mutual_information(coarse, labels, classes),
        "information_bits_fine": mutual_information(fine, labels, classes),
        "dead": dead(activity),
        "mean": activity.mean(0, dtype=np.float64),
        "sd": activity.std(0, dtype=np.float64),
    }
