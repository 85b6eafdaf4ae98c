"""Reliance on single units where labels are true and networks still memorise (docs/BEYOND.md)."""

from collections.abc import Callable

import numpy as np

from directions.claims.statistics.bootstrap import Combine, Groups, Measured, Sample
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.memorization import kept_areas
from directions.claims.statistics.networks import MEMORISED, by_setting
from directions.claims.statistics.ranks import Untestable
from directions.core.tables import Tables, require

Kind = tuple[str, float, int]  # data set, fraction of labels shuffled, number of training images
PVR, MNIST, ISOTROPIC, FULL = "pvr", "mnist", "mnist_clones_isotropic", "mnist_clones_full"


def kinds(*datasets: str, true_labels: bool = False) -> Sample:
    """Sample {kind: one (orderings, 2) array per network}: area kept, train minus test accuracy.

    Kinds count if all of their networks learned their training labels, and of these data sets only; without
    any, of all.
    """

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs, kept = require(tables, "runs", "run", "train_accuracy", "test_accuracy"), kept_areas(tables)
        settings = zip(runs["dataset"], runs["corrupt"].astype(float), runs["train_images"], strict=True)
        runs = runs.assign(kind=list(settings))
        runs = runs[runs.groupby("kind")["train_accuracy"].transform("min") >= MEMORISED]
        if true_labels:
            runs = runs[runs["corrupt"] == 0]
        if missing := sorted(set(datasets) - set(runs["dataset"])):
            raise Untestable(f"no networks of this study learned labels of {missing[0]}")
        runs = runs[runs["dataset"].isin(datasets)] if datasets else runs
        if runs.empty:
            raise Untestable("no networks of this study learned their labels")
        gaps = (runs["train_accuracy"] - runs["test_accuracy"]).set_axis(runs["run"])
        observed = kept[kept["run"].isin(runs["run"])]
        observed = observed.assign(gap=observed["run"].map(gaps))
        return by_setting(runs, observed, "kind")

    return sample


def lead_of_true_labels(measured: Measured) -> np.ndarray:
    """Subtract the area kept with the most shuffled labels from that with true ones, of as many images."""
    most = max(corrupt for _, corrupt, _ in measured)
    return _lead(measured, lambda kind: (kind[0], most, kind[2]), lambda kind: kind[1] == 0 < most)


def lead(one: str, other: str) -> tuple[Sample, Combine]:
    """Subtract a data set's area kept from another's, of as many images with true labels: sample, combine."""

    def combine(measured: Measured) -> np.ndarray:
        return _lead(measured, lambda kind: (other, *kind[1:]), lambda kind: kind[0] == one)

    return kinds(one, other, true_labels=True), combine


def _lead(measured: Measured, partner: Callable[[Kind], Kind], wanted: Callable[[Kind], bool]) -> np.ndarray:
    """Average the difference of the area kept over all pairs of kinds whose networks learned their labels."""
    means = {kind: values[..., 0].mean(1) for kind, values in measured.items()}
    pairs = [(kind, partner(kind)) for kind in means if wanted(kind) and partner(kind) in means]
    if not pairs:
        raise Untestable("this study lacks networks with as many images to compare")
    return np.mean([means[one] - means[other] for one, other in pairs], axis=0)
