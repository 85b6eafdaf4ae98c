"""Cumulative ablation: loss and accuracy while more and more units are clamped."""

import pandas as pd

from directions.analyses.network import Trained, grid_table
from directions.interventions import ablation


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Build the table clamp, ordering, ablated, units (of the layers ablated), split, loss, accuracy.

    With many classes it ends with accuracy_top5, see `scoring.has_top5`.
    """
    examples = trained.examples(settings["split"])
    layers = ablation.chosen(trained.layers, settings["layers"])
    units = sum(layers.values())
    counts = ablation.grid(units, settings["points"])
    orders = ablation.orderings(units, settings["orderings"], trained.seed)
    parts = []
    for clamp in settings["clamp"]:
        curves = ablation.cumulative(
            trained.model,
            examples.images,
            examples.labels,
            layers=layers,
            orders=orders,
            ablated_counts=counts,
            values=trained.clamp_values(clamp, layers),
            precision=settings.get("precision", "float32"),
            unfinished=trained.unfinished,
            name=f"cumulative ablation, clamp to {clamp}",
        )
        keys = ("ordering", range(len(orders))), ("ablated", counts)
        parts.append(grid_table(*keys, **curves.scores).assign(clamp=clamp))
    table = pd.concat(parts).assign(units=units, split=settings["split"])
    return table[["clamp", "ordering", "ablated", "units", "split", *curves.scores]]
