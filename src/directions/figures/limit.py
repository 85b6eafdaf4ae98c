"""Reliance on single units against wrong labels reproduced, for ways of learning that memorise less."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics import memorization
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import style, text

NAMES = {"cross_entropy": "cross-entropy", "mae": "absolute error"}
MARKS = {"cross_entropy": "D", "mae": "s", "limit": "o"}
PANELS = ("kept", "area kept under ablation"), ("test_accuracy", "test accuracy, true labels")


def draw(tables: Tables, study: str) -> Figure:
    """Draw one line per way of learning, through its networks by epochs: area kept, and test accuracy.

    Reads tables runs, areas, memorization. Raises InputError naming a table or column that is missing or
    empty.
    """
    found = require(tables, "memorization", "run", "reproduced")
    runs = memorization.of_ways(tables).merge(found[["run", "reproduced"]], on="run")
    try:
        kept = memorization.kept_areas(tables).groupby("run")["kept"].mean().reset_index()
    except Untestable as error:
        raise InputError(f"figure limit: {error}") from error
    points = runs.merge(kept, on="run")
    layout = style.Layout(_notes(points, len(runs) - len(points)), 3, width=style.WIDE, subtitles=("", ""))
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        for axes, (column, label) in zip(panels, PANELS, strict=False):
            _lines(axes, points, column)
            axes.set(xlabel="fraction of wrong labels reproduced", xlim=(-0.03, 1.03), ylim=(0, 1.03))
            axes.set_ylabel(label)
        style.legend(figure, panels[0], layout, 4, "learned by")
    return figure


def _lines(axes: Axes, points: pd.DataFrame, column: str) -> None:
    pulls = sorted(points["limit_lambda"].dropna().unique())
    ways = points.fillna({"limit_lambda": memorization.NO_PULL}).groupby(["method", "limit_lambda"])
    for (method, pull), networks in ways:
        look: style.Look = {"linewidth": 1, "marker": MARKS[method]}
        if method == memorization.LIMIT:
            look["color"], label = style.in_sequence(pulls.index(pull), len(pulls)), f"LIMIT, λ {pull:g}"
        else:
            look["color"], label = style.colour(NAMES[method]), NAMES[method]
        means = networks.groupby("epochs")[["reproduced", column]].mean()
        last = means.iloc[[-1]]
        axes.plot(means["reproduced"], means[column], markersize=4, markerfacecolor="white", **look)
        axes.plot(last["reproduced"], last[column], markersize=6, label=label, **look)


def _notes(points: pd.DataFrame, guessing: int) -> tuple[str, ...]:
    epochs = ", ".join(f"{number:g}" for number in sorted(points["epochs"].unique()))
    each = points.groupby("way").size()
    number = f"{each.min()}" if each.min() == each.max() else f"{each.min()} to {each.max()}"
    changed = 100 * points["changed_share"].mean()
    return (
        f"{text.networks(points)}, mean of {number} for each mark; no error bars. {changed:.0f} % of the"
        f" training labels are wrong. Marks along a line: {epochs} epochs; the filled one is the last."
        + (f" {guessing} more hardly do better than guessing." if guessing else ""),
        "Area kept: under accuracy on test images with true labels, all units ablated to zero, corrected for"
        " chance and divided by the unablated accuracy: 1 if ablation costs nothing.",
    )
