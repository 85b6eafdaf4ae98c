"""How many wrong training labels a network reproduces, and what it must know for that (docs/BEYOND.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import amount, count, share
from directions.study.analysis_spec import AnalysisSpec

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained


@dataclass(frozen=True)
class Settings:
    """This analysis has none: it scores all training images."""


SPEC = AnalysisSpec(
    table="memorization",
    rows="one row per network",
    settings=Settings,
    columns=(
        count("images", "number of training images"),
        count("corrupted", "those whose training label is not the true one"),
        share(
            "reproduced",
            "fraction of the corrupted images to which the network gives their wrong label; empty if there"
            " are none",
            empty=True,
        ),
        share(
            "clean_accuracy",
            "fraction of the other images to which it gives their label; empty if there are none",
            empty=True,
        ),
        share("error", "fraction of all images to which it does not give their training label"),
        amount(
            "least_bits",
            "least information about the labels, given the images, that a network with this error must hold:"
            " bits per image, by Fano's inequality, for labels that were shuffled among some images",
        ),
    ),
    cost=lambda _settings, _sizes: (1, 1.0),
    resumes=False,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`, one row."""
    import pandas as pd
    import torch

    from directions.core.scoring import pass_size, passes, right

    examples = trained.examples("train")
    size = pass_size(trained.model, examples.images)
    with torch.no_grad():
        parts = [
            right(trained.model(images), labels)
            for images, labels in passes(examples.images, examples.labels, size)
        ]
    correct = torch.cat(parts).cpu()
    changed = torch.zeros_like(correct) if examples.changed is None else examples.changed.cpu()
    frequency = torch.bincount(examples.labels.cpu(), minlength=examples.classes) / len(correct)
    error = 1 - correct.double().mean().item()
    row = {
        "images": len(correct),
        "corrupted": int(changed.sum()),
        "reproduced": correct[changed].double().mean().item(),
        "clean_accuracy": correct[~changed].double().mean().item(),
        "error": error,
        "least_bits": least_bits(changed.double().mean().item(), error, frequency.tolist()),
    }
    return pd.DataFrame([row])[SPEC.names]


def least_bits(changed: float, error: float, frequency: list[float]) -> float:
    """Compute the least information about the labels, in bits per image, at this training error (Fano).

    H - h(error) - error log2(classes - 1), or 0 if that is negative, with h the entropy of a coin and H that
    of a label given its image: the labels of some images, of all classes alike, were shuffled, by which a
    share `changed` of all labels differs from the true ones. frequency: of the labels, per class. It holds
    for the mean over shuffles, if the image determines its true label.
    """
    import numpy as np

    from directions.analyses.selectivity import entropy

    labels = np.array(frequency)
    repeated = (labels**2).sum()  # how often a shuffled label is the true one again
    shuffled = min(1.0, changed / (1 - repeated)) if repeated < 1 else 0.0
    given = shuffled * labels + (1 - shuffled) * np.eye(len(labels))  # rows: the true class
    unknown = entropy(np.array([error, 1 - error])) + error * np.log2(max(len(labels) - 1, 1))
    return max(0.0, float(labels @ entropy(given) - unknown))
