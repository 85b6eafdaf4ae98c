"""Cumulative ablation: loss and accuracy as more and more units are clamped (Figures 1, 3, 4c, 5, A1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import count, text
from directions.study.analysis_spec import ABLATED, SCORED, AnalysisSpec, CurveSettings, Sizes, curve_cost
from directions.study.settings import setting

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

    clamp: list[str] = setting(["zero"], "values that ablated units are clamped to", CLAMP)


def _cost(settings: Settings, sizes: Sizes) -> tuple[float, float]:
    points, share = curve_cost(settings, sizes)
    return points * len(settings.clamp), share


SPEC = AnalysisSpec(
    table="ablation",
    rows="one row per point of a cumulative ablation curve",
    settings=Settings,
    columns=(
        text("clamp", "value that ablated units are clamped to: zero, or the mean over the training set"),
        count("ordering", "index of the random order of the units, from 0"),
        *ABLATED,
        *SCORED,
    ),
    cost=_cost,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table clamp, ordering, ablated, units (of the layers ablated), split, loss, accuracy.

    With many classes it ends with accuracy_top5, see `scoring.has_top5`.
    """
    import pandas as pd

    from directions.analyses.random_curves import as_table, random_curves
    from directions.interventions import ablation

    examples = trained.examples(settings.split)
    layers = ablation.chosen(trained.layers, settings.layers)
    parts = []
    for clamp in settings.clamp:
        name, values = f"cumulative ablation, clamp to {clamp}", trained.clamp_values(clamp, layers)
        curves = random_curves(trained, examples, settings, layers, name, values)
        parts.append(as_table(curves).assign(clamp=clamp))
    table = pd.concat(parts).assign(units=sum(layers.values()), split=settings.split)
    return table[["clamp", "ordering", "ablated", "units", "split", *curves.scores]]
