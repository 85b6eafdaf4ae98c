"""Networks of the user's own: one figure for each network, and one to compare them."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.errors import InputError
from directions.figures import dots, layers, noise, style, words
from directions.figures.curves import area_label
from directions.own import doubts
from directions.statistics.ranks import correlate
from directions.tidy import Tables, require

PANEL = 3.0  # inches, the width of one
RUNS = (
    "run",
    "dataset",
    "train_images",
    "test_images",
    "classes",
    "layers",
    "units",
    "train_accuracy",
    "test_accuracy",
)
EFFECTS = {"importance": "change of loss (nats)", "place": "layer"}  # what stands on y, and its label
PLACE = dots.Measure("place", "layer", "")  # stands on x where nothing else was measured
MARKS = ("circle", "triangle", "square", "diamond")
NO_INDEX = "activity is negative\nfor some images: the index\nhas no meaning in these layers"
DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito's


def summary(tables: Tables) -> Figure:
    """One network: ablation with its area, noise, importance against selectivity and mutual information.

    Draws what the tables hold: runs, and any of ablation with areas, noise, units with single or without.
    Raises InputError naming a table or column that is missing or empty.
    """
    run = require(tables, "runs", *RUNS).iloc[0]
    drawn = list(_panels(tables))
    notes = (*_scores(run), *_splits(tables), _layers(tables, run), *_doubts(tables, run))
    units = _units(tables)
    number = 0 if units is None else len(layers.places(units))
    bar = number > layers.FEW_LAYERS
    layout = style.Layout(
        notes, subtitles=tuple(above for above, _ in drawn), width=PANEL * len(drawn), bar=bar
    )
    with style.look():
        figure, axes = style.titled(f"{run['run']} · {run['dataset']} · {int(run['units']):,} units", layout)
        for panel, (_, draw) in zip(axes, drawn, strict=True):
            draw(panel)
        if bar:
            style.colour_bar(figure, axes[-1], layers.norm(number), "layer", layers.ticks(number))
    return figure


def _panels(tables: Tables) -> Iterator[tuple[str, Callable[[Axes], None]]]:
    """(line above, what draws it) of each panel for which there are tables."""
    if "ablation" in tables:
        areas = require(tables, "areas", "clamp", "auc")
        above = [f"area {_area(some)}, to {clamp}" for clamp, some in areas.groupby("clamp", sort=False)]
        yield "\n".join(above), lambda axes: _ablation(axes, tables)
    if "noise" in tables:
        yield "", lambda axes: _noise(axes, tables)
    if "units" not in tables:
        if "single" in tables:
            yield f"{len(tables['single']):,} units", _dots(_units(tables), PLACE, "importance")
        return
    effect = "importance" if "single" in tables else "place"
    units = (
        dots.units_of(tables, dots.INFORMATION) if "single" in tables else require(tables, "units", "layer")
    )
    for measure in (dots.SELECTIVITY, dots.INFORMATION):
        yield _rho(units, measure.column, effect), _dots(units, measure, effect)


def _units(tables: Tables) -> pd.DataFrame | None:
    """The table with one row per unit that there is; units of which nothing was measured count as live."""
    if "units" in tables:
        return require(tables, "units", "layer")
    if "single" in tables:
        return require(tables, "single", "layer", "unit", "importance").assign(dead=False)
    return None


def _ablation(axes: Axes, tables: Tables) -> None:
    table = require(tables, "ablation", "clamp", "ablated", "units", "split", "accuracy")
    for clamp, some in table.groupby("clamp", sort=False):
        style.band(axes, style.pooled(some, "ablated", "accuracy"), style.colour(clamp), clamp)
    style.chance_line(axes, int(tables["runs"]["classes"].iloc[0]))
    axes.set(xlim=(0, table["units"].max()), ylim=(0, 1.02), ylabel=_accuracy(table))
    clamps = list(table["clamp"].unique())
    axes.set_xlabel(f"units ablated (to {' or '.join(clamps)})")
    if len(clamps) > 1:
        axes.legend(loc="best")


def _noise(axes: Axes, tables: Tables, colours: dict | None = None) -> None:
    table = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "split", "accuracy")
    positive = table.loc[table["noise_sd_ratio"] > 0, "noise_sd_ratio"]
    for run, some in table.groupby("run", sort=False):
        noise.curve(axes, some, positive.min() / 2, (colours or {}).get(run, style.colour("zero")), run)
    noise.log_axis(axes, positive.min() / 2, positive.min(), positive.max())
    _chance(axes, tables["runs"], table)
    axes.set(ylim=(0, 1.02), ylabel=_accuracy(table), xlabel="noise SD / the unit's own SD")


def _accuracy(table: pd.DataFrame) -> str:
    """The label of an axis of accuracies: on which images."""
    splits = list(table["split"].unique())
    return f"accuracy, {' or '.join(splits)} set"


def _chance(axes: Axes, runs: pd.DataFrame, shown: pd.DataFrame) -> None:
    """A level for every number of classes among the networks shown."""
    numbers = sorted(map(int, runs.loc[runs["run"].isin(shown["run"]), "classes"].unique()))
    if len(numbers) == 1:
        style.chance_line(axes, numbers[0])
        return
    look = {"color": style.colour("chance"), "fontsize": style.SMALL, "va": "bottom"}
    for classes in numbers:
        axes.axhline(1 / classes, color=style.colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
        axes.text(
            0.02, 1 / classes, f"chance, {classes:,} classes", transform=axes.get_yaxis_transform(), **look
        )


def _dots(units: pd.DataFrame, measure: dots.Measure, effect: str) -> Callable[[Axes], None]:
    """What draws importance against a measure, the layer in place of either where it was not taken."""
    places = layers.places(units)
    units = units.assign(place=units["layer"].map(places))

    def draw(axes: Axes) -> None:
        shown = units[units["dead"] | units[measure.column].notna()]
        if shown.empty:
            axes.text(0.5, 0.5, NO_INDEX, transform=axes.transAxes, ha="center", fontsize=style.SMALL)
            axes.set(xticks=[], yticks=[])
        else:
            dots.draw_dots(axes, shown, measure.column, effect)
            around = {"lim": (0.5, len(places) + 0.5), "ticks": list(layers.ticks(len(places)))}
            for side in ["y"] * (effect == "place") + ["x"] * (measure is PLACE):
                axes.set(**{f"{side}{what}": value for what, value in around.items()})
        axes.set(xlabel=measure.label.replace(" with the class", ""), ylabel=EFFECTS[effect])
        threshold = (
            style.symmetric_log(units["importance"].to_numpy(float)) if effect == "importance" else None
        )
        if threshold is not None:
            style.set_symmetric_log(axes, threshold)

    return draw


def _rho(units: pd.DataFrame, measure: str, effect: str) -> str:
    """ "118 units", how many have no index, and below "Spearman 0.12, within layers 0.03".

    Within layers: of ranks among the units of one layer, all layers weighted by their units.
    """
    found = units[units[measure].notna() & ~units["dead"]]
    without = int((units[measure].isna() & ~units["dead"]).sum())
    said = f"{len(found):,} units" + (f", {without:,} have no index" if without else "")
    if effect != "importance":
        return said
    pairs = [
        (some[measure].to_numpy(float), some["importance"].to_numpy(float))
        for _, some in found.groupby("layer")
    ]
    pooled = (
        correlate([tuple(np.concatenate(side) for side in zip(*pairs, strict=True))]) if pairs else np.nan
    )
    if np.isnan(pooled):
        return said
    if len(pairs) == 1:
        return f"Spearman {words.number(float(pooled))} ({said})"
    within = words.number(float(correlate(pairs)))
    return f"{said}\nSpearman {words.number(float(pooled))}, within layers {within}"


def _scores(run: pd.Series) -> Iterator[str]:
    yield (
        f"Accuracy {run['train_accuracy']:.3f} on {int(run['train_images']):,} training images,"
        f" {run['test_accuracy']:.3f} on {int(run['test_images']):,} test images."
    )


def _splits(tables: Tables) -> Iterator[str]:
    """n and kind of error bar; where importance and measures were taken."""
    said = []
    if "ablation" in tables:
        said.append(words.count(tables["ablation"].groupby("run")["ordering"].nunique(), "random ordering"))
    if "noise" in tables:
        said.append(
            words.count(tables["noise"].groupby("run")["repeat"].nunique(), "repeat") + " of the noise"
        )
    if said:
        divided = " Area: in brackets divided by unablated accuracy." if "ablation" in tables else ""
        yield f"Curves: mean ± SD over {' and '.join(said)}.{divided}"
    if (units := _units(tables)) is not None:
        dead = "; a cross at the left: dead unit" if units["dead"].any() else ""
        yield f"Dots: one per unit{_sample(tables)}, {units['split'].iloc[0]} set{dead}."


def _sample(tables: Tables) -> str:
    """Says so where not every unit was ablated alone."""
    if "single" not in tables:
        return ""
    some, every = len(tables["single"]), int(tables["runs"]["units"].iloc[0])
    return f" of {some:,} drawn at random from {every:,}" if some < every else ""


def _layers(tables: Tables, run: pd.Series) -> str:
    if (units := _units(tables)) is None:
        return f"Units of {int(run['layers'])} layers."
    names = list(layers.places(units))
    if len(names) > layers.FEW_LAYERS:
        numbered = ", ".join(f"{place} {name}" for place, name in enumerate(names, start=1))
        return f"Layers: {numbered}."
    marked = (
        f"{place} {name} ({mark})" for place, (name, mark) in enumerate(zip(names, MARKS, strict=False), 1)
    )
    return f"Layers: {', '.join(marked)}."


def _doubts(tables: Tables, run: pd.Series) -> Iterator[str]:
    """What speaks against trusting the figure."""
    yield from doubts.of_scores(run)
    made_by = {"ablate_single": "single", "measure_units": "units"}
    yield from doubts.of_split(
        run, {name: tables[table]["split"].iloc[0] for name, table in made_by.items() if table in tables}
    )
    if "units" in tables and "information_null_bits" in tables["units"]:
        live = tables["units"][~tables["units"]["dead"]]
        floor = live["information_null_bits"].mean()
        if floor > 0.5 * live["information_bits"].mean():
            yield (
                f"Mutual information is mostly bias here: with labels permuted before it is measured, it is"
                f" {floor:.2f} bits on average. More {live['split'].iloc[0]} images lower that."
            )


def comparison(every: dict[str, Tables]) -> Figure:
    """Several networks, {name: its tables}: ablation by share of units, noise, selectivity.

    Raises InputError as `summary`, and where the networks have no analysis in common that this figure shows.
    """
    pooled = {
        table: pd.concat([tables[table] for tables in every.values() if table in tables])
        for table in ("runs", "ablation", "areas", "noise", "units")
        if any(table in tables for tables in every.values())
    }
    colours = {
        name: DISTINCT[place] if len(every) <= len(DISTINCT) else style.in_sequence(place, len(every))
        for place, name in enumerate(every)
    }
    panels = {"ablation": _shares, "noise": _noise, "units": _spread}
    shown = {table: draw for table, draw in panels.items() if table in pooled}
    if not shown:
        raise InputError(
            "nothing to compare: list ablate_cumulative, add_noise or measure_units in `analyses`"
        )
    notes = list(_compared(pooled))
    rows = 1 + -(-len(every) // 2)
    layout = style.Layout(tuple(notes), rows, ("",) * len(shown), width=max(2, len(shown)) * PANEL)
    with style.look():
        figure, axes = style.titled(f"{len(every)} networks", layout)
        for panel, draw in zip(axes, shown.values(), strict=True):
            draw(panel, pooled, colours)
        handles = [axes[0].plot([], [], color=colours[name], label=_named(pooled, name))[0] for name in every]
        style.legend(figure, axes[0], layout, 2, "network", handles)
    return figure


def _compared(tables: Tables) -> Iterator[str]:
    """What the legend says, and what is not alike among the networks."""
    if "ablation" in tables:
        clamps = tables["ablation"].groupby("run")["clamp"].nunique().max()
        first = ", of the first clamp" if clamps > 1 else ""
        spread = "± SD over orderings (divided by unablated accuracy)"
        yield f"Legend: area under the ablation curve{first} {spread}."
    if "units" in tables:
        splits = tables["units"].groupby("split", sort=False)["run"].unique()
        told = (f"{split} set ({', '.join(names)})" for split, names in splits.items())
        yield f"Selectivity: {'; '.join(told) if len(splits) > 1 else f'{splits.index[0]} set'}."
        if without := _without_index(tables["units"]):
            yield f"Without a class selectivity index, as activity is negative: {', '.join(without)}."
    runs = [run for _, run in tables["runs"].iterrows()]
    if doubtful := [run["run"] for run in runs if any(doubts.of_scores(run))]:
        yield f"Accuracy is about chance, see the figure of each: {', '.join(doubtful)}."


def _without_index(units: pd.DataFrame) -> list[str]:
    return [name for name, table in units.groupby("run", sort=False) if table["selectivity"].isna().all()]


def _named(tables: Tables, name: str) -> str:
    """A network's name and its area."""
    areas = tables.get("areas", pd.DataFrame({"run": []}))
    mine = areas[areas["run"] == name]
    return f"{name}: {_area(mine[mine['clamp'] == mine['clamp'].iloc[0]])}" if len(mine) else name


