"""Figure A1: units clamped to zero, and to their mean over the training set."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import curves, style, text
from directions.figures.curves import Group

CLAMPS = {"zero": ("-", "o"), "mean": ("--", "s")}


def draw(tables: Tables, study: str) -> Figure:
    """Draw curves of networks trained on true labels (left) and areas at every fraction (section A.1, D25).

    Reads tables runs, ablation, areas. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "classes", "model", "train_images", "units")
    least = runs["corrupt"].min()
    clean = list(runs.loc[runs["corrupt"] == least, "run"])
    groups = [Group(clamp, style.colour(clamp), clean, look[0], clamp) for clamp, look in CLAMPS.items()]
    ablation = curves.clamped(tables, "ablation", curves.CLAMP, "ordering", "ablated", "units", "accuracy")
    notes = (
        curves.small_print(ablation, groups) + " Mean clamp: per element of the map, over the training set.",
        *curves.layers_ablated(runs, ablation),
        text.trained_on(runs),
    )
    above = (f"networks trained with {float(least)} of labels corrupted", "all fractions")
    layout = style.Layout(notes, 2, above, style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        curves.draw_groups(left, tables, groups)
        curves.finish(left, runs, ablation, clamp="")
        _areas(right, tables, runs)
        style.legend(figure, left, layout, 2, f"units clamped to: {curves.legend_heading(tables, groups)}")
    return figure


def _areas(axes: Axes, tables: Tables, runs: pd.DataFrame) -> None:
    """Draw area against fraction corrupted, one series per clamp, shifted so that bars do not overlap."""
    fraction_of = runs.set_index("run")["corrupt"]
    for side, (clamp, look) in zip((-0.008, 0.008), CLAMPS.items(), strict=True):
        areas = curves.clamped(tables, "areas", clamp, "auc")
        curve = style.pooled(areas.assign(corrupt=areas["run"].map(fraction_of)), "corrupt", "auc")
        colour = style.colour(clamp)
        axes.errorbar(
            curve.index + side, curve["mean"], curve["std"], fmt="".join(look[::-1]), color=colour,
            markersize=4, linewidth=1, elinewidth=1, capsize=2,
        )  # fmt: skip
    axes.set(xlabel="fraction of labels corrupted", ylabel="area under the curve", ylim=(0, None))
