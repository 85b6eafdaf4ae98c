"""Scatter plots of units: importance against class selectivity or mutual information (Figures 7, A4)."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from directions.claims.statistics import Untestable, estimate, joined_units
from directions.core.tables import Tables, require
from directions.figures import layers, overlay, scales, style, text


class Measure(NamedTuple):
    """The measure on the x axis: its column in `units`, its label, and its statistic."""

    column: str
    label: str
    statistic: str
    floor: str | None = None  # column with the value expected by chance
    others: tuple[str, ...] = ()  # columns with other estimates of the same measure


SELECTIVITY = Measure("selectivity", "class selectivity index", "selectivity_correlation")
INFORMATION = Measure(
    "information_bits",
    "mutual information with the class (bits)",
    "information_correlation",
    floor="information_null_bits",
    others=("information_bits_coarse", "information_bits_fine"),
)
SIDES = ("left", "right")
OURS = "#0072B2"
EFFECTS = {
    "importance": "change of test loss (nats)",
    "worst_class_drop": "largest drop of accuracy in one class",
}


def units_of(tables: Tables, measure: Measure) -> pd.DataFrame:
    """Join one row per unit: run, layer, unit, dead, the measure's columns, importance, worst_class_drop.

    Raises InputError if tables `units` and `single` hold different units or lack a column.
    """
    key = ["run", "layer", "unit"]
    joined = joined_units(tables)
    drops = require(tables, "single", *key, "worst_class_drop")
    require(tables, "units", *measure.others, *filter(None, [measure.floor]))
    return joined.merge(drops[[*key, "worst_class_drop"]], on=key)


def sampled(tables: Tables, run: str) -> str:
    """Write "a random 500 of 2,816, " if not every unit of a network was ablated alone, else nothing."""
    some, every = (int((tables[name]["run"] == run).sum()) for name in ("single", "units"))
    return f"a random {some:,} of {every:,}, " if some < every else ""


def shown_network(tables: Tables) -> tuple[str, int]:
    """Return name and seed of the network whose units are drawn: the one with the lowest seed."""
    runs = require(tables, "runs", "run", "seed", "dataset", "model", "test_images")
    first = runs.sort_values(["seed", "run"]).iloc[0]
    return first["run"], int(first["seed"])


def scatter(tables: Tables, study: str, figure: str, measure: Measure) -> Figure:
    """Draw importance (left) and the largest accuracy drop on one class (right; Zhou 2018) against `measure`.

    Figures 7a, 7b, 7d, A4a, A4b, A4d. Dead units are in a strip at the left; the paper's own dots are behind
    if table `paper` is given. Raises InputError naming a table or column that is missing or empty.
    """
    run, seed = shown_network(tables)
    units = units_of(tables, measure)
    mine = units[units["run"] == run]
    theirs, behind = overlay.of(tables, "selectivity", "impact"), overlay.handles(tables, dotted=True)
    beside = {"importance": theirs["impact"]} if theirs is not None else {}
    bends = {
        effect: scales.symmetric_log(mine[effect].to_numpy(float), beside.get(effect, ()))
        for effect in EFFECTS
    }
    number = len(layers.places(mine))
    above = (
        f"Spearman {rho(of_run(tables, run), measure, figure, fewest=1)}",
        f"Spearman {_plain_rho(mine, measure, 'worst_class_drop')},"
        f" median within layers {_inside(mine, measure)}",
    )
    notes = _small_print(tables, figure, measure, seed, units, run, bends)
    many = number > layers.FEW_LAYERS
    named = (0 if many else number) + (measure.floor is not None) + mine["dead"].any() + len(behind)
    columns = 2 if style.in_readme() else 6
    layout = style.Layout(notes, -(-named // columns), above, style.WIDE, bar=many)
    if style.in_readme():
        layout = layout._replace(subtitles=above[:1], width=style.WIDTH)
    with style.look():
        drawn, panels = style.panels(tables, study, layout)
        for axes, (effect, label) in zip(panels, EFFECTS.items(), strict=False):
            draw_dots(axes, mine, measure.column, effect)
            if measure.floor is not None:
                _floor(axes, mine, measure.floor)
            if theirs is not None and effect in beside:
                overlay.dots(axes, theirs["selectivity"], theirs["impact"])
                axes.set_xlim(right=max(axes.get_xlim()[1], 1.02 * theirs["selectivity"].max()))
            axes.set(xlabel=measure.label, ylabel=label)
            axes.margins(y=0.06)
            if (threshold := bends[effect]) is not None:
                scales.set_symmetric_log(axes, threshold)
        handles = panels[0].get_legend_handles_labels()[0] + behind
        style.legend(drawn, panels[0], layout, columns, handles=handles)
        if many:
            style.colour_bar(drawn, panels[-1], layers.norm(number), "layer", layers.ticks(number))
    return drawn


def draw_dots(axes: Axes, units: pd.DataFrame, x: str, y: str, strip: bool = True) -> None:
    """Draw live units, coloured by layer, and dead ones, which have no x value, left of a line at 0."""
    live, dead = units[~units["dead"]], units[units["dead"]]
    names = layers.places(units)
    axes.axhline(0, color=style.colour("chance"), linewidth=0.6, zorder=1)
    if len(names) <= layers.FEW_LAYERS:
        _few(axes, live, names, x, y)
    else:
        _many(axes, live, names, x, y)
    right = 1.04 * live[x].max() if len(live) else 1.0
    left = 0.07 * right if strip and len(dead) else 0.0
    axes.set_xlim(-left, right)
    if left:
        look: style.Look = {"color": style.colour("dead"), "markersize": 4, "rasterized": len(dead) > 1000}
        axes.plot([-left / 2] * len(dead), dead[y], "x", **look, label="dead")
        axes.axvline(0, color=style.colour("dead"), linewidth=0.5)


def _few(axes: Axes, live: pd.DataFrame, names: dict[str, int], x: str, y: str) -> None:
    for layer, place in names.items():
        some = live[live["layer"] == layer]
        look: style.Look = {"color": layers.colour(place, len(names)), "markersize": 3.6}
        marker = style.MARKERS[place - 1]
        axes.plot(some[x], some[y], marker, **look, markeredgewidth=0, alpha=0.75, label=f"layer {place}")


def _many(axes: Axes, live: pd.DataFrame, names: dict[str, int], x: str, y: str) -> None:
    mixed = live.sort_values("unit", kind="stable")  # so that no layer covers all others
    size, alpha = (8, 0.6) if len(mixed) < 2000 else (2.2, 0.4)  # overlapping dots look darker
    look: style.Look = {
        "s": size,
        "linewidths": 0,
        "alpha": alpha,
        "rasterized": len(mixed) > 2000,
        "zorder": 2,
    }
    shades = layers.norm(len(names))
    axes.scatter(mixed[x], mixed[y], c=mixed["layer"].map(names), cmap=style.SEQUENCE, norm=shades, **look)


def _floor(axes: Axes, units: pd.DataFrame, column: str) -> None:
    level = units.loc[~units["dead"], column].mean()
    look: style.Look = {"color": style.colour("null floor"), "linestyle": "--", "linewidth": 1.0, "zorder": 1}
    axes.axvline(level, **look, label=f"shuffled labels: {level:.3f}")


def of_run(tables: Tables, run: str) -> Tables:
    """Select the rows of one network in every table."""
    return {name: table[table["run"] == run] for name, table in tables.items() if name != "paper"}


def rho(tables: Tables, measure: Measure, figure: str, fewest: int) -> str:
    """Format "0.10 [−0.02, 0.21]", layers pooled, or why there is none; the claim's random stream."""
    try:
        found = estimate(measure.statistic, tables, f"{figure}_rank_correlation", fewest=fewest)
    except Untestable as lacking:
        return f"none: {lacking}"
    return text.interval(found.value, found.low, found.high)


