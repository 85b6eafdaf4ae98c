"""Figure 4c: area under the ablation curve against test accuracy, and choosing settings by that area."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics.networks import MEMORISED
from directions.core.tables import Tables, require
from directions.figures import networks, overlay, style, text

TOP = (1, 5, 10)  # section 3.2: the pick is among the best 1, 5, 10 settings


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per network, by learning rate (left), and how often the area picks a top setting (D22).

    Reads tables runs, areas, selection and, if given, paper. Raises InputError naming a table or column that
    is missing or empty.
    """
    dots = networks.areas_of_networks(tables, "learning_rate", "batch", "train_images", "test_images")
    selection = require(tables, "selection", "subset", "settings", "gap", "rank")
    above = (f"Spearman {networks.rho(dots['auc'], dots['test_accuracy'])}", _gap(selection))
    behind, theirs = (
        overlay.handles(tables, dotted=True),
        overlay.of(tables, "test_accuracy", "area_normalized"),
    )
    rows = networks.rate_rows(dots, networks.RATE_COLUMNS, len(behind))
    layout = style.Layout(_small_print(tables, dots, selection), rows, above, style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        networks.dots_by_rate(left, networks.of_largest(dots), "test_accuracy", "auc")
        if theirs is not None:
            overlay.dots(left, theirs["test_accuracy"], theirs["area_normalized"])
        left.set(xlabel="test accuracy", ylabel=networks.AREAS["auc"])
        _hits(right, selection)
        handles = left.get_legend_handles_labels()[0] + behind
        style.legend(figure, left, layout, networks.RATE_COLUMNS, networks.RATE_HEADING, handles)
    return figure


def _gap(selection: pd.DataFrame) -> str:
    gap = 100 * selection["gap"]
    return f"gap of the pick: {gap.mean():.2f} ± {gap.std():.2f} % test accuracy"


def _hits(axes: Axes, selection: pd.DataFrame) -> None:
    """Draw one bar per "top k", with a dash at chance level."""
    size = selection["settings"].mean()
    for place, top in enumerate(TOP):
        share, chance = 100 * (selection["rank"] <= top).mean(), 100 * min(1.0, top / size)
        axes.bar(place, share, width=0.6, color=style.colour("auc"))
        axes.plot([place - 0.38, place + 0.38], [chance] * 2, color="black", linewidth=1.4)
        axes.text(place, share + 1.5, f"{share:.0f} %", ha="center", fontsize=style.SMALL)
        axes.text(place + 0.4, chance, f"{chance:.0f}", va="center", fontsize=style.SMALL)
    axes.set_xticks(range(len(TOP)), [f"top {top}" for top in TOP])
    axes.set(xlim=(-0.5, len(TOP) - 0.35), ylim=(0, 112), yticks=range(0, 101, 20))
    axes.set(ylabel="subsets in which the pick is there (%)")


def _small_print(tables: Tables, dots: pd.DataFrame, selection: pd.DataFrame) -> tuple[str, ...]:
    knowing = dots[dots["trained"]]
    areas = require(tables, "areas", "ordering")
    orderings = text.count(areas.groupby("run")["ordering"].nunique(), "ordering")
    sizes = text.count(selection["settings"], "setting")
    relative = networks.rho(dots["auc_relative"], dots["test_accuracy"])
    return (
        f"One dot per network ({len(dots)}): area on training images, mean over {orderings}; accuracy on"
        f" {text.only(dots, 'test_images'):,} test images; no error bars."
        f" {networks.largest(dots.assign(auc_relative=dots['auc']))}",
        f"Spearman with area / unablated accuracy {relative}; among the {len(knowing)} networks with training"
        f" accuracy ≥ {MEMORISED:g}: {networks.rho(knowing['auc'], knowing['test_accuracy'])}.",
        f"Right: in each of {len(selection):,} random subsets of {sizes}, the one with the largest area is"
        " picked; black: chance; gap: to the best.",
        *networks.hollow(dots),
        *((overlay.SHOWN["fig4c"],) if "paper" in tables else ()),
    )
