"""Reliance on single units against wrong labels reproduced, for ways of learning that memorise less."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics import memorization
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import style, text

NAMES = {memorization.PLAIN: "cross-entropy", memorization.MAE: "absolute error"}
MARKS = {memorization.PLAIN: "D", memorization.MAE: "s", memorization.LIMIT: "o"}
SHOWN = ["reproduced", "error", "least_bits"]  # of table memorization
PANELS = ("kept", "area kept under ablation"), ("test_accuracy", "test accuracy, true labels")


def by_way(tables: Tables, study: str, figure: str) -> Figure:
    """Draw one line per way of learning, through its networks by epochs: area kept, test accuracy, bits held.

    Reads tables runs, areas, memorization. Raises InputError naming a table or column that is missing or
    empty.
    """
    found = require(tables, "memorization", "run", *SHOWN)
    runs = memorization.of_ways(tables).merge(found[["run", *SHOWN]], on="run")
    try:
        kept = memorization.kept_areas(tables).groupby("run")["kept"].mean().reset_index()
    except Untestable as error:
        raise InputError(f"figure {figure}: {error}") from error
    points = runs.merge(kept, on="run")
    layout = style.Layout(_notes(points, len(runs) - len(points)), 3, ("", "", ""), style.WIDE + 2)
    with style.look():
        drawn, panels = style.panels(tables, study, layout)
        for axes, (column, label) in zip(panels, PANELS, strict=False):
            _lines(axes, points, "reproduced", column)
            axes.set(xlabel="fraction of wrong labels reproduced", xlim=(-0.03, 1.03), ylim=(0, 1.03))
            axes.set_ylabel(label)
        _floor(panels[2], points)
        style.legend(drawn, panels[0], layout, 4, "learned by")
    return drawn


def _floor(axes: Axes, points: pd.DataFrame) -> None:
    """Draw the smallest error that so much information allows, and where the networks lie on it."""
    floor = points.sort_values("error")
    axes.plot(floor["least_bits"], floor["error"], color=style.colour("null floor"), linewidth=1)
    _lines(axes, points, "least_bits", "error", linestyle="")
    axes.set(xlabel="information about labels, bits per image", xlim=(-0.1, None), ylim=(-0.02, None))
    axes.set_ylabel("error on the labels given")


def _lines(axes: Axes, points: pd.DataFrame, across: str, column: str, linestyle: str = "-") -> None:
    pulls = sorted(points["limit_lambda"].dropna().unique())
    dropouts = sorted(set(points["dropout"]) - {0.0})
    ways = points.fillna({"limit_lambda": memorization.NO_PULL}).groupby(
        ["method", "limit_lambda", "dropout"]
    )
    for (method, pull, dropout), networks in ways:
        look: style.Look = {"linewidth": 1, "linestyle": linestyle, "marker": MARKS[method]}
        if method == memorization.LIMIT:
            look["color"], label = style.in_sequence(pulls.index(pull), len(pulls)), f"LIMIT, λ {pull:g}"
        else:
            look["color"], label = style.colour(NAMES[method]), NAMES[method]
        if dropout:
            look["color"] = style.in_sequence(dropouts.index(dropout), len(dropouts))
            look["marker"], label = "^", f"{label}, dropout {dropout:g}"
        axes.plot(
            networks[across], networks[column], look["marker"], color=look["color"], alpha=0.3, markersize=2
        )
        means = networks.groupby("epochs")[[across, column]].mean()
        last = means.iloc[[-1]]
        axes.plot(means[across], means[column], markersize=4, markerfacecolor="white", **look)
        axes.plot(last[across], last[column], markersize=6, label=label, **look)


def _notes(points: pd.DataFrame, guessing: int) -> tuple[str, ...]:
    epochs = ", ".join(f"{number:g}" for number in sorted(points["epochs"].unique()))
    each = points.groupby("way").size()
    number = f"{each.min()}" if each.min() == each.max() else f"{each.min()} to {each.max()}"
    changed = 100 * points["changed_share"].mean()
    layers = (
        "" if text.reads(points, "hidden") else " The layers are those that ablate_cumulative.layers names."
    )
    return (
        f"{text.networks(points)}, mean of {number} for each mark, no error bars; faint: single ones."
        f" {changed:.0f} % of the training labels are wrong. Marks along a line: {epochs} epochs; the filled"
        " one is the last." + (f" {guessing} more hardly do better than guessing." if guessing else ""),
        f"Area kept: under accuracy on test images with true labels as {text.unit_noun(points)} are ablated"
        " to zero, corrected for chance and divided by the unablated accuracy: 1 if ablation costs nothing."
        + layers,
        "Right: the smallest error on the training labels of a network that holds so much about them, by"
        " Fano's inequality. Marks lie on it, as each network holds at least what its error implies.",
    )
