"""Cumulative ablation in random orders of the units (paper, section 3.1), as several analyses need it."""

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from directions.analyses.network import Trained, grid_table
from directions.data.examples import Examples
from directions.interventions import ablation
from directions.interventions.norm_statistics import whole_batches
from directions.study.analysis_spec import CurveSettings


def random_curves(
    trained: Trained,
    examples: Examples,
    settings: CurveSettings,
    layers: Mapping[str, int],
    name: str,
    values: Mapping[str, Tensor | float] | None = None,
    norm_images: int | None = None,
) -> ablation.Curves:
    """Compute the curves that `settings` ask for, scored on these examples.

    layers: {name: number of units}, ablated together. name: of the curves, to resume them and in the log.
    values: what units are clamped to; None: zero. norm_images: images that batch norm normalises by their own
    statistics, in batches drawn at random; None: by those kept from training.
    """
    units, images, labels = sum(layers.values()), examples.images, examples.labels
    if norm_images is not None:
        images, labels = whole_batches(images, labels, norm_images, settings.split, trained.seed)
    return ablation.cumulative(
        trained.model,
        images,
        labels,
        layers=layers,
        orders=ablation.orderings(units, settings.orderings, trained.seed),
        ablated_counts=ablation.grid(units, settings.points),
        values=values or dict.fromkeys(layers, 0.0),
        precision=settings.precision,
        norm_images=norm_images,
        unfinished=trained.unfinished,
        name=name,
    )


def as_table(curves: ablation.Curves) -> pd.DataFrame:
    """Tabulate curves: ordering, ablated, and a column per score."""
    keys = ("ordering", range(len(curves.accuracy))), ("ablated", curves.ablated)
    return grid_table(*keys, **curves.scores)
