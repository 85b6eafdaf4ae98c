"""Numbers about what units share, orders of ablation, and memorised images (docs/FOLLOW_UPS.md)."""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measured, Sample
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_fraction, by_setting, zero_areas
from directions.claims.statistics.ranks import Untestable, correlate
from directions.core.area import area
from directions.core.tables import Tables, require

CLEAN, CORRUPTED = "clean", "corrupted"


def of_units(column: str, null: str | None = None) -> Sample:
    """Sample a column of table pairs, one row per unit, less another one, by fraction of labels corrupted."""

    def sample(tables: Tables, condition: Condition) -> Groups:
        return by_fraction(tables, _of_units(tables, column, null), condition)

    return sample


def by_dropout(column: str, null: str) -> Sample:
    """Sample the same on networks with clean labels, by dropout fraction."""

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs = require(tables, "runs", "run", "corrupt", "dropout")
        runs = runs[runs["corrupt"] == 0]
        if runs["dropout"].nunique() < 2:
            raise Untestable("this study lacks clean networks with several dropout fractions")
        return by_setting(runs, _of_units(tables, column, null), "dropout")

    return sample


def _of_units(tables: Tables, column: str, null: str | None) -> pd.DataFrame:
    pairs = require(tables, "pairs", "run", may_be_empty=[column, *([null] if null else [])])
    values = pairs[column] - (pairs[null] if null else 0)
    observed = pd.DataFrame({"run": pairs["run"], "value": values}).dropna()
    if observed.empty:
        raise Untestable(f"column {column} of table pairs is empty: these units are no activations")
    return observed


def beside_area(column: str) -> Sample:
    """Sample (area corrected for chance, the network's mean of a column of pairs), one row per ordering."""

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs = require(tables, "runs", "run", "corrupt")
        means = _of_units(tables, column, None).groupby("run")["value"].mean()
        observed = zero_areas(tables, "auc_chance_corrected")
        observed = observed.assign(value=observed["run"].map(means))
        return by_setting(runs, observed, "corrupt")

    return sample


def over_all(measured: Measured) -> np.ndarray:
    """Compute Spearman of two values over the networks of all conditions together."""
    values = np.concatenate(list(measured.values()), axis=1)  # (resamples, networks, 2)
    if values.shape[1] < 3:
        raise Untestable(f"{values.shape[1]} network(s) have no rank correlation")
    return correlate([(values[..., 0], values[..., 1])])


def within_all(measured: Measured) -> np.ndarray:
    """Do the same after subtracting each condition's mean; conditions of one network do not count."""
    several = [values for values in measured.values() if values.shape[1] > 1]
    if not several:
        raise Untestable("one network per fraction says nothing about networks within a fraction")
    left = [values - values.mean(1, keepdims=True) for values in several]
    return over_all(dict(enumerate(left)))


def leads(*orders: str) -> Sample:
    """Sample how far areas with the highest scores first lie below random ones, in clean networks.

    One row per random ordering, one column per order.
    """

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs = require(tables, "runs", "run", "corrupt")
        areas = ordered_areas(tables)
        if missing := [order for order in orders if order not in set(areas["order"])]:
            raise Untestable(f"this study has no ablation in the order of {missing[0]}")
        random = areas.loc[areas["order"] == "random", ["run", "auc"]]
        for order in orders:
            first = areas[(areas["order"] == order) & (areas["first"] == "highest")].set_index("run")["auc"]
            random[order] = random["auc"] - random["run"].map(first)
        return by_setting(runs[runs["corrupt"] == runs["corrupt"].min()], random.drop(columns="auc"), None)

    return sample


def ordered_areas(tables: Tables) -> pd.DataFrame:
    """Compute the area of every curve of table ordered: run, order, first, ordering, auc."""
    curves = require(
        tables, "ordered", "run", "order", "ordering", "ablated", "accuracy", may_be_empty=["first"]
    )
    return areas_of(curves.assign(first=curves["first"].fillna("")), "run", "order", "first", "ordering")


def areas_of(curves: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Compute the area (`core.area`) of every curve, which goes from no unit to all: `keys`, auc."""
    rows = []
    for key, curve in curves.groupby(list(keys), sort=False):
        rows.append((*key, float(area(curve["ablated"].to_numpy(), curve["accuracy"].to_numpy()))))
    return pd.DataFrame(rows, columns=[*keys, "auc"])


def second_minus_first(measured: Measured) -> np.ndarray:
    """Subtract the first value from the second, averaged over the networks of the only condition."""
    (values,) = measured.values()
    return (values[..., 1] - values[..., 0]).mean(1)


def flips(tables: Tables, _condition: Condition) -> Groups:
    """Observe images of partly corrupted networks: whether clean, log2 of the units until they flip."""
    found = require(tables, "flips", "run", "labels", may_be_empty=["flipped_after"])
    found = found[found["flipped_after"] > 0]
    observed = pd.DataFrame(
        {
            "run": found["run"],
            "clean": (found["labels"] == CLEAN).astype(float),
            "units": np.log2(found["flipped_after"]),
        }
    )
    return by_setting(_partly(tables), observed, None)


def clean_minus_corrupted(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Subtract the mean of corrupted images from that of clean ones, (draws,)."""
    kinds = [counts * chosen for chosen in (seen[:, 0] == 1, seen[:, 0] == 0)]
    clean, corrupted = (kind @ seen[:, 1] / kind.sum(1) for kind in kinds)
    return clean - corrupted


def memories(*layers: str) -> Sample:
    """Sample areas of clean less corrupted images, a row per ordering and a column per layer ablated.

    layers: "all", or "first" and "last". Of networks whose labels are partly corrupted.
    """

    def sample(tables: Tables, _condition: Condition) -> Groups:
        curves = require(
            tables, "parts", "run", "layer", "labels", "ordering", "ablated", "units", "accuracy"
        )
        names = [name for name in dict.fromkeys(curves["layer"]) if name != "all"]
        if len(set(names)) < 2 and "last" in layers:
            raise Untestable("these networks have one layer of units")
        places = {"all": "all", "first": names[0], "last": names[-1]}
        areas = areas_of(curves[curves["labels"] != "all"], "run", "layer", "labels", "ordering")
        kinds = areas.pivot_table(index=["run", "ordering"], columns=["layer", "labels"], values="auc")
        wanted = [places[layer] for layer in layers]
        columns = [(layer, kind) for layer in wanted for kind in (CLEAN, CORRUPTED)]
        if missing := [column for column in columns if column not in kinds.columns]:
            raise Untestable(f"this study has no {missing[0][1]} images")
        kinds = kinds.dropna(subset=columns)
        less = {layer: kinds[layer, CLEAN] - kinds[layer, CORRUPTED] for layer in wanted}
        return by_setting(_partly(tables), pd.DataFrame(less).reset_index("run"), None)

    return sample


def _partly(tables: Tables) -> pd.DataFrame:
    """Select networks with some but not all labels corrupted. Raises Untestable if there are none."""
    runs = require(tables, "runs", "run", "corrupt")
    runs = runs[(runs["corrupt"] > 0) & (runs["corrupt"] < 1)]
    if runs.empty:
        raise Untestable("this study has no networks with some of their labels corrupted, and others not")
    return runs
