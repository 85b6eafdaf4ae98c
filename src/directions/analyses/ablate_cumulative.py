"""Cumulative ablation: loss and accuracy as more and more units are clamped (Figures 1, 3, 4c, 5, A1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import count, text
from directions.core.types import Count
from directions.study.analysis_spec import (
    ABLATED,
    NORM_IMAGES,
    SCORED,
    SCORED_IMAGES,
    AnalysisSpec,
    CurveSettings,
    Sizes,
    curve_cost,
)
from directions.study.settings import or_null, setting, whole, whole_or_all

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained

CLAMP = {
    "type": "array", "minItems": 1, "uniqueItems": True,
    "items": {"enum": ["zero", "mean"], "description": "zero or mean"},
    "description": "a list of one or both of zero, mean, each once",
}  # fmt: skip


@dataclass(frozen=True)
class Settings(CurveSettings):
    """Settings of cumulative ablation."""

    images: Count = setting("all", "images to score, drawn at random: all or so many", whole_or_all(1))
    clamp: list[str] = setting(["zero"], "values that ablated units are clamped to", CLAMP)
    norm_images: int | None = setting(
        None,
        "images that batch norm normalises together, by their own mean and variance, with clamp [zero] and in"
        " float32; those that fill no batch are left out; null: by the statistics kept from training (D32)",
        or_null(whole(2, " (images), or null")),
    )


def _cost(settings: Settings, sizes: Sizes) -> tuple[float, float]:
    points, share = curve_cost(settings, sizes)
    # By hooks, at most all that follows the images is computed at each point.
    return points * len(settings.clamp), share if settings.norm_images is None else 1.0


SPEC = AnalysisSpec(
    table="ablation",
    rows="one row per point of a cumulative ablation curve",
    settings=Settings,
    columns=(
        text("clamp", "value that ablated units are clamped to: zero, or the mean over the training set"),
        count("ordering", "index of the random order of the units, from 0"),
        *ABLATED,
        *SCORED,
        NORM_IMAGES,
        SCORED_IMAGES,
    ),
    cost=_cost,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table clamp, ordering, ablated, units (of the layers ablated), split, loss, accuracy.

    With many classes accuracy_top5 follows, see `scoring.has_top5`; where the settings ask for them,
    norm_images and scored_images.
    """
    import pandas as pd

    from directions.analyses import subset
    from directions.analyses.random_curves import as_table, random_curves
    from directions.interventions import ablation, norm_statistics

    every = trained.examples(settings.split)
    examples = subset.exactly(every, settings.images, settings.split)
    layers = ablation.chosen(trained.layers, settings.layers)
    together = settings.norm_images
    if together and not norm_statistics.acts_on(trained.model, examples.images):
        together = None
    parts = []
    for clamp in settings.clamp:
        name, values = f"cumulative ablation, clamp to {clamp}", trained.clamp_values(clamp, layers)
        curves = random_curves(trained, examples, settings, layers, name, values, together)
        parts.append(as_table(curves).assign(clamp=clamp))
    table = pd.concat(parts).assign(units=sum(layers.values()), split=settings.split)
    table = table[["clamp", "ordering", "ablated", "units", "split", *curves.scores]]
    if together is not None:
        table = table.assign(norm_images=together)
    scored = len(examples) - (len(examples) % together if together else 0)
    if scored < len(every):
        table = table.assign(scored_images=scored)
    return table
