"""A bound on the generalisation gap, and reliance on single units, by fraction of labels corrupted."""

from itertools import zip_longest

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from directions.core.tables import Tables, require
from directions.figures import style, text

QUANTITIES = {  # column: name of its colour, and in the legend
    "bound": ("bound", "bound by f-CMI"),
    "gap": ("gap", "gap: training minus test accuracy"),
    "null_bound": ("null floor", "the bound by chance alone"),
}
LOOKS = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))  # from the most pairs to the fewest
VACUOUS = 1.0  # every gap between accuracies is smaller


def draw(tables: Tables, study: str) -> Figure:
    """Draw gap, bound and permuted bound, and the area kept, against the fraction of labels corrupted.

    Reads tables runs, cmi. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "changed_share")
    found = require(tables, "cmi", "run", "pairs", "splits", *QUANTITIES, may_be_empty=["kept"])
    points = found[["run", "pairs", "splits", "supersample", *QUANTITIES, "kept"]].merge(
        runs[["run", "corrupt"]], on="run"
    )
    sizes = dict(zip(sorted(points["pairs"].unique(), reverse=True), LOOKS, strict=False))
    layout = style.Layout(_notes(points, runs), 2, width=style.WIDE, subtitles=("", ""))
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        for column, (name, _) in QUANTITIES.items():
            _lines(panels[0], points, column, style.colour(name), sizes)
        panels[0].axhline(VACUOUS, color=style.colour("chance"), linestyle=":", linewidth=1.0)
        look: style.Look = {"fontsize": style.SMALL, "color": style.colour("chance")}
        panels[0].text(0, VACUOUS + 0.015, "from here on, a bound says nothing", va="bottom", **look)
        panels[0].set(ylim=(0, 1.2), ylabel="difference of accuracies")
        _lines(panels[1], points, "kept", style.colour("auc"), sizes)
        panels[1].set(ylim=(min(0.5, points["kept"].min()), 1.03), ylabel="area kept under ablation")
        for axes in panels:
            axes.set(xlabel="fraction of labels corrupted", xlim=(-0.03, 1.03))
        style.legend(figure, panels[0], layout, 3, handles=_handles(sizes))
    return figure


def _lines(axes: Axes, points: pd.DataFrame, column: str, colour: style.Colour, sizes: dict) -> None:
    """Draw one line per size, the mean over networks, and a dot per network."""
    for pairs, (line, mark) in sizes.items():
        each = points[points["pairs"] == pairs].groupby(["corrupt", "run"])[column].mean()
        means = each.groupby("corrupt").mean()
        axes.plot(means.index, means, line, color=colour)
        axes.plot(each.index.get_level_values("corrupt"), each, mark, color=colour, markersize=3.5, alpha=0.6)


def _handles(sizes: dict) -> list[Line2D]:
    quantities = [
        Line2D([], [], color=style.colour(name), label=label) for name, label in QUANTITIES.values()
    ]
    looks = [
        Line2D([], [], color="black", linestyle=line, marker=mark, markersize=3.5, label=f"n = {pairs:,}")
        for pairs, (line, mark) in sizes.items()
    ]
    beside = zip_longest(quantities, looks)  # legends are filled by columns
    return [handle for pair in beside for handle in pair if handle]


def _notes(points: pd.DataFrame, runs: pd.DataFrame) -> tuple[str, ...]:
    drawn = text.count(points.groupby(["run", "pairs"])["supersample"].nunique(), "supersample")
    most = runs["corrupt"].max()
    copies = int(text.only(points, "splits", "cmi"))
    return (
        f"{text.networks(points)}, one dot each: mean over {drawn} of n pairs of training images, {copies}"
        " copies trained on random halves of each; lines: mean over networks. At fraction"
        f" {most:g}, {text.changed(runs, most)} of the labels are wrong; no error bars.",
        "Bound: by what a copy's errors tell about which image of a pair it was trained on, estimated from"
        " these copies and so too large; by chance: with halves permuted.",
        "Area kept: under accuracy on the images trained on, with the labels given, all units ablated to"
        " zero, corrected for chance and divided by the unablated accuracy: 1 if ablation costs nothing.",
    )