def _plain_rho(units: pd.DataFrame, measure: Measure, effect: str, column: str | None = None) -> str:
    """Average over networks the Spearman over live units, pooled over layers."""
    live = units[~units["dead"]]
    each = [some[column or measure.column].corr(some[effect], "spearman") for _, some in live.groupby("run")]
    return text.number(float(np.mean(each))) if np.isfinite(each).all() else "–"


def _inside(units: pd.DataFrame, measure: Measure) -> str:
    """Format the layers' median correlation with the largest drop of a class; "–" if there is none."""
    names = layers.places(units)
    found = layers.within(units[~units["dead"]], measure.column, "worst_class_drop", "worst class", names)
    return "–" if found.empty else text.number(found["value"].median())


def _small_print(
    tables: Tables, figure: str, measure: Measure, seed: int, units: pd.DataFrame, run: str, bends: dict
) -> tuple[str, ...]:
    runs = tables["runs"]
    noun, mine = text.unit_noun(runs), units[units["run"] == run]
    dead = int(mine["dead"].sum())
    left_out = f"{dead:,} dead (not in Spearman)" if dead else "none dead"
    live, names = units[~units["dead"]], layers.places(units)
    found = layers.within(live, measure.column, "importance", figure, names)
    each = layers.summary(found, names)
    everywhere = rho(tables, measure, figure, fewest=2)
    shown = overlay.SHOWN.get(figure) if "paper" in tables else None
    linear = [
        f"±{bends[effect]:g} ({side})" for effect, side in zip(EFFECTS, SIDES, strict=True) if bends[effect]
    ]
    bins = [_plain_rho(units, measure, "importance", column) for column in measure.others]
    return (
        f"{noun.capitalize()} of the network with seed {seed}: {sampled(tables, run)}{len(mine) - dead:,}"
        f" live, {left_out}. One at a time clamped to zero; {text.only(runs, 'test_images'):,} test images.",
        f"Left, {text.mean_of(runs)}: Spearman {everywhere}; {each}. Brackets: 95 % bootstrap.",
        *((f"With half as many bins {bins[0]}, with twice as many {bins[1]} (left).",) if bins else ()),
        *((shown,) if shown else ()),
        *((f"Logarithmic axes, linear within: {', '.join(linear)}.",) if linear else ()),
    )