def _area(areas: pd.DataFrame) -> str:
    """An area, and in brackets the relative one, unless the network is never right."""
    return area_label(areas) if areas["auc_relative"].notna().all() else words.mean_sd(areas["auc"])


def _shares(axes: Axes, tables: Tables, colours: dict) -> None:
    """Accuracy against the share of units ablated, as networks differ in size; the first clamp of each."""
    for name, table in tables["ablation"].groupby("run", sort=False):
        mine = table[table["clamp"] == table["clamp"].iloc[0]]
        curve = style.pooled(mine.assign(share=mine["ablated"] / mine["units"]), "share", "accuracy")
        style.band(axes, curve, colours[name], name)
    _chance(axes, tables["runs"], tables["ablation"])
    clamps = tables["ablation"].groupby("run", sort=False)["clamp"].first().unique()
    axes.set(
        xlim=(0, 1), ylim=(0, 1.02), ylabel=_accuracy(tables["ablation"]),
        xlabel=f"share of units ablated (to {' or '.join(clamps)})",
    )  # fmt: skip


def _spread(axes: Axes, tables: Tables, colours: dict) -> None:
    """The share of units whose index is at most x; networks whose units have none are left out."""
    largest = tables["units"]["selectivity"].max()
    for name, table in tables["units"].groupby("run", sort=False):
        values = np.sort(table["selectivity"].dropna())
        axes.plot(values, np.arange(1, len(values) + 1) / max(1, len(values)), color=colours[name])
    axes.set(
        xlim=(0, 1.04 * largest if largest > 0 else 1), ylim=(0, 1.02), xlabel="class selectivity index",
        ylabel="share of units at or below",
    )  # fmt: skip
