"""Cumulative ablation in random orders of the units (paper, section 3.1), as several analyses need it."""

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from directions.analyses.network import Trained, grid_table
from directions.data.examples import Examples
from directions.interventions import ablation
from directions.study.analysis_spec import CurveSettings


def random_curves(
    trained: Trained,
    examples: Examples,
    settings: CurveSettings,
    layers: Mapping[str, int],
    name: str,
    values: Mapping[str, Tensor | float] | None = None,
) -> ablation.Curves:
    """Compute the curves that `settings` ask for, scored on these examples.

    layers: {name: number of units}, ablated together. name: of the curves, to resume them and in the log.
    values: what units are clamped to; None: zero.
    """
    units = sum(layers.values())
    return ablation.cumulative(
        trained.model,
        examples.images,
        examples.labels,
        layers=layers,
        orders=ablation.orderings(units, settings.orderings, trained.seed),
        ablated_counts=ablation.grid(units, settings.points),
        values=values or dict.fromkeys(layers, 0.0),
        precision=settings.precision,
        unfinished=trained.unfinished,
        name=name,
    )


def as_table(curves: ablation.Curves) -> pd.DataFrame:
    """Tabulate curves: ordering, ablated, and a column per score."""
    keys = ("ordering", range(len(curves.accuracy))), ("ablated", curves.ablated)
    return grid_table(*keys, **curves.scores)
