"""Cumulative ablation at every checkpoint of training: areas beside losses (Figures 4a, 4b)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, count, share
from directions.core.types import Count
from directions.study.analysis_spec import SPLIT, AnalysisSpec, CurveSettings, Sizes, curve_cost
from directions.study.settings import setting, whole_or_all

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained
    from directions.data.examples import Examples


@dataclass(frozen=True)
class Settings(CurveSettings):
    """Settings of cumulative ablation at every checkpoint."""

    images: Count = setting("all", "images to score, drawn at random: all or so many", whole_or_all(1))


def _cost(settings: Settings, sizes: Sizes) -> tuple[float, float]:
    points, share = curve_cost(settings, sizes)
    return points * sizes.checkpoints, share


SPEC = AnalysisSpec(
    table="checkpoints",
    rows="one row per checkpoint and ordering",
    settings=Settings,
    columns=(
        amount(
            "epoch",
            "of the checkpoint: steps divided by steps per epoch, such as 0.136 for 64 of 469; whole numbers"
            " if all are whole",
        ),
        count("ordering, units", "as in `ablation`"),
        SPLIT,
        count("images", "number of images classified with units ablated"),
        share("auc", "as in `areas`"),
        amount("auc_relative", "as in `areas`", empty=True),
        Column("auc_chance_corrected", "as in `areas`", high=1, empty=True),
        amount(
            "train_loss, test_loss",
            "with nothing ablated, on all images; if `ablate_checkpoints.images` is set, scores of the"
            " ablated split are of those images",
        ),
        share("train_accuracy, test_accuracy", "likewise"),
    ),
    cost=_cost,
    checkpoints=True,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Table epoch, ordering, split, images, units, areas, and the scores with nothing ablated."""
    import pandas as pd

    from directions.analyses.kept_weights import kept_weights
    from directions.analyses.subset import exactly

    sets, split = {name: trained.examples(name) for name in ("train", "test")}, settings.split
    sets[split] = exactly(sets[split], settings.images, split)
    parts = []
    for checkpoint, state in kept_weights(trained):
        trained.load(state)
        part = observe_checkpoint(trained, sets, settings, checkpoint.name)
        parts.append(part.assign(epoch=checkpoint.epoch))
    table = pd.concat(parts)
    return table[["epoch", *(name for name in table if name != "epoch")]]


def observe_checkpoint(
    trained: Trained, sets: Mapping[str, Examples], settings: Settings, name: str
) -> pd.DataFrame:
    """Return a table: ordering, split, images, units, three areas, and the unablated scores on both sets."""
    import pandas as pd

    from directions.analyses import auc
    from directions.analyses.random_curves import random_curves
    from directions.core.scoring import evaluate
    from directions.interventions import ablation

    scores: dict[str, float] = {}
    for split, examples in sets.items():
        score = evaluate(trained.model, examples.images, examples.labels)
        scores |= {f"{split}_loss": score.loss, f"{split}_accuracy": score.accuracy}
    examples = sets[settings.split]
    layers = ablation.chosen(trained.layers, settings.layers)
    curves = random_curves(trained, examples, settings, layers, name)
    columns = auc.variants(curves.ablated, curves.accuracy, examples.classes)
    ablated = {"split": settings.split, "images": len(examples), "units": sum(layers.values())}
    return pd.DataFrame({"ordering": range(len(curves.accuracy)), **ablated, **columns, **scores})
