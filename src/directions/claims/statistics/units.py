"""Units: how selectivity, information, weights, depth and importance are related (Figures 6, 7, A2-A4).

Correlations pool all live units of a network, as the paper does. "Within" correlations compare only units of
one layer and weight layers by their units, because pooling can create or hide a relation (Amjad et al. 2018).
"""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measure, Measured, Sample
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, of_condition, with_and_without
from directions.claims.statistics.ranks import Untestable, correlate_drawn, highest_rank
from directions.core.errors import InputError
from directions.core.tables import Tables, require

TOP_SHARE = 0.25  # "highly selective": the top quarter of a network's live units
KEY = ["run", "layer", "unit"]
OF_SINGLE = ("importance", "worst_class_drop")
WEIGHTED = "weighted_selectivity"  # selectivity times mean activity (Hayne et al. 2022)
LATER = 3  # the first layer not counted as early in Figures 7c, 7e
LAYER, X, Y = range(3)  # columns of an observation: layer counted from 0, then two values of the unit


def live_units(tables: Tables) -> pd.DataFrame:
    """Join one row per live unit: run, layer, unit, selectivity, information_bits, importance, ..."""
    joined = joined_units(tables)
    return joined[~joined["dead"]]


def joined_units(tables: Tables, columns: tuple[str, ...] = ("importance",)) -> pd.DataFrame:
    """Join `units` with `columns` of `single`, one row per unit, dead ones included (without selectivity).

    If only a sample of a network's units was ablated alone, only these are included. Raises InputError if
    `single` has units that `units` lacks, or none of a network.
    """
    units = require(tables, "units", *KEY, "dead", "information_bits", may_be_empty=["selectivity"])
    single = require(tables, "single", *KEY, *columns)
    for name, table in (("units", units), ("single", single)):
        twice = table[table.duplicated(KEY)]
        if len(twice):
            raise InputError(f"table {name!r} holds a unit twice: {_first(twice)}")
    strangers = single.merge(units, on=KEY, how="left", indicator=True).query("_merge != 'both'")
    lacking = units[~units["run"].isin(single["run"])]
    if len(strangers) or len(lacking):
        first = _first(strangers if len(strangers) else lacking)
        raise InputError(f"tables 'units' and 'single' hold different units, e.g. {first}")
    joined = units.merge(single[[*KEY, *columns]], on=KEY)  # keeps the order of `units`
    return joined.astype({"dead": bool})


def _first(table: pd.DataFrame) -> str:
    return ", ".join(f"{name} {table.iloc[0][name]}" for name in KEY)


# --- what is observed ---


def units_of(x: str, y: str) -> Sample:
    """Observe one (live units, 3) array per network: layer, x, y, columns of `units` or `single`.

    A condition may name one layer, counted from 1.
    """

    def sample(tables: Tables, condition: Condition) -> Groups:
        runs = require(tables, "runs", "run")
        observed = _observed(tables, runs, x, y)
        if "layer" in condition:
            observed = _of_layer(observed, condition["layer"])
        return by_setting(runs, observed, None)

    return sample


def units_by_batch_norm(x: str) -> Sample:
    """Do the same as {True: networks with batch norm, False: without}; the third column repeats x."""

    def sample(tables: Tables, _condition: Condition) -> Groups:
        return with_and_without(tables, _observed(tables, require(tables, "runs", "run"), x, x))

    return sample


def every_unit(x: str) -> Sample:
    """Observe one (units, 1) array per network: column x of `units`, dead units as 0 (D8)."""

    def sample(tables: Tables, condition: Condition) -> Groups:
        units = _units_alone(tables, x)
        observed = pd.DataFrame({"run": units["run"], "x": units[x].where(~units["dead"], 0.0)})
        return by_setting(of_condition(tables, condition), observed, None)

    return sample


def _of_layer(observed: pd.DataFrame, layer: int) -> pd.DataFrame:
    inside = observed[observed["layer"] == layer - 1]
    for run, count in inside.groupby("run").size().reindex(observed["run"].unique(), fill_value=0).items():
        if count < 2:
            raise Untestable(f"network {run} has {count} unit(s) in layer {layer} that are not dead")
    return inside


