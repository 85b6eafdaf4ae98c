"""Measures of what the units of a layer share: pairwise information, and its decomposition about the class.

All take the activity of units as (images, units), one number per image, and return bits. An estimate of
information from finitely many images is biased upwards; every measure has a null, the same estimate where the
truth is 0.
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri

from directions.analyses.selectivity import entropy, mutual_information

NEIGHBOURS = 3  # of KSG
PARTS = (
    "information", "redundancy", "unique", "synergy", "redundancy_specific", "synergy_specific",
)  # fmt: skip
JITTER = 1e-10  # of KSG, in standard deviations: units that are 0 for several images have no ties then


def normal_scores(activity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replace the values of each unit by the normal quantiles of their ranks; 0 for a constant unit.

    Equal values, as the zeros of a ReLU, are ranked at random: independently for each unit, so that ties add
    no dependence.
    """
    images, units = activity.shape
    quantiles = ndtri((np.arange(images) + 0.5) / images)
    scores = np.zeros((images, units))
    for unit, values in enumerate(activity.T):
        if not constant(values):
            mixed = rng.permutation(images)
            scores[mixed[np.argsort(values[mixed], kind="stable")], unit] = quantiles
    return scores


def constant(values: np.ndarray) -> bool:
    """Return whether a unit has the same value for all images; its SD in floating point may differ from 0."""
    return bool((values == values[0]).all())


