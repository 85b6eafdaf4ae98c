"""Images with clean and with corrupted labels in the same network: ablation, and units until they flip."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import curves, scales, shared_units, style, text

LINES = {"clean": "-", "corrupted": "--"}
MARKERS = {"clean": "o", "corrupted": "s"}


def draw(tables: Tables, study: str) -> Figure:
    """Draw curves of both kinds of images by fraction (left), and units until an image flips (right).

    Reads tables runs, parts, flips. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "classes", "model", "train_images", "test_images")
    parts = require(tables, "parts", *shared_units.OF_PARTS)
    parts = parts[(parts["layer"] == "all") & (parts["labels"] != "all")]
    parts = parts.merge(runs[["run", "corrupt"]], on="run", suffixes=("_", ""))
    flips = require(tables, "flips", "run", "labels", "units", may_be_empty=["flipped_after"])
    flips = flips.merge(runs[["run", "corrupt"]], on="run", suffixes=("_", ""))
    above = ("solid: clean labels; dashed: corrupted labels", "blue: clean labels; orange: corrupted labels")
    layout = style.Layout(_notes(tables, runs, parts, flips), 2, above, style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        for fraction in shared_units.fractions(runs):
            kinds = dict(list(parts[parts["corrupt"] == fraction].groupby("labels")))
            for labels in kinds:  # clean first
                _curve(left, kinds[labels], fraction, labels, next(iter(kinds)))
        curves.finish(left, runs, parts, clamp="")
        _flips(right, flips)
        style.legend(figure, left, layout, 6, "fraction of labels corrupted")
    return figure


def _curve(axes: Axes, mine: pd.DataFrame, fraction: float, labels: str, named: str) -> None:
    """Draw the mean curve of one kind of images; only the kind `named` is in the legend."""
    mean = mine.groupby("ablated")["accuracy"].mean()
    axes.plot(
        mean.index, mean, LINES[labels], color=style.corruption_colour(fraction),
        label=f"{fraction:g}" if labels == named else f"_{fraction:g}",
    )  # fmt: skip


def _flips(axes: Axes, flips: pd.DataFrame) -> None:
    """Draw median and quartiles over images by fraction, one series per kind, shifted beside each other."""
    for side, (labels, marker) in zip((-0.012, 0.012), MARKERS.items(), strict=True):
        mine = flips[(flips["labels"] == labels) & (flips["flipped_after"] > 0)]
        if mine.empty:
            continue
        units = mine.groupby("corrupt")["flipped_after"]
        low, middle, high = (units.quantile(share) for share in (0.25, 0.5, 0.75))
        colour = style.colour("true labels" if labels == "clean" else "corrupted labels")
        axes.errorbar(
            middle.index + side, middle, (middle - low, high - middle), fmt=marker, color=colour,
            markersize=4, elinewidth=1, capsize=2,
        )  # fmt: skip
    axes.set(xlabel="fraction of labels corrupted", ylabel="units ablated until the answer is wrong")
    axes.set_ylim(0.8, None)
    scales.plain_log(axes, "y")


def _notes(tables: Tables, runs: pd.DataFrame, parts: pd.DataFrame, flips: pd.DataFrame) -> tuple[str, ...]:
    each = text.count(runs.groupby("corrupt")["run"].size(), "network")
    orderings = text.count(parts.groupby("run")["ordering"].nunique(), "ordering")
    images = text.count(flips.groupby(["run", "labels"]).size(), "image")
    wrong = int((flips["flipped_after"] == 0).sum())
    never = int(flips["flipped_after"].isna().sum())
    return (
        f"Left: means over {orderings} and {each} per fraction, no error bars;"
        f" {shared_units.scored(tables, 'parts', runs, int(parts['images'].max()))}.",
        f"Right: median, whiskers: quartiles over {images} per network and kind. Units go one by one, for one"
        " image alone, the largest gradient times activation first."
        f" Left out: {wrong:,} images wrong from the start, {never:,} that keep their answer to the end.",
    )
