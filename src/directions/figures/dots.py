"""Dots of units: importance against class selectivity or mutual information (Figures 7, A4)."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.figures import layers, style, words
from directions.statistics import Untestable, estimate, joined_units
from directions.tidy import Tables, require


class Measure(NamedTuple):
    """What stands on the x axis: its column in `units`, words for it, and its statistic."""

    column: str
    label: str
    statistic: str
    floor: str | None = None  # column with the value that chance alone gives
    others: tuple[str, ...] = ()  # columns with the same measure, estimated otherwise


SELECTIVITY = Measure("selectivity", "class selectivity index", "selectivity_correlation")
INFORMATION = Measure(
    "information_bits",
    "mutual information with the class (bits)",
    "information_correlation",
    floor="information_null_bits",
    others=("information_bits_coarse", "information_bits_fine"),
)
EFFECTS = {
    "importance": "change of test loss (nats)",
    "worst_class_drop": "largest drop of accuracy in one class",
}


def units_of(tables: Tables, measure: Measure) -> pd.DataFrame:
    """One row per unit: run, layer, unit, dead, the measure's columns, importance, worst_class_drop.

    Raises InputError where tables `units` and `single` hold different units or lack a column.
    """
    key = ["run", "layer", "unit"]
    joined = joined_units(tables)
    drops = require(tables, "single", *key, "worst_class_drop")
    require(tables, "units", *measure.others, *filter(None, [measure.floor]))
    return joined.merge(drops[[*key, "worst_class_drop"]], on=key)


def sampled(tables: Tables, run: str) -> str:
    """ "a random 500 of 2,816, " where not every unit of a network was ablated alone; else nothing."""
    some, every = (int((tables[name]["run"] == run).sum()) for name in ("single", "units"))
    return f"a random {some:,} of {every:,}, " if some < every else ""


def shown_network(tables: Tables) -> tuple[str, int]:
    """Name and seed of the network whose units are drawn: the lowest seed."""
    runs = require(tables, "runs", "run", "seed", "dataset", "model", "test_images")
    first = runs.sort_values(["seed", "run"]).iloc[0]
    return first["run"], int(first["seed"])


def scatter(tables: Tables, study: str, figure: str, measure: Measure) -> Figure:
    """Left: importance against `measure`; right: the largest drop of accuracy on a single class (Zhou 2018).

    Figures 7a, 7b, 7d, A4a, A4b, A4d. Dead units stand in a strip at the left. Raises InputError naming a
    table or column that is missing or empty.
    """
    run, seed = shown_network(tables)
    units = units_of(tables, measure)
    mine = units[units["run"] == run]
    number = len(layers.places(mine))
    threshold = style.symmetric_log(mine["importance"].to_numpy(float))
    above = (
        f"Spearman {rho(of_run(tables, run), measure, figure, fewest=1)}",
        f"Spearman {_plain_rho(mine, measure, 'worst_class_drop')},"
        f" median within layers {_inside(mine, measure)}",
    )
    notes = _small_print(tables, figure, measure, seed, units, run, threshold)
    many = number > layers.FEW_LAYERS
    named = not many or measure.floor is not None or mine["dead"].any()
    layout = style.Layout(notes, int(named), above, style.WIDE, bar=many)
    with style.look():
        drawn, both = style.panels(tables, study, layout)
        for axes, (effect, label) in zip(both, EFFECTS.items(), strict=True):
            draw_dots(axes, mine, measure.column, effect)
            if measure.floor is not None:
                _floor(axes, mine, measure.floor)
            axes.set(xlabel=measure.label, ylabel=label)
            axes.margins(y=0.06)
        if threshold is not None:
            style.set_symmetric_log(both[0], threshold)
        if named:
            style.legend(drawn, both[0], layout, columns=6)
        if many:
            style.colour_bar(drawn, both[-1], layers.norm(number), "layer", layers.ticks(number))
    return drawn


def draw_dots(axes: Axes, units: pd.DataFrame, x: str, y: str, strip: bool = True, fade: float = 1.0) -> None:
    """Live units, coloured by layer; dead ones, which have no place on x, left of a line at 0."""
    live, dead = units[~units["dead"]], units[units["dead"]]
    names = layers.places(units)
    axes.axhline(0, color=style.colour("chance"), linewidth=0.6, zorder=1)
    if len(names) <= layers.FEW_LAYERS:
        _few(axes, live, names, x, y, fade)
    else:
        _many(axes, live, names, x, y, fade)
    right = 1.04 * live[x].max() if len(live) else 1.0
    left = 0.07 * right if strip and len(dead) else 0.0
    axes.set_xlim(-left, right)
    if left:
        look = {"color": style.colour("dead"), "markersize": 4, "rasterized": len(dead) > 1000}
        axes.plot([-left / 2] * len(dead), dead[y], "x", **look, label="dead")
        axes.axvline(0, color=style.colour("dead"), linewidth=0.5)


def _few(axes: Axes, live: pd.DataFrame, names: dict[str, int], x: str, y: str, fade: float) -> None:
    for layer, place in names.items():
        some = live[live["layer"] == layer]
        look = {"color": layers.colour(place, len(names)), "markersize": 3.6, "markeredgewidth": 0}
        marker = style.MARKERS[place - 1]
        axes.plot(some[x], some[y], marker, **look, alpha=0.75 * fade, label=f"layer {place}")


def _many(axes: Axes, live: pd.DataFrame, names: dict[str, int], x: str, y: str, fade: float) -> None:
    mixed = live.sort_values("unit", kind="stable")  # so that no layer lies on top of all others
    size = 9 if len(mixed) < 2000 else 5
    look = {"s": size, "linewidths": 0, "alpha": 0.7 * fade, "rasterized": len(mixed) > 2000, "zorder": 2}
    shades = layers.norm(len(names))
    axes.scatter(mixed[x], mixed[y], c=mixed["layer"].map(names), cmap=style.SEQUENCE, norm=shades, **look)


def _floor(axes: Axes, units: pd.DataFrame, column: str) -> None:
    level = units.loc[~units["dead"], column].mean()
    look = {"color": style.colour("null floor"), "linestyle": "--", "linewidth": 1.0, "zorder": 1}
    axes.axvline(level, **look, label=f"shuffled labels: {level:.3f}")


def of_run(tables: Tables, run: str) -> Tables:
    """The rows of one network in every table."""
    return {name: table[table["run"] == run] for name, table in tables.items()}


def rho(tables: Tables, measure: Measure, figure: str, fewest: int) -> str:
    """ "0.10 [−0.02, 0.21]", all layers pooled, or why there is none; the random stream is the claim's."""
    try:
        found = estimate(measure.statistic, tables, f"{figure}_rank_correlation", fewest=fewest)
    except Untestable as lacking:
        return f"none: {lacking}"
    return words.interval(found.value, found.low, found.high)