def _observed(tables: Tables, runs: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    columns = tuple(dict.fromkeys(name for name in (x, y) if name in OF_SINGLE))
    units = joined_units(tables, columns) if columns else _units_alone(tables, x, y)
    if WEIGHTED in (x, y):
        require(tables, "units", "mean")
        units = units.assign(**{WEIGHTED: units["selectivity"] * units["mean"]})
    live = units[~units["dead"]]
    for run in sorted(runs["run"]):
        count = int((live["run"] == run).sum())
        if count < 2:
            raise Untestable(f"network {run} has {count} unit(s) that are not dead")
    depth = {layer: place for place, layer in enumerate(units["layer"].unique())}  # rows are in forward order
    return pd.DataFrame({"run": live["run"], "layer": live["layer"].map(depth), "x": live[x], "y": live[y]})


def _units_alone(tables: Tables, *columns: str) -> pd.DataFrame:
    always = [name for name in columns if name != "selectivity"]
    units = require(tables, "units", *KEY, "dead", *always, may_be_empty=["selectivity"])
    return units.astype({"dead": bool})


# --- what is measured on a network: (units, 3), counts (draws, units) -> (draws[, values]) ---


def pooled(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute Spearman of x and y over all units."""
    return correlate_drawn(seen[:, X], seen[:, Y], np.zeros(len(seen)), counts)


def depth(place: int) -> Measure:
    """Compute Spearman of the layer's depth and one column, over all units."""
    return lambda seen, counts: correlate_drawn(seen[:, LAYER], seen[:, place], np.zeros(len(seen)), counts)


def layers(part: str | None = None) -> Measure:
    """Compute Spearman of x and y within each layer, over the layers of one third of the network, or all."""

    def measure(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
        inside = _in_part(seen[:, LAYER], part)
        seen, drawn = seen[inside], counts[:, inside]
        return correlate_drawn(seen[:, X], seen[:, Y], seen[:, LAYER], drawn)

    return measure


def _in_part(layer: np.ndarray, part: str | None) -> np.ndarray:
    """Mark units in the early, middle or late third of the layers (of two: one early, one late)."""
    if part is None:
        return np.ones(len(layer), bool)
    count = int(layer.max()) + 1
    third = max(1, count // 3)
    low, high = {"early": (0, third), "late": (count - third, count), "middle": (third, count - third)}[part]
    inside = (layer >= low) & (layer < high)
    if not inside.any() or (part != "middle" and count < 2):
        raise Untestable(f"a network of {count} layer(s) has no {part} ones")
    return inside


def layer_mean(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average over layers the Spearman of x and y within each; all layers count equally."""
    return np.nanmean(_each_layer(seen, counts), axis=0)


def largest_later(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find the largest absolute Spearman of x and y within any layer from number `LATER` on."""
    found = _each_layer(seen, counts)
    if len(found) < LATER:
        raise Untestable(f"a network of {len(found)} layer(s) has no layer {LATER}")
    return np.nanmax(np.abs(found[LATER - 1 :]), axis=0)


def _each_layer(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute Spearman of x and y within each layer: (layers, draws); NaN if a layer's units do not vary."""
    alone = [seen[:, LAYER] == layer for layer in range(int(seen[:, LAYER].max()) + 1)]
    groups = np.zeros(len(seen))
    return np.stack(
        [correlate_drawn(seen[own, X], seen[own, Y], groups[own], counts[:, own]) for own in alone]
    )


def parts(*names: str) -> Measure:
    """Compute `layers` for several parts: (draws, parts)."""
    return lambda seen, counts: np.stack([layers(name)(seen, counts) for name in names], axis=-1)


def minimal_impact(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute which fraction of the quarter with the highest x has y below the network's median."""
    drawn = counts.T
    number = drawn.sum(0)
    selective = highest_rank(seen[:, X], drawn)[0] > np.ceil((1 - TOP_SHARE) * (number - 1))
    minimal = highest_rank(seen[:, Y], drawn)[0] < (number + 1) / 2
    return (drawn * (selective & minimal)).sum(0) / (drawn * selective).sum(0)


def free_share(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute the fraction of units whose y, their importance, is 0 or less."""
    return counts @ (seen[:, Y] <= 0).astype(float) / counts.sum(1)


def share_above(bound: float) -> Measure:
    """Compute the fraction of units whose x is above a bound."""
    return lambda seen, counts: counts @ (seen[:, X] > bound).astype(float) / counts.sum(1)


# --- how networks combine into one number ---


def first_minus_second(measured: Measured) -> np.ndarray:
    """Subtract the mean of the second of two values from that of the first."""
    one, other = _values(measured)
    return one - other


def size_gain(measured: Measured) -> np.ndarray:
    """Subtract the absolute value of the first of two values from that of the second."""
    one, other = np.abs(_values(measured))
    return other - one


def ends_gain(measured: Measured) -> np.ndarray:
    """Subtract the absolute value of the middle part from the mean of those of early and late parts."""
    early, middle, late = np.abs(_values(measured))
    return (early + late) / 2 - middle


def _values(measured: Measured) -> np.ndarray:
    (values,) = measured.values()
    return values.mean(1).T


# --- two relations, side by side ---


def two_units_of(x: str, other: str, y: str, y_of_other: str | None = None) -> Sample:
    """Observe one (live units, 5) array per network: layer, x, y, `other` and its y (default: the same)."""

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs = require(tables, "runs", "run")
        one = _observed(tables, runs, x, y)
        two = _observed(tables, runs, other, y_of_other or y)
        return by_setting(runs, one.assign(other=two["x"], other_y=two["y"]), None)

    return sample


def both(inside_layers: bool = False) -> Measure:
    """Compute Spearman of x and y, and of the other two columns: (draws, 2); pooled or within layers."""

    def measure(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
        groups = seen[:, LAYER] if inside_layers else np.zeros(len(seen))
        couples = ((X, Y), (3, 4))
        found = [correlate_drawn(seen[:, a], seen[:, b], groups, counts) for a, b in couples]
        return np.stack(found, axis=-1)

    return measure
