"""Cumulative ablation, scored on the most and the least informative training examples apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.analyses.example_settings import ScoreSettings
from directions.core.columns import count, text
from directions.study.analysis_spec import ABLATED, SCORED, AnalysisSpec, CurveSettings, curve_cost
from directions.study.settings import one_of, setting

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained

RANKED_BY = ("information", "early_loss")
TENTH = 10  # of the examples, in the first and the last part of a ranking


@dataclass(frozen=True)
class Settings(CurveSettings, ScoreSettings):
    """Settings of ablation scored on informative examples."""

    split: str = setting("train", "images to score: examples are training images", one_of("train"))


SPEC = AnalysisSpec(
    table="informative",
    rows="one row per point of a cumulative ablation curve on a tenth of the training examples",
    settings=Settings,
    columns=(
        text("ranked_by", "column of `examples` by which they were ranked"),
        text("labels", "the examples ranked: those with true labels (clean), or all"),
        text("part", "the tenth of each class with the highest values (most) or the lowest (least)"),
        count("images", "their number"),
        count("ordering", "index of the random order of the units, from 0"),
        *ABLATED,
        *SCORED,
    ),
    cost=lambda settings, sizes: (60 + curve_cost(settings, sizes)[0], 1.0),
    checkpoints=True,
    start=True,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`."""
    import pandas as pd
    import torch

    from directions.analyses import subset, unique_information
    from directions.analyses.random_curves import as_table, random_curves
    from directions.interventions import ablation

    scored = unique_information.scores(trained, unique_information.posed(trained, settings))
    layers = ablation.chosen(trained.layers, settings.layers)
    tables = []
    for names, places in tenths(scored):
        examples = subset.of(trained.examples("train"), torch.as_tensor(places))
        curves = random_curves(trained, examples, settings, layers, " ".join(names.values()))
        tables.append(as_table(curves).assign(**names, images=len(examples)))
    table = pd.concat(tables).assign(units=sum(layers.values()), split=settings.split)
    return table[[name for name in SPEC.names if name in table]]


def tenths(scored: pd.DataFrame) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Yield names and training images of the first and the last tenth of each class, by each ranking.

    Of each class, because a network without its units gives all images the same answer.
    """
    for score in RANKED_BY:
        for labels, chosen in (("all", scored), ("clean", scored[scored["labels"] == "clean"])):
            most: list[int] = []
            least: list[int] = []
            for _, ranked in chosen.sort_values(score, kind="stable").groupby("label"):
                images, tenth = ranked["image"].tolist(), len(ranked) // TENTH
                least += images[:tenth]
                most += images[len(images) - tenth :]
            for part, images in (("most", most), ("least", least)):
                if images:
                    yield {"ranked_by": score, "labels": labels, "part": part}, images
