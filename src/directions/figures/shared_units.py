"""What units share, and in which order they go: pieces of the figures of later work (docs/FOLLOW_UPS.md)."""

import pandas as pd
from matplotlib.axes import Axes

from directions.claims.statistics.ranks import spearman
from directions.core.tables import Tables, require
from directions.figures import style, text

OF_PARTS = ("run", "layer", "labels", "images", "ordering", "ablated", "units", "accuracy", "split")


def fractions(runs: pd.DataFrame) -> list[float]:
    """List the fractions of labels corrupted, in order."""
    return sorted(map(float, runs["corrupt"].unique()))


def of_networks(tables: Tables, name: str, *columns: str) -> pd.DataFrame:
    """Average columns of a table with one row per unit over the units of each network, joined to its runs."""
    runs = require(tables, "runs", "run", "corrupt", "train_accuracy")
    means = require(tables, name, "run", *columns).groupby("run")[list(columns)].mean().reset_index()
    return runs.merge(means, on="run")


def by_fraction(axes: Axes, networks: pd.DataFrame, x: str, y: str) -> None:
    """Draw a dot per network, coloured by its fraction of labels corrupted, which is its label."""
    for fraction in fractions(networks):
        mine = networks[networks["corrupt"] == fraction]
        axes.plot(
            mine[x], mine[y], "o", color=style.corruption_colour(fraction), markersize=5,
            label=f"{fraction:g}",
        )  # fmt: skip


def within_fractions(networks: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Subtract the mean of each fraction from both columns; leave out networks that are alone in theirs."""
    groups = networks.groupby("corrupt")
    several = groups["run"].transform("size") > 1
    left = networks[[x, y]] - groups[[x, y]].transform("mean")
    return left[several]


def rho(values: pd.DataFrame, x: str, y: str) -> str:
    """Format Spearman's correlation of two columns, "–" if there is none."""
    if len(values) < 3 or values[x].nunique() < 2 or values[y].nunique() < 2:
        return "–"
    return text.number(float(spearman(values[x].to_numpy(), values[y].to_numpy())))


def error_bars(axes: Axes, values: pd.DataFrame, by: str, column: str, **look) -> None:
    """Draw mean and SD over networks of a column against another, as a line with bars."""
    curve = style.pooled(values, by, column)
    axes.errorbar(
        curve.index, curve["mean"], curve["std"], markersize=4, linewidth=1.2, elinewidth=1, capsize=2, **look
    )


def scored(tables: Tables, name: str, runs: pd.DataFrame, images: int | None = None) -> str:
    """Write on which images a table's curves were scored; images: how many of each kind, None: all."""
    split = text.only(require(tables, name, "split"), "split", name)
    total = int(text.only(runs, f"{split}_images"))
    drawn = f"all {total:,} " if images is None else f"{images:,} of each kind, drawn from {total:,} "
    words = {"train": "training images, with the labels trained on", "test": "test images"}
    return drawn + words[split]
