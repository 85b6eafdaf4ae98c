"""Figure 7a: how much the test loss changes when a unit is ablated, against the unit's class selectivity."""

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.figures import style
from directions.statistics import Untestable, estimate, joined_units
from directions.tidy import Tables, require


class Measure(NamedTuple):
    """What stands on the x axis: its column in `units`, words for it, and its statistic."""

    column: str
    label: str
    statistic: str
    key: str  # of the bootstrap's random stream; the claim's own, so that figure and claims table agree
    floor: str | None = None  # column with the value that chance alone gives


SELECTIVITY = Measure(
    "selectivity", "class selectivity index", "selectivity_correlation", "fig7a_rank_correlation"
)


def draw(tables: Tables, study: str) -> Figure:
    """One dot per unit of the network with the lowest seed; Spearman with its interval (section 3.4).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return scatter(tables, study, SELECTIVITY)


def scatter(tables: Tables, study: str, measure: Measure) -> Figure:
    """Importance against `measure`, shared by Figures 7a and A4a; dead units stand in a strip at the left."""
    runs = require(tables, "runs", "run", "seed", "dataset", "model", "test_images")
    shown = runs.sort_values("seed", kind="stable").iloc[0]
    units = joined_units(_of_one(tables, shown["run"]))
    threshold = style.symmetric_log(units["importance"].to_numpy(float))
    notes = _small_print(tables, measure, int(shown["seed"]), units, threshold)
    rho = _rho(_of_one(tables, shown["run"]), measure, fewest=1)
    with style.look():
        figure, axes = style.panel(tables, study, notes, rows=1, subtitle=rho)
        axes.axhline(0, color=style.colour("chance"), linewidth=0.6, zorder=1)
        if threshold is not None:
            axes.set_yscale("symlog", linthresh=threshold)
        _dots(axes, units, measure)
        if measure.floor is not None:
            _floor(axes, require(_of_one(tables, shown["run"]), "units", measure.floor), measure.floor)
        axes.set(xlabel=measure.label, ylabel="change of test loss (nats)")
        axes.margins(y=0.06)
        style.legend(figure, axes, notes, columns=6)
    return figure


def _dots(axes: Axes, units: pd.DataFrame, measure: Measure) -> None:
    """Live units by layer; dead ones, which have no place on x, left of a line at 0."""
    live, dead = units[~units["dead"]], units[units["dead"]]
    for place, (_, dots) in enumerate(live.groupby("layer", sort=False)):
        name = f"layer {place + 1}"
        marker = style.LAYER_MARKERS[place % len(style.LAYER_MARKERS)]
        look = {"color": style.colour(name), "markersize": 3.6, "markeredgewidth": 0, "alpha": 0.75}
        axes.plot(dots[measure.column], dots["importance"], marker, **look, label=name)
    right = 1.04 * live[measure.column].max() if len(live) else 1.0
    strip = 0.07 * right if len(dead) else 0.0
    axes.set_xlim(-strip, right)
    if len(dead):
        look = {"color": style.colour("dead"), "markersize": 4}
        axes.plot([-strip / 2] * len(dead), dead["importance"], "x", **look, label="dead")
        axes.axvline(0, color=style.colour("dead"), linewidth=0.5)


def _floor(axes: Axes, units: pd.DataFrame, column: str) -> None:
    level = units.loc[~units["dead"].astype(bool), column].mean()
    look = {"color": style.colour("null floor"), "linestyle": "--", "linewidth": 1.0, "zorder": 1}
    axes.axvline(level, **look, label=f"shuffled labels: {level:.3f}")


def _of_one(tables: Tables, run: str) -> Tables:
    return {name: table[table["run"] == run] for name, table in tables.items()}


def _rho(tables: Tables, measure: Measure, fewest: int) -> str:
    """ "Spearman 0.10 [−0.02, 0.21]", or why there is none."""
    try:
        found = estimate(measure.statistic, tables, measure.key, fewest=fewest)
    except Untestable as lacking:
        return f"no Spearman: {lacking}"
    interval = "" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"Spearman {found.value:.2f}{interval}".replace("-", "−")


def _small_print(
    tables: Tables, measure: Measure, seed: int, units: pd.DataFrame, threshold: float | None
) -> tuple[str, ...]:
    networks = style.count(pd.Series([tables["runs"]["run"].nunique()]), "network")
    images = style.only(tables["runs"], "test_images")
    dead = int(units["dead"].sum())
    left_out = f"{dead} dead (not in Spearman)" if dead else "none dead"
    return (
        f"Units of the network with seed {seed}: {len(units) - dead} live, {left_out}.",
        f"Mean of {networks}: {_rho(tables, measure, fewest=2)}. Brackets: 95 % bootstrap.",
        f"One unit at a time clamped to zero; loss on {images:,} test images.",
        *(() if threshold is None else (f"Vertical axis: logarithmic, linear within ±{threshold:g}.",)),
    )
