"""Cumulative ablation of one layer at a time, and of images with clean and with corrupted labels apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import count, text
from directions.core.errors import InputError
from directions.core.types import Count
from directions.study.analysis_spec import ABLATED, SCORED, AnalysisSpec, CurveSettings
from directions.study.settings import setting, whole_or_all

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained
    from directions.data.examples import Examples

EVERY = "all"  # in place of one layer


@dataclass(frozen=True)
class Settings(CurveSettings):
    """Settings of ablation of parts."""

    images: Count = setting(
        2000,
        "images to score of each kind of labels, drawn at random: all, or at most so many",
        whole_or_all(10),
    )


def _cost(settings, sizes):
    units = list(sizes.layers.values())
    points = [part if settings.points == "all" else settings.points for part in [sum(units), *units]]
    return 2 * settings.orderings * sum(points), 1.0


SPEC = AnalysisSpec(
    table="parts",
    rows="one row per point of a cumulative ablation curve of a part of the network, on a part of the images",
    settings=Settings,
    columns=(
        text("layer", "the only layer whose units are ablated; all: units of all layers"),
        text(
            "labels",
            "images scored: those whose training label is true (clean) or not (corrupted); all: both"
            " together",
        ),
        count("images", "their number"),
        count("ordering", "index of the random order of the units, from 0"),
        *ABLATED,
        *SCORED,
    ),
    cost=_cost,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table layer, labels, images, ordering, ablated, units, split, loss, accuracy."""
    import pandas as pd

    from directions.analyses import subset
    from directions.interventions import ablation

    layers = ablation.chosen(trained.layers, settings.layers)
    if EVERY in layers:
        raise InputError(f"a layer is called {EVERY!r}, as all layers together are in this table: rename it")
    groups = subset.by_label(trained.examples(settings.split), settings.images, settings.split)
    parts = [
        of_part(trained, settings, name, chosen, labels, examples)
        for name, chosen in [(EVERY, layers), *((name, {name: units}) for name, units in layers.items())]
        for labels, examples in groups.items()
    ]
    return pd.concat(parts)


def of_part(
    trained: Trained, settings: Settings, name: str, layers: dict[str, int], labels: str, examples: Examples
) -> pd.DataFrame:
    """Return the rows of one part of the network and one kind of images."""
    from directions.analyses.random_curves import as_table, random_curves

    described = f"ablation of {name}, images with {labels} labels"
    curves = random_curves(trained, examples, settings, layers, described)
    table, units = as_table(curves), sum(layers.values())
    table = table.assign(layer=name, labels=labels, images=len(examples), units=units, split=settings.split)
    return table[["layer", "labels", "images", "ordering", "ablated", "units", "split", *curves.scores]]
