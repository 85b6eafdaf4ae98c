"""A user's own network: one figure that shows all its tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.analyses import sanity
from directions.claims.statistics.ranks import correlate
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import dots, layers, noise, scales, style, text

PANEL = 3.0  # inches, the width of one panel
RUNS = (
    "run",
    "dataset",
    "train_images",
    "test_images",
    "classes",
    "layers",
    "units",
    "train_accuracy",
)
EFFECTS = {"importance": "change of loss (nats)", "place": "layer"}  # column on the y axis -> its label
PLACE = dots.Measure("place", "layer", "")  # on the x axis if nothing else was measured
NO_INDEX = "activity is negative\nfor some images: the index\nhas no meaning in these layers"


DRAWN = {"ablation", "noise", "single", "units"}  # tables that the summary shows


def summary(tables: Tables) -> Figure:
    """Draw one network: ablation with area, noise, importance against selectivity and mutual information.

    Draws what the tables hold: runs, and any of ablation with areas, noise, units with or without single.
    Raises InputError naming a table or column that is missing or empty.
    """
    run = require(tables, "runs", *RUNS, may_be_empty=["test_accuracy"]).iloc[0]
    drawn = list(_panels(tables))
    if not drawn:
        raise InputError(
            "the figure shows ablation, noise and units: add ablate_cumulative, add_noise or measure_units to"
            " the analyses"
        )
    units = _units(tables)
    places = {} if units is None else layers.places(units)
    bar = len(places) > layers.FEW_LAYERS
    named = {} if bar else {f"layer {place}": layer for layer, place in places.items()}
    listed = () if named else (_layers(tables, run),)
    notes = (*_scores(run), *_splits(tables), *listed, *text.measured(tables), *_doubts(tables, run))
    dead = bool(named) and units is not None and bool(units["dead"].any())
    rows = -(-(len(named) + dead) // len(drawn))
    layout = style.Layout(notes, rows, tuple(above for above, _ in drawn), width=PANEL * len(drawn), bar=bar)
    with style.look():
        figure, axes = style.titled(f"{run['run']} · {run['dataset']} · {int(run['units']):,} units", layout)
        for panel, (_, draw) in zip(axes, drawn, strict=True):
            draw(panel)
        if bar:
            number = len(places)
            style.colour_bar(figure, axes[-1], layers.norm(number), "layer", layers.ticks(number))
        elif named:
            handles = [handle for panel in axes for handle in panel.get_legend_handles_labels()[0]]
            shown = {handle.get_label(): handle for handle in handles}
            for label in (kept := [label for label in (*named, "dead") if label in shown]):
                shown[label].set_label(named.get(label, "dead unit"))
            style.legend(figure, axes[-1], layout, len(drawn), handles=[shown[label] for label in kept])
    return figure


def _panels(tables: Tables) -> Iterator[tuple[str, Callable[[Axes], None]]]:
    """Yield (line above, drawing function) of each panel for which there are tables."""
    if "ablation" in tables:
        areas = require(tables, "areas", "clamp", "auc", may_be_empty=["auc_se"])
        above = [f"area {area(some)}, to {clamp}" for clamp, some in areas.groupby("clamp", sort=False)]
        yield "\n".join(above), lambda axes: _ablation(axes, tables)
    if "noise" in tables:
        yield "", lambda axes: draw_noise(axes, tables)
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
    """Return the available table with one row per unit; units without measures count as live."""
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
    axes.set(xlim=(0, table["units"].max()), ylim=(0, 1.02), ylabel=accuracy_label(table))
    clamps = list(table["clamp"].unique())
    axes.set_xlabel(f"units ablated (to {' or '.join(clamps)})")
    if len(clamps) > 1:
        axes.legend(loc="best")


def draw_noise(axes: Axes, tables: Tables, colours: Mapping[str, style.Colour] | None = None) -> None:
    """Draw accuracy against noise, one curve per network, in the colours {network: colour} if given."""
    table = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "split", "accuracy")
    positive = table.loc[table["noise_sd_ratio"] > 0, "noise_sd_ratio"]
    for run, some in table.groupby("run", sort=False):
        noise.curve(axes, some, positive.min() / 2, (colours or {}).get(run, style.colour("zero")), run)
    noise.log_axis(axes, positive.min() / 2, positive.min(), positive.max())
    draw_chance(axes, tables["runs"], table)
    axes.set(ylim=(0, 1.02), ylabel=accuracy_label(table), xlabel="noise SD / the unit's own SD")


def accuracy_label(table: pd.DataFrame) -> str:
    """Label an axis of accuracies with the images they are on."""
    splits = list(table["split"].unique())
    return f"accuracy, {' or '.join(splits)} set"


def draw_chance(axes: Axes, runs: pd.DataFrame, shown: pd.DataFrame) -> None:
    """Draw the chance level for each number of classes among the networks shown."""
    numbers = sorted(map(int, runs.loc[runs["run"].isin(shown["run"]), "classes"].unique()))
    if len(numbers) == 1:
        style.chance_line(axes, numbers[0])
        return
    look: style.Look = {"color": style.colour("chance"), "fontsize": style.SMALL, "va": "bottom"}
    for classes in numbers:
        axes.axhline(1 / classes, color=style.colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
        axes.text(
            0.02, 1 / classes, f"chance, {classes:,} classes", transform=axes.get_yaxis_transform(), **look
        )


def _dots(units: pd.DataFrame, measure: dots.Measure, effect: str) -> Callable[[Axes], None]:
    """Return a function that draws importance against a measure; the layer replaces a missing one."""
    places = layers.places(units)
    units = units.assign(place=units["layer"].map(places))

    def draw(axes: Axes) -> None:
        if not (units["dead"] | units[measure.column].notna()).any():
            axes.text(0.5, 0.5, NO_INDEX, transform=axes.transAxes, ha="center", fontsize=style.SMALL)
            axes.set(xticks=[], yticks=[])
        else:
            dots.draw_dots(axes, units, measure.column, effect)  # all, so that each layer keeps its colour
            around = {"lim": (0.5, len(places) + 0.5), "ticks": list(layers.ticks(len(places)))}
            for side in ["y"] * (effect == "place") + ["x"] * (measure is PLACE):
                axes.set(**{f"{side}{what}": value for what, value in around.items()})
        axes.set(xlabel=measure.label.replace(" with the class", ""), ylabel=EFFECTS[effect])
        threshold = (
            scales.symmetric_log(units["importance"].to_numpy(float)) if effect == "importance" else None
        )
        if threshold is not None:
            scales.set_symmetric_log(axes, threshold)

    return draw


def _rho(units: pd.DataFrame, measure: str, effect: str) -> str:
    """Format "118 units", how many are dead or have no index, then "Spearman 0.12, within layers 0.03".

    Within layers: ranks among the units of one layer; layers are weighted by their units.
    """
    found = units[units[measure].notna() & ~units["dead"]]
    without = int((units[measure].isna() & ~units["dead"]).sum())
    dead = int(units["dead"].sum())
    said = f"{len(found):,} units" + (f", {dead:,} dead" if dead else "")
    said += f", {without:,} have no index" if without else ""
    if effect != "importance":
        return said
    pairs = [
        (some[measure].to_numpy(float), some["importance"].to_numpy(float))
        for _, some in found.groupby("layer")
    ]
    pooled = correlate([_concatenated(pairs)]) if pairs else np.nan
    if np.isnan(pooled):
        return said
    within = f", within layers {text.number(float(correlate(pairs)))}" if len(pairs) > 1 else ""
    return f"{said}\nSpearman {text.number(float(pooled))}{within}"


def _concatenated(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = zip(*pairs, strict=True)
    return np.concatenate(xs), np.concatenate(ys)


def _scores(run: pd.Series) -> Iterator[str]:
    tested = f"{run['test_accuracy']:.3f} on {int(run['test_images']):,} test images"
    yield (
        f"Accuracy {run['train_accuracy']:.3f} on {int(run['train_images']):,} training images,"
        f" {tested if run['test_images'] else 'no test set'}."
    )


def _splits(tables: Tables) -> Iterator[str]:
    """Write footnotes with n, error bars, and the split used for importance and measures."""
    said = []
    if "ablation" in tables:
        said.append(text.count(tables["ablation"].groupby("run")["ordering"].nunique(), "random ordering"))
    if "noise" in tables:
        said.append(
            text.count(tables["noise"].groupby("run")["repeat"].nunique(), "repeat") + " of the noise"
        )
    if said:
        area = " Area: ± standard error over orderings (divided by unablated accuracy)."
        yield f"Curves: mean ± SD over {' and '.join(said)}.{area if 'ablation' in tables else ''}"
    if (units := _units(tables)) is not None:
        yield f"Dots: one per unit{_sample(tables)}, {units['split'].iloc[0]} set."


def _sample(tables: Tables) -> str:
    """Say so if only a sample of units was ablated alone."""
    if "single" not in tables:
        return ""
    some, every = len(tables["single"]), int(tables["runs"]["units"].iloc[0])
    return f" of {some:,} drawn at random from {every:,}" if some < every else ""


def _layers(tables: Tables, run: pd.Series) -> str:
    if (units := _units(tables)) is None:
        return f"Units of {int(run['layers'])} layers."
    return f"Layers: {', '.join(f'{place} {name}' for name, place in layers.places(units).items())}."


def _doubts(tables: Tables, run: pd.Series) -> Iterator[str]:
    """Yield reasons not to trust the figure."""
    yield from sanity.of_scores(run)
    yield from doubts_of_units(tables)


def doubts_of_units(tables: Tables) -> Iterator[str]:
    """Yield caveats about importance and measures; those about accuracy come from the import."""
    made_by = {"ablate_single": "single", "measure_units": "units"}
    splits = {name: tables[table]["split"].iloc[0] for name, table in made_by.items() if table in tables}
    yield from sanity.of_split(tables["runs"].iloc[0], splits)
    if "units" in tables:
        yield from sanity.of_units(tables["units"])


def area(areas: pd.DataFrame) -> str:
    """Format "0.735 ± 0.015 (0.741)": area, standard error and, if different, the relative area."""
    mean, error = text.number(areas["auc"].mean(), 3), areas["auc_se"].iloc[0]
    relative = text.number(areas["auc_relative"].mean(), 3) if areas["auc_relative"].notna().all() else mean
    sure = "" if np.isnan(error) else f" ± {error:.3f}"
    return f"{mean}{sure}" if mean == relative else f"{mean}{sure} ({relative})"
