"""Cumulative ablation curves by group of networks, for Figures 1, 3a, 5 and A1."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics import Untestable, estimate
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import overlay, style
from directions.figures import text as figures_text

CLAMP = "zero"  # the paper's main text; clamping to the mean is Figure A1
TOP5 = "_top5"  # suffix of columns about top-5 accuracy, which the paper shows for ImageNet
AREA = "area under the curve ± SD"  # in the legend, after the name of a curve
RELATIVE = " (area / unablated accuracy, where other)"


class Group(NamedTuple):
    """Networks that share a curve."""

    label: str  # the area follows it
    colour: style.Colour
    runs: list[str]
    line: str = "-"
    clamp: str = CLAMP
    paper: pd.DataFrame | None = None  # the paper's curve for the same networks: ablated, accuracy


def clamped(tables: Tables, name: str, clamp: str, *columns: str) -> pd.DataFrame:
    """Select the rows of table `name` with that clamp. Raises InputError if there are none."""
    table = require(tables, name, "run", "clamp", *columns)
    chosen = table[table["clamp"] == clamp]
    if chosen.empty:
        raise InputError(
            f"table {name!r} has no rows with clamp {clamp!r}: add it to ablate_cumulative's clamp"
        )
    return chosen


def area_label(areas: pd.DataFrame, counted: str = "") -> str:
    """Format "0.735 ± 0.034 (0.736)": area, SD over orderings and networks, area / unablated accuracy.

    The last only if it differs from the area, unlike in networks that fit their whole training set, and not
    in a README, where there is no room for it.
    """
    mean, relative = (
        figures_text.mean_sd(areas[f"auc{counted}"]),
        figures_text.number(areas[f"auc_relative{counted}"].mean(), 3),
    )
    return mean if style.in_readme() or mean.split(" ")[0] == relative else f"{mean} ({relative})"


def areas_of(tables: Tables, group: Group, counted: str = "") -> pd.DataFrame:
    """Select the rows of table `areas` that belong to a group."""
    areas = clamped(tables, "areas", group.clamp, f"auc{counted}", f"auc_relative{counted}")
    areas = areas[areas["run"].isin(group.runs)]
    if areas.empty:
        raise InputError(f"table 'areas' has no network of {group.label!r}: collect it again")
    return areas


def legend_heading(tables: Tables, groups: list[Group], counted: str = "") -> str:
    """Describe the numbers after the group names in the legend."""
    twice = any("(" in area_label(areas_of(tables, group, counted), counted) for group in groups)
    return f"area ± SD{RELATIVE}" if twice else AREA


def difference(tables: Tables, statistic: str, key: str, sides: str) -> str:
    """Format "area, best − worst: 0.020 [−0.014, 0.054]", as in the claim `key`, or why there is none."""
    try:
        found = estimate(statistic, tables, key)
    except Untestable as lacking:
        return f"area, {sides}: none, {lacking}"
    interval = (
        ""
        if found.low is None or found.high is None
        else f" [{figures_text.number(found.low, 3)}, {figures_text.number(found.high, 3)}]"
    )
    return f"area, {sides}: {figures_text.number(found.value, 3)}{interval}"


def cumulative(
    tables: Tables, study: str, groups: list[Group], heading: str, figure: str, *, columns: int = 2,
    more: tuple[str, ...] = (), above: str = "", counted: str = "", zoom: bool = False,
) -> Figure:  # fmt: skip
    """Draw mean and SD band over orderings and networks per group, areas in the legend (section 3.1).

    Reads tables runs, ablation, areas and, if given, paper. `more` are the figure's own footnotes, `above` is
    a line above the panel; `counted`: "", or "_top5" for top-5 accuracy; zoom: adds a panel where the curves
    diverge. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "classes", "model", "train_images", "units")
    ablation = clamped(tables, "ablation", CLAMP, "ordering", "ablated", "units", f"accuracy{counted}")
    behind = overlay.handles(tables)
    theirs = overlay.units_notes(tables, figure, int(ablation["units"].max()))
    notes = (
        small_print(ablation, groups),
        *layers_ablated(runs, ablation),
        figures_text.trained_on(runs),
        *more,
        *theirs,
    )
    layout = style.Layout(notes, rows=1 + -(-(len(groups) + len(behind)) // columns), subtitles=(above,))
    if zoom:
        layout = layout._replace(width=style.WIDE, subtitles=(above or "all", "where the curves part most"))
    with style.look():
        drawn, panels = style.panels(tables, study, layout)
        for axes in panels:
            draw_groups(axes, tables, groups, counted)
            draw_paper(axes, groups, ablation["units"].max() / overlay.UNITS[figure])
            finish(axes, runs, ablation, counted=counted)
        if zoom:
            _zoom(panels[1])
        handles = panels[0].get_legend_handles_labels()[0]
        handles[-(-len(handles) // columns) : 0] = behind  # last in the first column
        said = f"{heading}: {legend_heading(tables, groups, counted)}"
        style.legend(drawn, panels[0], layout, columns, said, handles)
    return drawn


def draw_groups(axes: Axes, tables: Tables, groups: list[Group], counted: str = "") -> None:
    """Draw one mean line with its SD band per group, labelled with its area."""
    accuracy = f"accuracy{counted}"
    for group in groups:
        ablation = clamped(tables, "ablation", group.clamp, "ordering", "ablated", "units", accuracy)
        ablation = ablation[ablation["run"].isin(group.runs)]
        if ablation.empty:
            raise InputError(f"table 'ablation' has no network of {group.label!r}: collect it again")
        curve = style.pooled(ablation, "ablated", accuracy)
        said = area_label(areas_of(tables, group, counted), counted)
        style.band(axes, curve, group.colour, f"{group.label}: {said}", group.line)


def draw_paper(axes: Axes, groups: list[Group], scale: float) -> None:
    """Draw the paper's curve of each group in its colour; `scale`: our units per unit of the paper's."""
    for group in groups:
        if group.paper is not None:
            overlay.line(axes, scale * group.paper["ablated"], group.paper["accuracy"], group.colour)


def _zoom(axes: Axes) -> None:
    """Limit both axes to where our means differ by at least a third of their largest difference."""
    drawn = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    means = [np.asarray(line.get_xydata()) for line in drawn]
    places = np.unique(np.concatenate([mean[:, 0] for mean in means]))
    heights = np.array([np.interp(places, *mean.T) for mean in means])
    apart = np.flatnonzero(np.ptp(heights, axis=0) >= np.ptp(heights, axis=0).max() / 3)
    shown = slice(max(apart[0] - 1, 0), apart[-1] + 1)
    low, high = heights[:, shown].min(), heights[:, shown].max()
    margin = 0.05 * (high - low) or 0.01
    axes.set(xlim=(places[shown][0], places[shown][-1]), ylim=(low - margin, high + margin))
    for text in axes.texts:
        if text.get_text() == "chance" and not low <= text.get_position()[1] <= high:
            text.remove()


def finish(
    axes: Axes,
    runs: pd.DataFrame,
    ablation: pd.DataFrame,
    clamp: str = " (clamped to zero)",
    counted: str = "",
) -> None:
    """Set axes from none to all units ablated, with chance level and labels."""
    style.chance_line(axes, figures_text.only(runs, "classes"), 5 if counted == TOP5 else 1)
    axes.set(xlim=(0, ablation["units"].max()), ylim=(0, 1.02))
    axes.set_xlabel(f"number of {figures_text.unit_noun(runs)} ablated{clamp}")
    axes.set_ylabel("top-5 training accuracy" if counted == TOP5 else "training accuracy")


def small_print(ablation: pd.DataFrame, groups: list[Group]) -> str:
    """Write the footnote with n and the meaning of the bands."""
    orderings = figures_text.count(ablation.groupby("run")["ordering"].nunique(), "ordering")
    networks = figures_text.count(pd.Series([len(group.runs) for group in groups]), "network")
    return f"Mean ± SD over {orderings} × {networks} per curve."


def layers_ablated(runs: pd.DataFrame, ablation: pd.DataFrame) -> tuple[str, ...]:
    """Write a footnote if only the last layers are ablated; in an MLP, they are all layers."""
    ablated, units = int(ablation["units"].max()), int(runs["units"].max())
    if ablated == units:
        return ()
    return (
        f"Ablated: the {ablated:,} {figures_text.unit_noun(runs)} of the last layers, of {units:,} in all.",
    )


def by_corruption(tables: Tables) -> list[Group]:
    """Group networks by fraction of labels corrupted, from true to random labels."""
    runs = require(tables, "runs", "run", "corrupt", "changed_share")
    return [
        Group(
            f"{float(fraction)} ({figures_text.changed(runs, fraction)})",
            style.corruption_colour(fraction),
            list(runs.loc[runs["corrupt"] == fraction, "run"]),
            paper=overlay.of(tables, "ablated", "accuracy", corrupt=fraction),
        )
        for fraction in sorted(runs["corrupt"].unique())
    ]


def corruption(tables: Tables, study: str, figure: str) -> Figure:
    """Draw Figures 1a to 1c: one curve per fraction corrupted; top-5 accuracy if it was measured."""
    notes = ["Legend: fraction of labels shuffled (share that differs from the true label)."]
    counted = TOP5 if f"accuracy{TOP5}" in require(tables, "ablation", "run") else ""
    if counted:
        notes.append("An answer is right if the label is among its first five (top-5 accuracy).")
    return cumulative(
        tables, study, by_corruption(tables), "labels shuffled", figure, more=tuple(notes), counted=counted,
        zoom=figure == "fig1c",
    )  # fmt: skip
