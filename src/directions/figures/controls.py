"""Reliance on single units against the generalisation gap, where labels are true and where they are not."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from directions.claims.statistics.memorization import kept_areas
from directions.claims.statistics.networks import MEMORISED
from directions.claims.statistics.ranks import Untestable
from directions.core.display_names import DATASETS
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import style, text
from directions.study.architectures import ARCHITECTURES


def draw(tables: Tables, study: str) -> Figure:
    """Draw one panel per fraction of labels shuffled, one line per data set, through its numbers of images.

    Reads tables runs, areas. Raises InputError naming a table or column that is missing or empty.
    """
    points, left_out = _points(tables)
    datasets, sizes = list(points["dataset"].unique()), sorted(points["train_images"].unique())
    fractions = list(points.groupby("corrupt"))
    subtitles = tuple(_subtitle(networks) for _, networks in fractions)
    rows = max(len(datasets), len(sizes))
    notes = (*_notes(points, left_out), *text.measured(tables))
    layout = style.Layout(notes, rows, subtitles, width=style.WIDE)
    with style.look():
        figure, panels = style.titled(_title(points, tables, study), layout)
        for axes, (_, networks) in zip(panels, fractions, strict=True):
            for place, dataset in enumerate(datasets):
                colour = style.in_sequence(place, len(datasets))
                _line(axes, networks[networks["dataset"] == dataset], sizes, colour)
            axes.set(xlim=(-0.03, 1.03), ylim=(min(0, points["kept"].min()) - 0.03, 1.03))
            axes.set(xlabel="training minus test accuracy", ylabel="area kept under ablation")
        style.legend(figure, panels[0], layout, 2, handles=_handles(datasets, sizes))
    return figure


def _points(tables: Tables) -> tuple[pd.DataFrame, int]:
    """Return the runs with gap and kept, and the number of networks left out because they guess."""
    runs = require(tables, "runs", "run", "dataset", "corrupt", "train_accuracy", "test_accuracy")
    try:
        kept = kept_areas(tables).groupby("run")["kept"].mean().reset_index()
    except Untestable as error:
        raise InputError(f"figure controls: {error}") from error
    points = runs.merge(kept, on="run")
    gaps = points["train_accuracy"] - points["test_accuracy"]
    return points.assign(gap=gaps, learned=points["train_accuracy"] >= MEMORISED), len(runs) - len(points)


def _title(points: pd.DataFrame, tables: Tables, study: str) -> str:
    model = text.only(points, "model")
    name = ARCHITECTURES[model].title if model in ARCHITECTURES else model
    datasets = text.count(pd.Series([points["dataset"].nunique()]), "data set")
    return f"{datasets} · {name}{text.size(tables)} · {study} study"


def _subtitle(networks: pd.DataFrame) -> str:
    fraction = text.only(networks, "corrupt")
    return f"{100 * fraction:g} % of the training labels shuffled" if fraction else "true labels"


def _line(axes: Axes, networks: pd.DataFrame, sizes: list, colour: style.Colour) -> None:
    means = networks.groupby("train_images")[["gap", "kept"]].mean()
    axes.plot(means["gap"], means["kept"], color=colour, linewidth=1, alpha=0.6)
    for (images, learned), some in networks.groupby(["train_images", "learned"]):
        look: style.Look = {"markerfacecolor": colour if learned else "white", "markersize": 4}
        axes.plot(some["gap"], some["kept"], _marker(sizes, images), color=colour, linestyle="", **look)


def _marker(sizes: list, images: int) -> str:
    return style.MARKERS[sizes.index(images) % len(style.MARKERS)]


def _handles(datasets: list[str], sizes: list) -> list[Line2D]:
    """List the legend's two columns, data sets and numbers of images, the first filled up with blanks."""
    blanks: list[style.Look] = [{"linestyle": "", "label": " "}] * (len(sizes) - len(datasets))
    lines: list[style.Look] = [
        {"color": style.in_sequence(place, len(datasets)), "label": DATASETS.get(name, name)}
        for place, name in enumerate(datasets)
    ]
    look = {"color": style.colour("chance"), "linestyle": "", "markersize": 4}
    marks = [look | {"marker": _marker(sizes, images), "label": f"{images:,} images"} for images in sizes]
    return [Line2D([], [], **each) for each in (*lines, *blanks, *marks)]


def _notes(points: pd.DataFrame, left_out: int) -> tuple[str, ...]:
    each = text.count(points.groupby(["dataset", "corrupt", "train_images"]).size(), "network")
    hollow = int((~points["learned"]).sum())
    share = f"{100 * MEMORISED:g} % of their training labels"
    return (
        f"{text.networks(points)}, one mark each, {each} of a kind; lines join the means; no error bars. "
        + (f"{hollow}, hollow, learned less than {share}." if hollow else f"All learned {share} or more.")
        + (f" {left_out} more hardly do better than guessing." if left_out else ""),
        "Area kept: under accuracy on the training images with the labels trained on, all units ablated to"
        " zero, corrected for chance and divided by the unablated accuracy: 1 if ablation costs nothing.",
    )
