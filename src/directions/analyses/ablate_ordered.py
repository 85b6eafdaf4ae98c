"""Cumulative ablation in the orders that later work proposed, beside the paper's random one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import count, text
from directions.core.types import Count
from directions.study.analysis_spec import ABLATED, SCORED, AnalysisSpec, CurveSettings, curve_cost
from directions.study.settings import one_of, setting, whole_or_all

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained

SCORES = (
    "selectivity", "information", "mutual", "redundancy", "synergy", "importance", "mean_activity", "l1",
)  # fmt: skip
ORDERS = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": {"enum": list(SCORES), "description": ", ".join(SCORES)},
    "description": f"a list of one or more of {', '.join(SCORES)}, each once",
}
DIRECTIONS = ("highest", "lowest")
WITHIN = ("all layers", "each layer")


@dataclass(frozen=True)
class Settings(CurveSettings):
    """Settings of ablation in an order."""

    orders: list[str] = setting(
        list(SCORES[:6]), "scores of units that give an order, each in both directions", ORDERS
    )
    ranked: str = setting(
        "each layer",
        "whether units are ranked over all layers, or the same fraction of each layer is taken",
        one_of(*WITHIN),
    )
    images: Count = setting(
        2000,
        "images on which scores are measured, drawn at random: all, or at most so many",
        whole_or_all(10),
    )


def _cost(settings, sizes):
    points, share = curve_cost(settings, sizes)
    curves = settings.orderings + len(DIRECTIONS) * len(settings.orders)
    return points / settings.orderings * curves, share


SPEC = AnalysisSpec(
    table="ordered",
    rows="one row per point of a cumulative ablation curve in some order",
    settings=Settings,
    columns=(
        text("order", "score by which the units are sorted, or random"),
        text("first", "highest or lowest: the end from which units are taken; empty for random", empty=True),
        count("ordering", "index of the random order, from 0; 0 for other orders"),
        *ABLATED,
        *SCORED,
    ),
    cost=_cost,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table order, first, ordering, ablated, units, split, loss, accuracy.

    An order that needs a score which this network cannot have is left out, with a warning. Scores are
    measured on some images of the split that is scored, with the labels that it has there.
    """
    import pandas as pd

    from directions.analyses import unit_scores
    from directions.analyses.network import grid_table
    from directions.analyses.subset import at_most
    from directions.interventions import ablation

    examples = trained.examples(settings.split)
    few = at_most(examples, settings.images, settings.split)
    layers = ablation.chosen(trained.layers, settings.layers)
    units = sum(layers.values())
    keys = [("random", "", number) for number in range(settings.orderings)]
    orders = ablation.orderings(units, settings.orderings, trained.seed)
    activities = unit_scores.activities_of(trained, layers, few)
    for name in settings.orders:
        try:
            values = unit_scores.scores(name, trained, activities, few)
        except unit_scores.NoScore as reason:
            log.warning("no ablation in the order of %s: %s", name, reason)
            continue
        for first in DIRECTIONS:
            keys.append((name, first, 0))
            orders.append(
                unit_scores.order(
                    values, layers, highest=first == "highest", within=settings.ranked == "each layer"
                )
            )
    counts = ablation.grid(units, settings.points)
    curves = ablation.cumulative(
        trained.model,
        examples.images,
        examples.labels,
        layers=layers,
        orders=orders,
        ablated_counts=counts,
        values=dict.fromkeys(layers, 0.0),
        precision=settings.precision,
        unfinished=trained.unfinished,
        name="ordered ablation",
    )
    table = grid_table(("curve", range(len(orders))), ("ablated", counts), **curves.scores)
    named = pd.DataFrame(keys, columns=["order", "first", "ordering"])
    table = table.join(named, on="curve").assign(units=units, split=settings.split)
    return table[["order", "first", "ordering", "ablated", "units", "split", *curves.scores]]
