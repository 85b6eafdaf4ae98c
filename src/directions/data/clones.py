"""Gaussian clones of a data set (Refinetti et al. 2023): images that share only means and variances with it.

Each class is a normal distribution with the mean image of the class and either one variance for all pixels,
or the covariance of its images, across channels too. The test images are the real ones. Clones are not
clipped: pixels of a clone of MNIST fall below 0 and above 1, and the network sees them as they are.
"""

from functools import partial

import numpy as np

from directions.core.types import present
from directions.data.dataset import Dataset
from directions.data.generated import Arrays, generated, rounded
from directions.data.mnist import MNIST
from directions.data.specs import Known

RIDGE = 1e-3  # added to every variance, of pixels in 0..1, as MNIST's borders never vary


def draw(
    split: str, count: int, random: np.random.Generator, real: Dataset | None, *, isotropic: bool
) -> Arrays:
    """Draw clones of the training images, with uniform labels; return the first `count` real test images.

    Images are float32 in units of 0..1.
    """
    images, labels = present(real).split(split)
    pixels = np.asarray(images) / 255
    if split == "test":
        return rounded(pixels[:count]), labels[:count]
    return clones(pixels, labels, random.integers(present(real).classes, size=count), random, isotropic)


def clones(
    images: np.ndarray, labels: np.ndarray, wanted: np.ndarray, random: np.random.Generator, isotropic: bool
) -> Arrays:
    """Draw one clone for each label in `wanted`, from images (n, c, h, w) of a class at a time."""
    drawn = np.empty((len(wanted), *images.shape[1:]), np.float32)
    for label in np.unique(wanted):
        places = np.flatnonzero(wanted == label)
        pixels = images[labels == label].reshape((labels == label).sum(), -1)
        mean, root = pixels.mean(0), _root(pixels, isotropic)
        noise = random.standard_normal((len(places), len(mean)))
        drawn[places] = rounded(mean + noise @ root.T).reshape(-1, *images.shape[1:])
    return drawn, wanted


def _root(pixels: np.ndarray, isotropic: bool) -> np.ndarray:
    """Return a matrix whose product with its transpose is the covariance of a class's clones."""
    if isotropic:
        return np.sqrt(pixels.var(0, ddof=1).mean()) * np.eye(pixels.shape[1])
    return np.linalg.cholesky(np.cov(pixels.T) + RIDGE * np.eye(pixels.shape[1]))


def _known(kind: str, isotropic: bool) -> Known:
    return generated(
        partial(draw, isotropic=isotropic),
        of=MNIST,
        name=f"mnist_clones_{kind}",
        title=f"MNIST's Gaussian clones, {kind} covariance",
        train_images=20_000,
        test_images=10_000,
        class_names=MNIST.class_names,
        shape=MNIST.shape,
    )


MNIST_CLONES_ISOTROPIC = _known("isotropic", isotropic=True)
MNIST_CLONES_FULL = _known("full", isotropic=False)
