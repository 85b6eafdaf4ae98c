"""The numbers that the paper's claims are about, each with a 95 % interval, computed from tables alone.

Every interval is a hierarchical bootstrap: networks are drawn with replacement within each condition, then
observations (orderings, noise repeats or units) with replacement within each drawn network. Two or three
networks tell little of how networks differ, so it is then too narrow; the tables say how many there were.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from directions.errors import InputError
from directions.seeds import stream
from directions.tidy import Tables, require

RESAMPLES = 1000
FEWEST_NETWORKS = 2  # per condition; one network says nothing about another one
TOP_SHARE = 0.25  # "highly selective": the top quarter of a network's live units

Groups = dict[float | str, list[np.ndarray]]  # condition -> networks, each (observations, columns)
Measured = dict[float | str, np.ndarray]  # condition -> (resamples, networks[, values])


class Untestable(Exception):
    """This study lacks what the statistic needs; the message says what, for a table's `note` column."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval; the ends are None, with a note, with too few networks."""

    value: float
    low: float | None
    high: float | None
    networks: int  # fewest in any condition
    note: str = ""


class Statistic(NamedTuple):
    """How a number is made: networks' observations -> a measure per network -> one number."""

    tables: tuple[str, ...]
    sample: Callable[[Tables, float | None], Groups]
    measure: Callable[[np.ndarray], np.ndarray]  # (resamples, observations, columns) -> (resamples[, values])
    combine: Callable[[Measured], np.ndarray]  # -> (resamples,)


def estimate(
    name: str, tables: Tables, key: str, corrupt: float | None = None, fewest: int = FEWEST_NETWORKS
) -> Estimate:
    """Statistic `name` of the experiment whose `tables` are given, with a 95 % percentile interval.

    `key` names the random stream ("bootstrap", key); `corrupt` picks the networks trained with that fraction
    of labels corrupted, where the statistic asks for it. Raises Untestable where the study has no such
    networks, InputError where a table lacks a column.
    """
    statistic = STATISTICS[name]
    groups = statistic.sample(tables, corrupt)
    untouched = {
        label: np.stack([statistic.measure(seen[None])[0] for seen in networks])[None]
        for label, networks in groups.items()
    }
    value = float(statistic.combine(untouched)[0])
    networks = min(len(group) for group in groups.values())
    observations = min(len(seen) for group in groups.values() for seen in group)
    if networks < fewest or observations < 2:
        what = f"{networks} network(s) per condition and {observations} observation(s) per network"
        return Estimate(value, None, None, networks, f"{what} are too few for an interval")
    random = stream("bootstrap", key)
    drawn = {label: resample(group, statistic.measure, random) for label, group in groups.items()}
    low, high = np.quantile(statistic.combine(drawn), [0.025, 0.975])
    return Estimate(value, float(low), float(high), networks)


