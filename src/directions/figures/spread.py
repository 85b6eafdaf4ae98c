"""Distributions of selectivity and mutual information over units: by batch norm, and by depth."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from directions.core.tables import Tables, require
from directions.figures import layers, overlay, style, text
from directions.figures.dots import Measure

BINS = 30
SIDES = {"batch norm": "with", "no batch norm": "without"}  # our name, the paper's
_SCALED = "The paper's densities are scaled to our bins; they may include dead maps."
PAPER = {
    "selectivity": (_SCALED,),
    "information_bits": (
        _SCALED,
        "The paper does not say in which unit its mutual information is; drawn as bits.",
    ),
}


def units_of(tables: Tables, *columns: str) -> pd.DataFrame:
    """Return table `units` with boolean `dead`. Raises InputError naming a missing or empty column."""
    units = require(tables, "units", "run", "layer", "unit", "dead", *columns, may_be_empty=["selectivity"])
    return units.assign(dead=text.truths(units["dead"]))


def by_batch_norm(tables: Tables, study: str, measure: Measure) -> Figure:
    """Draw Figure 6: share of live maps per bin, pooled over networks, by batch norm (section 3.3).

    Reads tables runs, units and, if given, paper. Raises InputError naming a table or column that is missing
    or empty.
    """
    runs = require(tables, "runs", "run", "batch_norm", "test_images", "model")
    units = units_of(tables, *measure.others, *filter(None, [measure.floor]))
    normed = text.truths(runs["batch_norm"])
    sides = [("batch norm", runs.loc[normed, "run"]), ("no batch norm", runs.loc[~normed, "run"])]
    groups = {name: units[units["run"].isin(mine)] for name, mine in sides if len(mine)}
    top = max(1.0, units.loc[~units["dead"], measure.column].max())
    edges, behind = np.linspace(0, top, BINS + 1), overlay.handles(tables)
    notes = (*_norm_notes(runs, groups, measure), *(PAPER[measure.column] if behind else ()))
    layout = style.Layout(notes, rows=len(groups) + len(behind))
    with style.look():
        figure, axes = style.panel(tables, study, layout)
        for name, some in groups.items():
            _histogram(axes, some, measure, name, edges)
            theirs = overlay.of(tables, "bin_left", "bin_right", "density", batch_norm=SIDES[name])
            if theirs is not None:
                bins = [*theirs["bin_left"], theirs["bin_right"].iloc[-1]]
                overlay.steps(axes, bins, theirs["density"] * (top / BINS), style.colour(name))
        axes.set(xlim=(0, top), ylim=(0, None), xlabel=measure.label)
        axes.set_ylabel(f"share of live {text.unit_noun(runs)} per bin")
        style.legend(figure, axes, layout, 1, handles=axes.get_legend_handles_labels()[0] + behind)
    return figure


def _histogram(axes: Axes, units: pd.DataFrame, measure: Measure, name: str, edges: np.ndarray) -> None:
    live = units[~units["dead"]]
    share = np.histogram(live[measure.column], edges)[0] / max(len(live), 1)
    middle, dead = live[measure.column].median(), len(units) - len(live)
    label = (
        f"{name}: median {middle:.3f}, {len(live):,} live, {dead:,} dead ({100 * dead / len(units):.1f} %)"
    )
    colour = style.colour(name)
    axes.stairs(share, edges, color=colour, fill=True, alpha=0.25)
    axes.stairs(share, edges, color=colour, linewidth=1.3, label=label)
    axes.axvline(middle, color=colour, linewidth=0.9)


def _norm_notes(runs: pd.DataFrame, groups: dict, measure: Measure) -> tuple[str, ...]:
    each = text.count(pd.Series([some["run"].nunique() for some in groups.values()]), "network")
    images = f"{text.only(runs, 'test_images'):,} test images"
    notes = [
        f"Pooled over {each} each, no error bars; {images}.",
        "Uprights: medians over live maps, pooled.",
    ]
    if measure.floor is not None:
        said = []
        for name, some in groups.items():
            live = some[~some["dead"]]
            coarse, fine = (live[column].median() for column in measure.others)
            said.append(f"{name} {coarse:.3f} / {fine:.3f}; shuffled labels {live[measure.floor].mean():.3f}")
        notes += ["Medians with half / twice the bins:", *(f"{line}." for line in said)]
    return tuple(notes)


# --- by depth ---


def by_depth(tables: Tables, study: str) -> Figure:
    """Draw Figure A2: boxes of class selectivity per layer, in forward order (section A.2).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "test_images", "model")
    units = units_of(tables)
    names, live = layers.places(units), units[~units["dead"]]
    layout = style.Layout(_depth_notes(runs, units, names), 0, (_trend(live, names),), style.WIDE)
    with style.look():
        figure, axes = style.panel(tables, study, layout)
        for layer, place in names.items():
            some = live.loc[live["layer"] == layer, "selectivity"]
            if len(some):
                _box(axes, some, place, layers.colour(place, len(names)))
        layers.depth_axis(axes, names)
        axes.set(ylim=(0, 1.02), ylabel="class selectivity index")
    return figure


def _box(axes: Axes, values: pd.Series, place: int, colour) -> None:
    lines = {"color": "black", "linewidth": 0.7}
    axes.boxplot(
        [values], positions=[place], widths=0.62, whis=(5, 95), showfliers=False, patch_artist=True,
        manage_ticks=False, boxprops={"facecolor": colour, "edgecolor": "black", "linewidth": 0.5},
        medianprops={"color": "white", "linewidth": 1.3}, whiskerprops=lines, capprops=lines,
    )  # fmt: skip


def _trend(live: pd.DataFrame, names: dict[str, int]) -> str:
    depth = live["layer"].map(names)
    medians = live.groupby("layer")["selectivity"].median()
    rho = [spearmanr(depth, live["selectivity"]).statistic]
    rho.append(spearmanr(medians.index.map(names), medians).statistic)
    if not np.isfinite(rho).all():
        return ""
    pooled, of_medians = map(text.number, rho)
    return f"Spearman of selectivity with depth: {pooled} over units, {of_medians} over the layers' medians"


def _depth_notes(runs: pd.DataFrame, units: pd.DataFrame, names: dict[str, int]) -> tuple[str, ...]:
    dead = units.groupby("layer", sort=False)["dead"].mean()
    total, images = int(units["dead"].sum()), f"{text.only(runs, 'test_images'):,} test images"
    worst = f"; most in layer {names[dead.idxmax()]} ({100 * dead.max():.0f} %)" if total else ""
    return (
        f"Boxes: quartiles and median of live {text.unit_noun(runs)}; whiskers: 5th and 95th percentile."
        f" {text.networks(runs).capitalize()} pooled, {images}.",
        f"{len(units) - total:,} live; {total:,} dead, without selectivity{worst}.",
    )
