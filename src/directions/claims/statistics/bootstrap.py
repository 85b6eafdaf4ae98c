"""Intervals: a hierarchical bootstrap over networks and over the observations on each.

Networks are drawn with replacement within each condition, then observations (orderings, noise repeats or
units) with replacement within each drawn network. Two or three networks say little about how networks differ,
so the interval is then too narrow; the tables give the number of networks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.ranks import Untestable
from directions.core.seeds import stream
from directions.core.tables import Tables

RESAMPLES = 1000
FEWEST_NETWORKS = 2  # per condition; one network says nothing about others
AT_ONCE = 4_000_000  # counts held in memory at a time: draws x observations
UNDEFINED = 0.05  # fraction of draws that may lack a value; beyond it, no interval is given

Groups = dict[
    Any, list[np.ndarray]
]  # condition, a value or a tuple of values -> networks, each (observations, columns)
Measured = dict[Any, np.ndarray]  # condition -> (resamples, networks[, values])
Sample = Callable[[Tables, Condition], Groups]
Measure = Callable[
    [np.ndarray, np.ndarray], np.ndarray
]  # (observations, columns), counts -> (draws[, values])
Combine = Callable[[Measured], np.ndarray]  # -> (resamples,)


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval; with too few networks the ends are None, and a note says why."""

    value: float
    low: float | None
    high: float | None
    networks: int  # fewest in any condition that is compared
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """Subtract the mean of one condition's networks from that of another; no other networks matter."""

    one: object
    other: object

    @property
    def conditions(self) -> tuple[object, object]:
        return self.one, self.other

    def __call__(self, measured: Measured) -> np.ndarray:
        return measured[self.one].mean(1) - measured[self.other].mean(1)


@dataclass(frozen=True)
class Statistic:
    """How a number is computed: networks' observations -> a measure per network -> one number.

    `measure` gets one network's observations (observations, columns) and, per draw, how often each is drawn:
    counts (draws, observations). `asks`: the settings that its condition may name, one tuple per choice.
    """

    tables: tuple[str, ...]
    sample: Sample
    measure: Measure
    combine: Combine
    fewest: int = FEWEST_NETWORKS
    asks: tuple[tuple[str, ...], ...] = ((),)
    undefined: str = "all values are equal, so there is no rank correlation"

    def value(self, tables: Tables, condition: Condition) -> float:
        """Compute the number without its interval. Raises as `registry.estimate`."""
        return self._value(self.sample(tables, condition))

    def _value(self, groups: Groups) -> float:
        value = float(self.combine(self._untouched(groups))[0])
        if not np.isfinite(value):
            raise Untestable(self.undefined)
        return value

    def estimate(self, tables: Tables, key: str, condition: Condition, fewest: int | None) -> Estimate:
        """Compute the number with its interval; see `registry.estimate`."""
        groups = self.sample(tables, condition)
        value = self._value(groups)
        compared = self.combine.conditions if isinstance(self.combine, Difference) else groups
        networks = min(len(groups[name]) for name in compared)
        observations = min(len(seen) for group in groups.values() for seen in group)
        if networks < (self.fewest if fewest is None else fewest) or observations < 2:
            what = f"{networks} network(s) per condition and {observations} observation(s) per network"
            return Estimate(value, None, None, networks, f"{what} are too few for an interval")
        random = stream("bootstrap", key)
        drawn = self.combine({name: resample(group, self.measure, random) for name, group in groups.items()})
        defined = drawn[np.isfinite(drawn)]
        if len(defined) < (1 - UNDEFINED) * len(drawn):
            return Estimate(value, None, None, networks, "values differ too little for an interval")
        low, high = np.quantile(defined, [0.025, 0.975])
        return Estimate(value, float(low), float(high), networks)

    def _untouched(self, groups: Groups) -> Measured:
        """Measure each network without resampling: every observation once."""
        return {
            name: np.stack([self.measure(seen, np.ones((1, len(seen)), int))[0] for seen in networks])[None]
            for name, networks in groups.items()
        }


def resample(
    networks: list[np.ndarray], measure: Measure, random: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Apply `measure` to networks drawn with replacement, each with observations drawn with replacement.

    `networks` holds one (observations, columns) array each. Returns (resamples, networks[, values]).
    """
    chosen = random.integers(len(networks), size=(resamples, len(networks)))
    shape = measure(networks[0], np.ones((1, len(networks[0])), int)).shape[1:]
    values = np.empty((chosen.size, *shape))
    for index, seen in enumerate(networks):
        places = np.flatnonzero(chosen == index)
        for part in np.array_split(places, 1 + places.size * len(seen) // AT_ONCE):
            values[part] = measure(seen, draw_counts(len(seen), len(part), random))
    return values.reshape(*chosen.shape, *shape)


def draw_counts(size: int, draws: int, random: np.random.Generator) -> np.ndarray:
    """Count how often each of `size` observations comes up in draws with replacement: (draws, size)."""
    picks = random.integers(size, size=(draws, size)) * draws + np.arange(draws)[:, None]
    counts = np.bincount(picks.ravel(), minlength=draws * size).reshape(size, draws)
    return counts.astype(np.float32).T  # one row per observation in memory, as `correlate_drawn` reads it


# --- shared by many statistics ---


def mean(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average each column over the drawn observations: (draws, columns)."""
    return counts.astype(float) @ seen / counts.sum(1, keepdims=True)


def column(place: int) -> Measure:
    """Average one column: (draws,)."""
    return lambda seen, counts: mean(seen[:, place : place + 1], counts)[:, 0]


def only(measured: Measured) -> np.ndarray:
    """Average over the networks of the only condition."""
    (values,) = measured.values()
    return values.mean(1)


def size(measured: Measured) -> np.ndarray:
    """Take the absolute value of `only`."""
    return np.abs(only(measured))