def resample(
    networks: list[np.ndarray],
    measure: Callable[[np.ndarray], np.ndarray],
    random: np.random.Generator,
    resamples: int = RESAMPLES,
) -> np.ndarray:
    """`measure` of networks drawn with replacement, each from observations drawn with replacement.

    `networks` holds one (observations, columns) array each. Returns (resamples, networks[, values]).
    """
    chosen = random.integers(len(networks), size=(resamples, len(networks)))
    shape = measure(networks[0][None]).shape[1:]
    values = np.empty((*chosen.shape, *shape))
    for index, seen in enumerate(networks):
        places = chosen == index
        picks = random.integers(len(seen), size=(places.sum(), len(seen)))
        values[places] = measure(seen[picks])  # (draws, observations, columns) -> (draws[, values])
    return values


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation along the last axis, ties sharing their mean rank: (..., n) -> (...).

    Raises Untestable where all values are equal, for then there is no rank to correlate.
    """
    ranks = [rankdata(values, axis=-1) for values in (x, y)]
    a, b = (rank - rank.mean(-1, keepdims=True) for rank in ranks)
    scale = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    if not np.all(scale > 0):
        raise Untestable("all values are equal, so there is no rank correlation")
    return (a * b).sum(-1) / scale


# --- what is observed: one array per network ---


def _by_fraction(tables: Tables, observed: pd.DataFrame, column: str, corrupt: float | None) -> Groups:
    """{fraction of labels corrupted: one (observations, 1) array per network}."""
    runs = require(tables, "runs", "run", "corrupt")
    groups: Groups = {}
    for run, fraction in sorted(zip(runs["run"], runs["corrupt"].astype(float), strict=True)):
        seen = observed.loc[observed["run"] == run, column].to_numpy(float)[:, None]
        if len(seen) == 0:
            raise InputError(f"run {run!r} is in table 'runs' but its table of results has no rows for it")
        if corrupt is None or np.isclose(fraction, corrupt):
            groups.setdefault(fraction, []).append(seen)
    if not groups:
        raise Untestable(f"no network with corrupt={corrupt} in this study")
    if corrupt is None and not (min(groups) == 0 and max(groups) == 1):
        raise Untestable("this study lacks clean (corrupt=0) or fully corrupted (corrupt=1) networks")
    return groups


def ablation_areas(tables: Tables, corrupt: float | None = None) -> Groups:
    """Normalised areas under the cumulative ablation curves (units clamped to zero), one per ordering."""
    areas = require(tables, "areas", "run", "clamp", "ordering", "auc")
    return _by_fraction(tables, areas[areas["clamp"] == "zero"], "auc", corrupt)


def noise_areas(tables: Tables, corrupt: float | None = None) -> Groups:
    """Mean accuracy over log10(noise_sd_ratio), by trapezoids, one per repeat; ratio 0 is left out."""
    noise = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "accuracy")
    noise = noise[noise["noise_sd_ratio"] > 0].sort_values("noise_sd_ratio")
    rows = []
    for (run, _), curve in noise.groupby(["run", "repeat"]):
        if len(curve) < 2:
            raise Untestable("a noise curve needs two noise levels above 0")
        scale = np.log10(curve["noise_sd_ratio"].to_numpy(float))
        area = np.trapezoid(curve["accuracy"].to_numpy(float), scale) / (scale[-1] - scale[0])
        rows.append((run, area))
    return _by_fraction(tables, pd.DataFrame(rows, columns=["run", "area"]), "area", corrupt)


def live_units(tables: Tables) -> pd.DataFrame:
    """One row per unit that is not dead: run, layer, unit, selectivity, information_bits, importance."""
    joined = joined_units(tables)
    return joined[~joined["dead"]]


def joined_units(tables: Tables) -> pd.DataFrame:
    """`units` and `single` side by side, one row per unit, dead ones included (their selectivity is empty).

    Raises InputError where the two tables do not hold the same units.
    """
    key = ["run", "layer", "unit"]
    units = require(tables, "units", *key, "dead", "information_bits", may_be_empty=["selectivity"])
    single = require(tables, "single", *key, "importance")
    for name, table in (("units", units), ("single", single)):
        twice = table[table.duplicated(key)]
        if len(twice):
            raise InputError(f"table {name!r} holds a unit twice: {_first(twice, key)}")
    strangers = units.merge(single, on=key, how="outer", indicator=True).query("_merge != 'both'")
    if len(strangers):
        raise InputError(f"tables 'units' and 'single' hold different units, e.g. {_first(strangers, key)}")
    joined = units.merge(single[[*key, "importance"]], on=key)  # keeps the order of `units`
    return joined.astype({"dead": bool})


def _first(table: pd.DataFrame, key: list[str]) -> str:
    return ", ".join(f"{name} {table.iloc[0][name]}" for name in key)


def _units(tables: Tables, _corrupt: float | None = None) -> Groups:
    """One (live units, 3) array per network: selectivity, information (bits), importance (nats)."""
    units = live_units(tables)
    networks = []
    for run in sorted(require(tables, "runs", "run")["run"]):
        network = units.loc[units["run"] == run, ["selectivity", "information_bits", "importance"]]
        if len(network) < 2:
            raise Untestable(f"network {run} has {len(network)} unit(s) that are not dead")
        networks.append(network.to_numpy(float))
    return {"all": networks}


# --- what is measured on a network: (resamples, observations, columns) -> (resamples[, values]) ---


def _mean(seen: np.ndarray) -> np.ndarray:
    return seen[..., 0].mean(1)


def _correlations(units: np.ndarray) -> np.ndarray:
    """Spearman of importance with selectivity and with information: (resamples, 2)."""
    importance = units[..., 2]
    return np.stack([spearman(units[..., 0], importance), spearman(units[..., 1], importance)], -1)


def _selectivity_correlation(units: np.ndarray) -> np.ndarray:
    return spearman(units[..., 0], units[..., 2])


def _information_correlation(units: np.ndarray) -> np.ndarray:
    return spearman(units[..., 1], units[..., 2])


def _minimal_impact(units: np.ndarray) -> np.ndarray:
    """Of the most selective quarter of units, the share that matters less than the network's median unit."""
    selectivity, importance = units[..., 0], units[..., 2]
    selective = selectivity >= np.quantile(selectivity, 1 - TOP_SHARE, axis=1, keepdims=True)
    minimal = importance < np.median(importance, axis=1, keepdims=True)
    return (selective & minimal).sum(1) / selective.sum(1)