def _plain_rho(units: pd.DataFrame, measure: Measure, effect: str, column: str | None = None) -> str:
    """Spearman over live units, pooled over layers, mean over networks."""
    live = units[~units["dead"]]
    each = [some[column or measure.column].corr(some[effect], "spearman") for _, some in live.groupby("run")]
    return words.number(float(np.mean(each))) if np.isfinite(each).all() else "–"


def _inside(units: pd.DataFrame, measure: Measure) -> str:
    """Of the layers' own correlations with the largest drop of a class, the median; "–" if there is none."""
    names = layers.places(units)
    found = layers.within(units[~units["dead"]], measure.column, "worst_class_drop", "worst class", names)
    return "–" if found.empty else words.number(found["value"].median())


def _small_print(
    tables: Tables, figure: str, measure: Measure, seed: int, units: pd.DataFrame, run: str, threshold
) -> tuple[str, ...]:
    runs = tables["runs"]
    noun, mine = words.unit_noun(runs), units[units["run"] == run]
    dead = int(mine["dead"].sum())
    left_out = f"{dead:,} dead (not in Spearman)" if dead else "none dead"
    live, names = units[~units["dead"]], layers.places(units)
    found = layers.within(live, measure.column, "importance", figure, names)
    each = layers.summary(found, names)
    everywhere = rho(tables, measure, figure, fewest=2)
    bins = [_plain_rho(units, measure, "importance", column) for column in measure.others]
    return (
        f"{noun.capitalize()} of the network with seed {seed}: {sampled(tables, run)}{len(mine) - dead:,}"
        f" live, {left_out}. One at a time clamped to zero; {words.only(runs, 'test_images'):,} test images.",
        f"Left, {words.mean_of(runs)}: Spearman {everywhere}; {each}. Brackets: 95 % bootstrap.",
        *((f"With half as many bins {bins[0]}, with twice as many {bins[1]} (left).",) if bins else ()),
        *(() if threshold is None else (f"Left axis: logarithmic, linear within ±{threshold:g}.",)),
    )


