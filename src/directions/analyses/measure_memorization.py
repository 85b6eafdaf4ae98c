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
            " bits per image, by Fano's inequality",
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
    error = 1 - correct.double().mean().item()
    row = {
        "images": len(correct),
        "corrupted": int(changed.sum()),
        "reproduced": correct[changed].double().mean().item(),
        "clean_accuracy": correct[~changed].double().mean().item(),
        "error": error,
        "least_bits": least_bits(changed.double().mean().item(), error, examples.classes),
    }
    return pd.DataFrame([row])[SPEC.names]


def least_bits(changed: float, error: float, classes: int) -> float:
    """Compute the least information about the labels, in bits per image, at this training error (Fano).

    H - error log2(classes - 1) - h(error), or 0 if that is negative, with h the entropy of a coin. H is the
    entropy of a label given its image: a share `changed` of the labels is replaced by one of the other
    classes, each as likely, and without noise the image determines its label. It holds for the mean over
    draws of the labels.
    """
    return max(0.0, flipped(changed, classes) - flipped(error, classes))


def flipped(share: float, classes: int) -> float:
    """Compute the entropy in bits of a label that is, with this probability, one of the other classes."""
    import math

    terms = [share * math.log2(share / (classes - 1))] if share > 0 else []
    terms += [(1 - share) * math.log2(1 - share)] if share < 1 else []
    return -sum(terms)
