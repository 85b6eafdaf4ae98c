"""Which training examples tell a network most, and which of them it loses first under ablation."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics.examples import SCORES, detection
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import style, text

PARTS = {"least": "least informative tenth", "most": "most informative tenth"}
MARKERS = {"information": "o", "left_out_residual": "s", "residual": "^", "early_loss": "D", "loss": "v"}


def draw(tables: Tables, study: str) -> Figure:
    """Draw accuracy on the most and the least informative examples, and how well scores tell wrong labels.

    Reads tables runs, examples, informative. Raises InputError naming a table or column that is missing or
    empty, and if no network has only some of its labels corrupted.
    """
    runs = require(tables, "runs", "run", "corrupt", "classes", "train_images")
    some = sorted({value for value in runs["corrupt"] if 0 < value < 1}, key=lambda value: abs(value - 0.5))
    if not some or runs["corrupt"].min() > 0:
        raise InputError(
            "figure examples: table 'runs' needs networks with true labels (corrupt 0) and with some of their"
            " labels corrupted (between 0 and 1)"
        )
    above = (
        "true labels",
        f"{100 * some[0]:.0f} % of labels corrupted",
        "telling wrong labels from true ones",
    )
    layout = style.Layout(_notes(tables, runs), 2, above, style.WIDE + 2)
    with style.look():
        figure, (left, middle, right) = style.panels(tables, study, layout)
        for axes, fraction in ((left, 0.0), (middle, some[0])):
            _curves(axes, tables, runs[runs["corrupt"] == fraction])
            style.chance_line(axes, int(text.only(runs, "classes")))
            axes.set(xlabel="fraction of units ablated", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.03))
        _detection(right, tables, runs)
        handles = [handle for axes in (left, right) for handle in axes.get_legend_handles_labels()[0]]
        style.legend(figure, left, layout, 4, handles=handles)
    return figure


def _curves(axes: Axes, tables: Tables, runs: pd.DataFrame) -> None:
    curves = require(
        tables, "informative", "run", "ranked_by", "labels", "part", "ablated", "units", "accuracy"
    )
    curves = curves[(curves["ranked_by"] == "information") & (curves["labels"] == "all")]
    curves = curves[curves["run"].isin(runs["run"])]
    curves = curves.assign(fraction=curves["ablated"] / curves["units"])
    for part, name in PARTS.items():
        curve = style.pooled(curves[curves["part"] == part], "fraction", "accuracy")
        style.band(axes, curve, style.colour(name), name)


def _detection(axes: Axes, tables: Tables, runs: pd.DataFrame) -> None:
    found = require(tables, "examples", "run", "labels", *MARKERS).drop(columns="corrupt", errors="ignore")
    found = found.merge(runs[["run", "corrupt"]], on="run")
    found = found[(found["corrupt"] > 0) & (found["corrupt"] < 1)]
    for score, marker in MARKERS.items():
        each = [
            (fraction, _told_apart(rows, score)) for (fraction, _), rows in found.groupby(["corrupt", "run"])
        ]
        means = pd.DataFrame(each, columns=["x", "y"]).groupby("x")["y"].mean()
        name = SCORES[score]
        look: style.Look = {"color": style.colour(name), "marker": marker, "markersize": 4, "linewidth": 1}
        axes.plot(means.index, means, label=name, **look)
    axes.axhline(0.5, color=style.colour("chance"), linestyle=":", linewidth=1)
    axes.set(
        xlabel="fraction of labels corrupted",
        ylabel="area under the ROC curve",
        xlim=(0, 1),
        ylim=(0.4, 1.03),
    )


def _told_apart(rows: pd.DataFrame, score: str) -> float:
    wrong = (rows["labels"] == "corrupted").to_numpy(float)
    return float(detection(wrong, rows[score].to_numpy(float), np.ones((1, len(rows)), int))[0])


def _notes(tables: Tables, runs: pd.DataFrame) -> tuple[str, ...]:
    each = text.count(runs.groupby("corrupt")["run"].size(), "network")
    curves = require(tables, "informative", "run", "ranked_by", "labels", "images", "ordering")
    orderings = text.count(curves.groupby("run")["ordering"].nunique(), "ordering")
    shown = (curves["ranked_by"] == "information") & (curves["labels"] == "all")
    tenth = text.count(curves.loc[shown, "images"], "training image")
    return (
        f"Left, middle: mean ± SD over {orderings} and {each}; accuracy on {tenth} (a tenth of each class,"
        " rounded down), with the labels trained on. Most informative: those without which the linearised"
        " network's outputs on test images change most.",
        f"Right: mean of {each} per fraction; how often a wrong label has the higher score. Left-out"
        " residual: distance of the example's label from what a network trained without it says.",
    )