# --- within layers ---


def by_layer(tables: Tables, study: str, figure: str, measure: Measure) -> Figure:
    """Left: a regression line per layer; right: Spearman within each against depth (7c, 7e, A4c, A4e)."""
    run, seed = shown_network(tables)
    units = units_of(tables, measure)
    mine, live = units[units["run"] == run], units[~units["dead"]]
    names = layers.places(units)
    found = layers.within(live, measure.column, "importance", figure, names)
    shown = mine[~mine["dead"]]
    low, high, outside = _crop(shown["importance"])
    runs, noun = tables["runs"], words.unit_noun(tables["runs"])
    notes = (
        f"Left: {sampled(tables, run)}{len(shown):,} live {noun} of the network with seed {seed} and their"
        f" least-squares lines, one per layer; {outside:,} outside the axes.",
        f"Right: {words.mean_of(runs)}, 95 % bootstrap; {layers.summary(found, names)}.",
        f"One at a time clamped to zero; {words.only(runs, 'test_images'):,} test images.",
    )
    above = ("regression line per layer", f"pooled Spearman {rho(tables, measure, figure, fewest=1)}")
    layout = style.Layout(notes, 0, above, style.WIDE, bar=True)
    with style.look():
        drawn, (left, right) = style.panels(tables, study, layout)
        draw_dots(left, mine, measure.column, "importance", strip=False, fade=0.45)
        _lines(left, shown, names, measure.column)
        left.set(ylim=(low, high), xlabel=measure.label, ylabel=EFFECTS["importance"])
        layers.draw_within(right, found, names)
        style.colour_bar(drawn, right, layers.norm(len(names)), "layer", layers.ticks(len(names)))
    return drawn


def _lines(axes: Axes, live: pd.DataFrame, names: dict[str, int], x: str) -> None:
    """Least squares per layer, over the span of x that the layer has."""
    for layer, place in names.items():
        some = live[live["layer"] == layer]
        if some[x].nunique() < 2:
            continue
        slope, at_zero = np.polyfit(some[x], some["importance"], 1)
        ends = np.array([some[x].min(), some[x].max()])
        width = 1.6 if len(names) < 20 else 1.0
        shade = layers.colour(place, len(names))
        axes.plot(ends, at_zero + slope * ends, color=shade, linewidth=width, label=f"_layer {place}")


def _crop(importance: pd.Series) -> tuple[float, float, int]:
    """The span of 98 in 100 units with a margin, and how many lie outside."""
    low, high = importance.quantile([0.01, 0.99])
    margin = 0.08 * (high - low) or 1e-3
    low, high = low - margin, high + margin
    return low, high, int(((importance < low) | (importance > high)).sum())