# --- how networks make one number: {condition: (resamples, networks[, values])} -> (resamples,) ---


def _only(measured: Measured) -> np.ndarray:
    (values,) = measured.values()
    return values.mean(1)


def _size(measured: Measured) -> np.ndarray:
    return np.abs(_only(measured))


def _gain(measured: Measured) -> np.ndarray:
    selectivity, information = np.abs(_only(measured)).T  # each (resamples,)
    return information - selectivity


def _clean_minus_corrupted(measured: Measured) -> np.ndarray:
    return measured[0.0].mean(1) - measured[1.0].mean(1)


def _smallest_lead_of_clean(measured: Measured) -> np.ndarray:
    others = [values.mean(1) for fraction, values in measured.items() if fraction > 0]
    return measured[0.0].mean(1) - np.max(others, axis=0)


def _trend(measured: Measured) -> np.ndarray:
    """Spearman over networks between the fraction of labels corrupted and the network's mean."""
    values = np.concatenate(list(measured.values()), axis=1)  # (resamples, networks)
    fractions = np.concatenate([np.full(v.shape[1], fraction) for fraction, v in measured.items()])
    return spearman(np.broadcast_to(fractions, values.shape), values)


_AREAS = ("runs", "areas")
_NOISE = ("runs", "noise")
_UNITS = ("runs", "single", "units")

STATISTICS: dict[str, Statistic] = {
    "auc": Statistic(_AREAS, ablation_areas, _mean, _only),
    "auc_difference": Statistic(_AREAS, ablation_areas, _mean, _clean_minus_corrupted),
    "auc_smallest_difference": Statistic(_AREAS, ablation_areas, _mean, _smallest_lead_of_clean),
    "auc_trend": Statistic(_AREAS, ablation_areas, _mean, _trend),
    "noise_area_difference": Statistic(_NOISE, noise_areas, _mean, _clean_minus_corrupted),
    "noise_area_smallest_difference": Statistic(_NOISE, noise_areas, _mean, _smallest_lead_of_clean),
    "selectivity_correlation": Statistic(_UNITS, _units, _selectivity_correlation, _only),
    "selectivity_correlation_size": Statistic(_UNITS, _units, _selectivity_correlation, _size),
    "minimal_impact_share": Statistic(_UNITS, _units, _minimal_impact, _only),
    "information_correlation": Statistic(_UNITS, _units, _information_correlation, _only),
    "information_correlation_size": Statistic(_UNITS, _units, _information_correlation, _size),
    "information_gain": Statistic(_UNITS, _units, _correlations, _gain),
}
