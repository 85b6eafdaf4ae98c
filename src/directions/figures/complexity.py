"""Complexity of the labels as a network's tangent kernel sees them, and reliance on single units."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics import kernels
from directions.claims.statistics.networks import zero_areas
from directions.core.tables import Tables, require
from directions.figures import style, text

TIMES = {"start": ("before training", "o"), "end": ("after training", "s")}


def draw(tables: Tables, study: str) -> Figure:
    """Draw complexity against the fraction of labels corrupted (left), and area against complexity (right).

    Reads tables runs, areas, kernel. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "train_images")
    kernel = require(tables, "kernel", "run", "epoch", "images", "complexity_shuffled").sort_values("epoch")
    points = runs[["run", "corrupt"]].join(kernels.start_and_end(tables), on="run")
    shuffled = kernel.groupby("run")["complexity_shuffled"].agg(start="first", end="last")
    areas = zero_areas(tables, "auc").groupby("run")["auc"].mean()
    layout = style.Layout(_notes(runs, kernel), 2, ("", ""), style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        for time, (name, marker) in TIMES.items():
            look: style.Look = {"color": style.colour(name), "marker": marker}
            _line(left, points[["corrupt", time]].set_axis(["x", "y"], axis=1), label=name, **look)
            null = runs[["corrupt"]].assign(y=runs["run"].map(shuffled[time]).to_numpy())
            mean = null.groupby("corrupt")["y"].mean()
            left.plot(mean.index, mean, linestyle=":", linewidth=1, color=look["color"])
            right.scatter(points[time], points["run"].map(areas), s=14, linewidths=0, **look)
        left.set(xlabel="fraction of labels corrupted", ylabel="complexity of the labels")
        left.set_ylim(bottom=0)
        right.set(xlabel="complexity of the labels", ylabel="area under the ablation curve")
        right.set_xlim(left=0)
        style.legend(figure, left, layout, 2, "kernel")
    return figure


def _line(axes: Axes, values: pd.DataFrame, label: str, **look) -> None:
    """Draw the mean over networks, with bars of one SD if there are several, against the fraction."""
    found = style.pooled(values, "x", "y")
    bars = found["std"] if found["std"].any() else None
    axes.errorbar(found.index, found["mean"], bars, markersize=4, capsize=2, label=label, **look)


def _notes(runs: pd.DataFrame, kernel: pd.DataFrame) -> tuple[str, ...]:
    each = text.count(runs.groupby("corrupt")["run"].size(), "network")
    images = text.count(kernel["images"], "training image")
    bars = "no error bars" if runs.groupby("corrupt")["run"].size().max() == 1 else "bars ± SD"
    return (
        f"Left: mean of {each} per fraction, {bars}; tangent kernel of {images}. Dotted: the same"
        " labels in random order.",
        "Right: a dot per network and kernel; area under accuracy on the training images, with the labels"
        " trained on.",
    )