# --- within layers ---


def by_layer(tables: Tables, study: str, figure: str, measure: Measure) -> Figure:
    """Draw Spearman within each layer against depth, with its interval (7c, 7e, A4c, A4e).

    Averaged over networks; the paper's own line is behind if table `paper` is given. Raises InputError naming
    a table or column that is missing or empty.
    """
    units = units_of(tables, measure)
    live, names = units[~units["dead"]], layers.places(units)
    found = layers.within(live, measure.column, "importance", figure, names)
    theirs, behind = overlay.of(tables, "layer", "correlation"), overlay.handles(tables)
    runs, noun, last = tables["runs"], text.unit_noun(tables["runs"]), len(names)
    theirs = None if theirs is None else theirs.astype({"layer": float})
    scaled = theirs is not None and theirs["layer"].max() != last
    notes = (
        f"Spearman of {measure.label} and change of test loss over the live {noun} of a layer:"
        f" {text.mean_of(runs)}, 95 % bootstrap; {layers.summary(found, names)}.",
        f"{noun.capitalize()}, {sampled(tables, shown_network(tables)[0])}one at a time clamped to zero;"
        f" {text.only(runs, 'test_images'):,} test images.",
        *(("The paper's line is scaled to our number of layers.",) if scaled else ()),
    )
    above = f"all layers pooled: Spearman {rho(tables, measure, figure, fewest=2)}"
    layout = style.Layout(notes, 1, (above,), style.WIDE)
    with style.look():
        drawn, axes = style.panel(tables, study, layout)
        layers.draw_within(axes, found, names, OURS)
        if theirs is not None:
            places = 1 + (theirs["layer"] - 1) * (last - 1) / (theirs["layer"].max() - 1)
            overlay.line(axes, places, theirs["correlation"], marker=".", markersize=4)
        seen = np.concatenate(
            [found[["low", "high"]].to_numpy().ravel(), *(line.get_ydata() for line in axes.lines)]
        )
        axes.set_ylim(max(-1.02, seen.min() - 0.06), min(1.02, seen.max() + 0.06))
        ours = Line2D([], [], color=OURS, marker="o", markersize=3, linewidth=1.0, label=text.mean_of(runs))
        style.legend(drawn, axes, layout, 2, handles=[ours, *behind])
    return drawn
