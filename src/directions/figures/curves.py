"""Cumulative ablation curves by group of networks, as Figures 1, 3a, 5 and A1 show them."""

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.errors import InputError
from directions.figures import style, words
from directions.tidy import Tables, require

CLAMP = "zero"  # the paper's main text; clamping to the mean is Figure A1
TOP5 = "_top5"  # ends the names of columns about top-5 accuracy, which the paper shows for ImageNet
AREA = "area under the curve ± SD (divided by unablated accuracy)"


class Group(NamedTuple):
    """Networks that share a curve."""

    label: str  # the area is put behind it
    colour: str | tuple[float, ...]
    runs: list[str]
    line: str = "-"
    clamp: str = CLAMP


def clamped(tables: Tables, name: str, clamp: str, *columns: str) -> pd.DataFrame:
    """The rows of table `name` made with that clamp. Raises InputError where there are none."""
    table = require(tables, name, "run", "clamp", *columns)
    chosen = table[table["clamp"] == clamp]
    if chosen.empty:
        raise InputError(
            f"table {name!r} has no rows with clamp {clamp!r}: add it to ablate_cumulative's clamp"
        )
    return chosen


def area_label(areas: pd.DataFrame, counted: str = "") -> str:
    """ "0.735 ± 0.034 (0.736)": area, SD over orderings and networks, mean of area / unablated accuracy."""
    return f"{words.mean_sd(areas[f'auc{counted}'])} ({areas[f'auc_relative{counted}'].mean():.3f})"


def cumulative(
    tables: Tables, study: str, groups: list[Group], heading: str, *, columns: int = 2,
    more: tuple[str, ...] = (), above: str = "", counted: str = "",
) -> Figure:  # fmt: skip
    """Mean and SD band over orderings and networks per group; areas in the legend (paper, section 3.1).

    Reads tables runs, ablation, areas. `more` are footnotes of the figure's own, `above` a line above the
    panel; `counted`: "", or "_top5" for top-5 accuracy. Raises InputError naming a table or column that is
    missing or empty.
    """
    runs = require(tables, "runs", "run", "classes", "model", "train_images", "units")
    ablation = clamped(tables, "ablation", CLAMP, "ordering", "ablated", "units", f"accuracy{counted}")
    notes = (small_print(ablation, groups), *layers_ablated(runs, ablation), words.trained_on(runs), *more)
    layout = style.Layout(notes, rows=1 + -(-len(groups) // columns), subtitles=(above,))
    with style.look():
        figure, axes = style.panel(tables, study, layout)
        draw_groups(axes, tables, groups, counted)
        finish(axes, runs, ablation, counted=counted)
        style.legend(figure, axes, layout, columns, f"{heading}: {AREA}")
    return figure


def draw_groups(axes: Axes, tables: Tables, groups: list[Group], counted: str = "") -> None:
    """One mean line with its SD band per group, labelled with its area."""
    accuracy = f"accuracy{counted}"
    for group in groups:
        ablation = clamped(tables, "ablation", group.clamp, "ordering", "ablated", "units", accuracy)
        areas = clamped(tables, "areas", group.clamp, f"auc{counted}", f"auc_relative{counted}")
        ablation, areas = (table[table["run"].isin(group.runs)] for table in (ablation, areas))
        if ablation.empty or areas.empty:
            raise InputError(
                f"tables 'ablation' and 'areas' must hold the networks {group.label!r}: collect anew"
            )
        curve = style.pooled(ablation, "ablated", accuracy)
        style.band(axes, curve, group.colour, f"{group.label}: {area_label(areas, counted)}", group.line)


def finish(
    axes: Axes,
    runs: pd.DataFrame,
    ablation: pd.DataFrame,
    clamp: str = " (clamped to zero)",
    counted: str = "",
) -> None:
    """Axes from none to all of the units ablated, chance level, labels."""
    style.chance_line(axes, words.only(runs, "classes"), 5 if counted == TOP5 else 1)
    axes.set(xlim=(0, ablation["units"].max()), ylim=(0, 1.02))
    axes.set_xlabel(f"number of {words.unit_noun(runs)} ablated{clamp}")
    axes.set_ylabel("top-5 training accuracy" if counted == TOP5 else "training accuracy")


def small_print(ablation: pd.DataFrame, groups: list[Group]) -> str:
    """n and what the bands are."""
    orderings = words.count(ablation.groupby("run")["ordering"].nunique(), "ordering")
    networks = words.count(pd.Series([len(group.runs) for group in groups]), "network")
    return f"Mean ± SD over {orderings} × {networks} per curve."


def layers_ablated(runs: pd.DataFrame, ablation: pd.DataFrame) -> tuple[str, ...]:
    """A footnote where only the last layers are ablated; they are all layers of an MLP."""
    ablated, units = int(ablation["units"].max()), int(runs["units"].max())
    if ablated == units:
        return ()
    return (f"Ablated: the {ablated:,} {words.unit_noun(runs)} of the last layers, of {units:,} in all.",)


def by_corruption(tables: Tables) -> list[Group]:
    """One group per fraction of labels corrupted, from true to random labels."""
    runs = require(tables, "runs", "run", "corrupt", "changed_share")
    return [
        Group(
            f"{float(fraction)} ({words.changed(runs, fraction)})",
            style.corruption_colour(fraction),
            list(runs.loc[runs["corrupt"] == fraction, "run"]),
        )
        for fraction in sorted(runs["corrupt"].unique())
    ]


def corruption(tables: Tables, study: str) -> Figure:
    """Figures 1a to 1c: one curve per fraction of labels corrupted; top-5 accuracy where it was measured."""
    notes = ["Legend: fraction of labels shuffled (share that differs from the true label)."]
    counted = TOP5 if f"accuracy{TOP5}" in require(tables, "ablation", "run") else ""
    if counted:
        notes.append("An answer is right if the label is among its first five (top-5 accuracy).")
    return cumulative(
        tables, study, by_corruption(tables), "labels shuffled", more=tuple(notes), counted=counted
    )
