"""Areas under ablation curves of one layer at a time, against the fraction of labels corrupted."""

import pandas as pd
from matplotlib.figure import Figure

from directions.claims.statistics.shared_units import areas_of
from directions.core.tables import Tables, require
from directions.figures import shared_units, style, text


def draw(tables: Tables, study: str) -> Figure:
    """Draw the area of each layer and of all together (left); right: clean less corrupted images.

    Reads tables runs, parts. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "classes", "model", "train_images", "test_images")
    parts = require(tables, "parts", *shared_units.OF_PARTS)
    areas = areas_of(parts, "run", "layer", "labels", "ordering")
    areas = areas.merge(runs[["run", "corrupt"]], on="run")
    layers = list(dict.fromkeys(areas["layer"]))
    above = ("area under the ablation curve", "area of clean less corrupted images")
    layout = style.Layout(_notes(tables, runs, parts), 1 + -(-len(layers) // 6), above, style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        for place, layer in enumerate(layers):
            mine = areas[areas["layer"] == layer]
            whole = layer == "all"
            look = {"fmt": "k--" if whole else "o-", "label": "all layers" if whole else layer}
            look |= {} if whole else {"color": _colour(place, len(layers) - 1)}
            shared_units.error_bars(left, mine[mine["labels"] == "all"], "corrupt", "auc", **look)
            _difference(right, mine, look)
        left.set(xlabel="fraction of labels corrupted", ylabel="area", ylim=(0, 1))
        right.axhline(0, color=style.colour("chance"), linestyle=":", linewidth=1)
        right.set(xlabel="fraction of labels corrupted", ylabel="difference of areas")
        style.legend(figure, left, layout, 6, "layer whose units are ablated")
    return figure


def _colour(layer: int, layers: int):
    """Return the colour of a layer, from 1: not those of fractions, as long as there are few layers."""
    few = layers <= 4
    return style.colour(f"layer {layer}") if few else style.in_sequence(layer - 1, layers)


def _difference(axes, areas: pd.DataFrame, look: dict) -> None:
    """Draw clean less corrupted, paired by network and ordering; nothing where one kind is missing."""
    kinds = areas.pivot_table(index=["run", "corrupt", "ordering"], columns="labels", values="auc")
    if {"clean", "corrupted"} <= set(kinds.columns):
        both = kinds.dropna(subset=["clean", "corrupted"])
        less = (both["clean"] - both["corrupted"]).rename("difference").reset_index()
        shared_units.error_bars(axes, less, "corrupt", "difference", **look)


def _notes(tables: Tables, runs: pd.DataFrame, parts: pd.DataFrame) -> tuple[str, ...]:
    each = text.count(runs.groupby("corrupt")["run"].size(), "network")
    orderings = text.count(parts.groupby("run")["ordering"].nunique(), "ordering")
    return (
        f"Bars: ± SD over {orderings} and {each} per fraction. Accuracy on"
        f" {shared_units.scored(tables, 'parts', runs, int(parts['images'].max()))}.",
        "Area: mean accuracy along the curve, from no unit of the layer ablated to all of them.",
    )
