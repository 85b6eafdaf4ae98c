"""Two classes of random fields on a ring that differ in correlation length alone (Ingrosso & Goldt 2022).

z is Gaussian with covariance exp(-(d / length)^2), d the distance on the ring. `nlgp` shows
erf(GAIN z / sqrt 2), scaled to variance 1, which has edges; `nlgp_gaussian` a Gaussian field with the same
covariance, which has none. A network that tells classes apart by covariance does as well on either.
"""

from functools import partial

import numpy as np

from directions.data.dataset import Dataset
from directions.data.generated import Arrays, generated, rounded
from directions.data.specs import Known

SITES = 64
LENGTHS = (2.0, 6.0)  # of the two classes, in sites
GAIN = 3.0
RIDGE = 1e-3  # added to the variance of z, before scaling it to 1


def of_z(length: float, sites: int = SITES) -> np.ndarray:
    """Return the covariance of z, (sites, sites), with a diagonal of 1."""
    apart = np.abs(np.subtract.outer(np.arange(sites), np.arange(sites)))
    distance = np.minimum(apart, sites - apart)
    return (np.exp(-((distance / length) ** 2)) + RIDGE * np.eye(sites)) / (1 + RIDGE)


def of_images(length: float, gain: float = GAIN, sites: int = SITES) -> np.ndarray:
    """Return the covariance of the images of a class, 2 / (pi gamma) asin(g^2 / (1 + g^2) C), (sites, sites).

    C is that of z and gamma makes the variance 1.
    """
    kept = gain**2 / (1 + gain**2)
    return np.arcsin(kept * of_z(length, sites)) / np.arcsin(kept)


def draw(
    _split: str, count: int, random: np.random.Generator, _real: Dataset | None, *, gaussian: bool
) -> Arrays:
    """Draw uniform labels, and for each a field: images float32 (n, 1, 1, SITES)."""
    from scipy.special import erf  # here, as whatever plans imports this file

    labels = random.integers(len(LENGTHS), size=count)
    fields = np.empty((count, SITES))
    for label, length in enumerate(LENGTHS):
        covariance = of_images(length) if gaussian else of_z(length)
        normal = random.standard_normal(((labels == label).sum(), SITES))
        fields[labels == label] = normal @ np.linalg.cholesky(covariance).T
    if not gaussian:
        gamma = 2 / np.pi * np.arcsin(GAIN**2 / (1 + GAIN**2))
        fields = erf(GAIN * fields / np.sqrt(2)) / np.sqrt(gamma)
    return rounded(fields)[:, None, None], labels


def _known(name: str, title: str, gaussian: bool) -> Known:
    return generated(
        partial(draw, gaussian=gaussian),
        name=name,
        title=title,
        train_images=60_000,
        test_images=10_000,
        class_names=tuple(f"length {length:g}" for length in LENGTHS),
        shape=(1, 1, SITES),
    )


NLGP = _known("nlgp", "non-linear Gaussian process", gaussian=False)
NLGP_GAUSSIAN = _known("nlgp_gaussian", "Gaussian process with the covariance of nlgp", gaussian=True)