def copula_information(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Estimate the information in bits between units (images, a) and units (images, b), (a, b).

    Gaussian copula: -1/2 log2(1 - r^2) of the correlation of `normal_scores`. It sees monotone dependence
    only, which makes it a lower bound of the information in most cases. For independent units its expectation
    is 1 / (2 ln 2 images). It is at most log2(images), what so many images can tell apart.
    """
    images = len(scores)
    variance = np.square(ndtri((np.arange(images) + 0.5) / images)).mean()
    correlation = scores.T @ others / (images * variance)
    return -0.5 * np.log2(np.maximum(1 - np.square(correlation), images**-2.0))


def mean_with_others(scores: np.ndarray) -> np.ndarray:
    """Average each unit's information with all others, (units,); NaN for the only unit of a layer."""
    information = copula_information(scores, scores)
    np.fill_diagonal(information, 0)
    others = len(information) - 1
    return information.sum(1) / others if others else np.full(1, np.nan)


def ksg_information(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> float:
    """Estimate the information in bits between two units, (images,) each (Kraskov et al. 2004, estimator 1).

    Sees any dependence. Values get a jitter far below their spread, so that ties are no distances of 0.
    Nearly unbiased for independent units: estimates below 0 are kept, so that means are not biased. 0 if a
    unit is constant; NaN for fewer images than neighbours.
    """
    if constant(first) or constant(second):
        return 0.0
    images = len(first)
    if images <= NEIGHBOURS + 1:
        return float("nan")
    points = np.stack([(values - values.mean()) / values.std() for values in (first, second)], axis=1)
    points = points + JITTER * rng.standard_normal(points.shape)
    distance = cKDTree(points).query(points, k=NEIGHBOURS + 1, p=np.inf)[0][:, -1]
    inside = np.zeros(images)
    for values in points.T:
        ordered = np.sort(values)
        nearer = np.searchsorted(ordered, values + distance, "left")
        nearer -= np.searchsorted(ordered, values - distance, "right")
        inside += digamma(np.maximum(nearer, 1))  # the point itself counts as the 1 of digamma(n + 1)
    return float(digamma(NEIGHBOURS) + digamma(images) - inside.mean()) / np.log(2)


def partners(units: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draw pairs of units (pairs, 2), each once, in which every unit has `number` partners, or all others.

    number: an odd one is rounded up. The units are put on a circle in random order, and paired with their
    nearest neighbours.
    """
    reach = -(-number // 2)
    if units <= 2 * reach + 1:
        return np.stack(np.triu_indices(units, 1), axis=1)
    circle = rng.permutation(units)
    steps = [np.stack([circle, np.roll(circle, -step)], axis=1) for step in range(1, reach + 1)]
    return np.concatenate(steps)


def mean_over_pairs(values: np.ndarray, pairs: np.ndarray, units: int) -> np.ndarray:
    """Average values (pairs,) over the pairs of each unit, (units,); NaN for a unit without a pair."""
    number = np.bincount(pairs.ravel(), minlength=units)
    total = np.bincount(pairs.ravel(), weights=np.repeat(values, 2), minlength=units)
    return np.divide(total, number, out=np.full(units, np.nan), where=number > 0)


def decomposition(
    bin_numbers: np.ndarray, pairs: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, np.ndarray]:
    """Decompose what two units tell about the class into redundancy, unique parts and synergy, each (pairs,).

    bin_numbers: binned activity (images, units). redundancy: the smaller of the two units' information
    (minimum mutual information). synergy: what both tell together less the larger one. unique: the larger one
    less the smaller. redundancy_specific, synergy_specific: the same with I_min, the expectation over classes
    of the smaller specific information (Williams and Beer 2010). information: of both together.
    """
    if not len(pairs):
        return {part: np.empty(0) for part in PARTS}
    height = int(bin_numbers.max(initial=0)) + 1
    single = mutual_information(bin_numbers, labels, classes)[pairs]
    left, right = bin_numbers[:, pairs[:, 0]], bin_numbers[:, pairs[:, 1]]
    joint = mutual_information(left * height + right, labels, classes)
    least, most = single.min(1), single.max(1)
    specific = specific_information(bin_numbers, labels, classes)
    frequency = np.bincount(labels, minlength=classes) / len(labels)
    shared = np.minimum(specific[pairs[:, 0]], specific[pairs[:, 1]]) @ frequency
    specific_synergy = joint - single.sum(1) + shared
    found = joint, least, most - least, joint - most, shared, specific_synergy
    return dict(zip(PARTS, found, strict=True))


def specific_information(bin_numbers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Compute what each unit tells about each class, (units, classes) in bits; 0 for a class without images.

    The divergence of the unit's bins given the class from its bins overall; its mean over the images is the
    mutual information.
    """
    images, units = bin_numbers.shape
    height = int(bin_numbers.max(initial=0)) + 1
    cell = (np.arange(units) * height + bin_numbers) * classes + labels[:, None]
    counts = np.bincount(cell.ravel(), minlength=units * height * classes).reshape(units, height, classes)
    overall = counts.sum(2, keepdims=True) / images
    given = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ratio = np.divide(given, overall, out=np.ones_like(given), where=given > 0)
    return (given * np.log2(ratio)).sum(1)


def added(bin_numbers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Compute what each unit adds to all others of its layer about the class, (units,) in bits.

    What all tell together less what all but this one tell; the smallest of a layer is its full-order synergy
    (Proca et al. 2022). NaN for a layer whose combinations of bins and classes are more than the images.
    """
    images, units = bin_numbers.shape
    if (int(bin_numbers.max(initial=0)) + 1) ** units * classes > images:
        return np.full(units, np.nan)
    every = _together(bin_numbers, labels, classes)
    without = [_together(np.delete(bin_numbers, unit, axis=1), labels, classes) for unit in range(units)]
    return np.maximum(every - np.array(without), 0)


def _together(bin_numbers: np.ndarray, labels: np.ndarray, classes: int) -> float:
    """Compute the information of all these units together about the class."""
    _, states = np.unique(bin_numbers, axis=0, return_inverse=True)
    return float(mutual_information(states.reshape(-1, 1), labels, classes)[0])


def entropies(activity: np.ndarray, bins: int) -> dict[str, np.ndarray]:
    """Compute the entropy of each unit's activity in bits, (units,), under three ways to bin it.

    global: `bins` of equal width from the smallest to the largest value of the whole layer, as in Bansal et
    al. (2022); unit: of each unit by itself; standardised: global bins after each unit has mean 0 and
    standard deviation 1. Whether entropy rises or falls with memorisation depends on this choice.
    """
    sd = np.where([constant(values) for values in activity.T], 0, activity.std(0))
    standard = np.divide(activity - activity.mean(0), sd, out=np.zeros_like(activity), where=sd > 0)
    every = (activity.min(), activity.max())
    return {
        "global": _entropy(activity, bins, *every),
        "unit": _entropy(activity, bins, activity.min(0), activity.max(0)),
        "standardised": _entropy(standard, bins, standard.min(), standard.max()),
    }


def _entropy(activity: np.ndarray, bins: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    images, units = activity.shape
    width = np.broadcast_to(np.asarray(high - low, dtype=float), units)
    scaled = np.divide(activity - low, width, out=np.zeros(activity.shape), where=width > 0)
    cell = np.arange(units) * bins + np.minimum((scaled * bins).astype(int), bins - 1)
    return entropy(np.bincount(cell.ravel(), minlength=units * bins).reshape(units, bins) / images)


def predictability(activity: np.ndarray, ridge: float = 1e-3) -> np.ndarray:
    """Compute how well each unit is predicted by a linear function of the others, R^2 (units,).

    From the inverse of the correlation matrix plus `ridge`; NaN for a constant unit.
    """
    sd = activity.std(0)
    alive = np.array([not constant(values) for values in activity.T])
    found = np.full(activity.shape[1], np.nan)
    standard = (activity[:, alive] - activity[:, alive].mean(0)) / sd[alive]
    if alive.any():
        correlation = standard.T @ standard / len(activity) + ridge * np.eye(int(alive.sum()))
        found[alive] = np.clip(1 - 1 / np.diag(np.linalg.inv(correlation)), 0, 1)
    return found


def participation_ratio(activity: np.ndarray) -> float:
    """Compute the number of dimensions that a layer's activity fills: (sum of variances)^2 / sum of squares.

    Of the variances along principal components: between 1 and the number of units; NaN if all are constant.
    """
    covariance = np.atleast_2d(np.cov(activity, rowvar=False))
    squares = float(np.square(covariance).sum())
    return float(np.trace(covariance)) ** 2 / squares if squares > 0 else float("nan")
