"""Networks of the user's own: one figure for each network, and one to compare them."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.errors import InputError
from directions.figures import dots, layers, noise, style, words
from directions.figures.curves import area_label
from directions.statistics.ranks import Untestable, spearman
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
SURE = 1.5  # times chance, as in own/record.py, which warns of the same; that one needs PyTorch
NO_INDEX = "activity is negative for some images:\nthe index has no meaning in these layers"


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
        areas = require(tables, "areas", "clamp", "auc", "auc_relative")
        above = [f"area {area_label(some)}, to {clamp}" for clamp, some in areas.groupby("clamp", sort=False)]
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
    axes.set(xlim=(0, table["units"].max()), ylim=(0, 1.02), ylabel=f"accuracy, {table['split'].iloc[0]} set")
    clamps = list(table["clamp"].unique())
    axes.set_xlabel(f"units ablated (to {' or '.join(clamps)})")
    if len(clamps) > 1:
        axes.legend(loc="upper right")


def _noise(axes: Axes, tables: Tables, colours: dict | None = None) -> None:
    table = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "split", "accuracy")
    positive = table.loc[table["noise_sd_ratio"] > 0, "noise_sd_ratio"]
    for run, some in table.groupby("run", sort=False):
        noise.curve(axes, some, positive.min() / 2, (colours or {}).get(run, style.colour("zero")), run)
    noise.log_axis(axes, positive.min() / 2, positive.min(), positive.max())
    _chance(axes, tables["runs"], table)
    axes.set(
        ylim=(0, 1.02),
        ylabel=f"accuracy, {table['split'].iloc[0]} set",
        xlabel="noise SD / the unit's own SD",
    )


def _chance(axes: Axes, runs: pd.DataFrame, shown: pd.DataFrame) -> None:
    """A level for every number of classes among the networks shown."""
    for classes in sorted(runs.loc[runs["run"].isin(shown["run"]), "classes"].unique()):
        style.chance_line(axes, int(classes))


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
    """ "Spearman 0.12 (118 units)", and how many have no index."""
    found = units[units[measure].notna() & ~units["dead"]]
    without = int((units[measure].isna() & ~units["dead"]).sum())
    said = f"{len(found):,} units" + (f", {without:,} have no index" if without else "")
    if effect != "importance":
        return said
    try:
        value = float(spearman(found[measure].to_numpy(float), found["importance"].to_numpy(float)))
    except Untestable:
        return said
    return f"Spearman {words.number(value)} ({said})"


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
    return f"Layers: {', '.join(f'{name} ({mark})' for name, mark in zip(names, MARKS, strict=False))}."


def _doubts(tables: Tables, run: pd.Series) -> Iterator[str]:
    """What speaks against trusting the figure."""
    if run["test_accuracy"] < SURE / run["classes"]:
        yield (
            "Test accuracy is about chance: are these the network's weights, and images as it was trained on"
            " (`normalize`)?"
        )
    if "units" in tables and "information_null_bits" in tables["units"]:
        floor = tables["units"]["information_null_bits"].mean()
        if floor > 0.5 * tables["units"]["information_bits"].mean():
            yield (
                f"Mutual information is mostly bias here: shuffled labels give {floor:.2f} bits on average."
                " More test images lower that."
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
    colours = {name: style.in_sequence(place, len(every)) for place, name in enumerate(every)}
    panels = {"ablation": _shares, "noise": _noise, "units": _spread}
    shown = {table: draw for table, draw in panels.items() if table in pooled}
    if not shown:
        raise InputError(
            "nothing to compare: list ablate_cumulative, add_noise or measure_units in `analyses`"
        )
    notes = ["Legend: area under the ablation curve ± SD over orderings (divided by unablated accuracy)."]
    if "units" in pooled and (without := _without_index(pooled["units"])):
        notes.append(f"Without a class selectivity index, as activity is negative: {', '.join(without)}.")
    rows = 1 + -(-len(every) // 2)
    layout = style.Layout(tuple(notes), rows, ("",) * len(shown), width=max(2, len(shown)) * PANEL)
    with style.look():
        figure, axes = style.titled(f"{len(every)} networks", layout)
        for panel, draw in zip(axes, shown.values(), strict=True):
            draw(panel, pooled, colours)
        handles = [axes[0].plot([], [], color=colours[name], label=_named(pooled, name))[0] for name in every]
        style.legend(figure, axes[0], layout, 2, "network", handles)
    return figure


def _without_index(units: pd.DataFrame) -> list[str]:
    return [name for name, table in units.groupby("run", sort=False) if table["selectivity"].isna().all()]


def _named(tables: Tables, name: str) -> str:
    """A network's name and its area."""
    areas = tables.get("areas", pd.DataFrame({"run": []}))
    mine = areas[areas["run"] == name]
    return f"{name}: {area_label(mine[mine['clamp'] == mine['clamp'].iloc[0]])}" if len(mine) else name


def _shares(axes: Axes, tables: Tables, colours: dict) -> None:
    """Accuracy against the share of units ablated, as networks differ in size; the first clamp of each."""
    for name, table in tables["ablation"].groupby("run", sort=False):
        mine = table[table["clamp"] == table["clamp"].iloc[0]]
        curve = style.pooled(mine.assign(share=mine["ablated"] / mine["units"]), "share", "accuracy")
        style.band(axes, curve, colours[name], name)
    _chance(axes, tables["runs"], tables["ablation"])
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of units ablated", ylabel="accuracy")


def _spread(axes: Axes, tables: Tables, colours: dict) -> None:
    """The share of units whose index is at most x; networks whose units have none are left out."""
    for name, table in tables["units"].groupby("run", sort=False):
        values = np.sort(table["selectivity"].dropna())
        axes.plot(values, np.arange(1, len(values) + 1) / max(1, len(values)), color=colours[name])
    axes.set(
        xlim=(0, 1), ylim=(0, 1.02), xlabel="class selectivity index", ylabel="share of units at or below"
    )
