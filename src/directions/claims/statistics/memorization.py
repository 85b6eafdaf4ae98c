"""Reliance on single units against wrong labels reproduced, by way of learning (docs/BEYOND.md)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measured
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, zero_areas
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError
from directions.core.tables import Tables, require

NO_PULL = -1.0  # in place of lambda, for other methods
PLAIN, MAE, LIMIT = "cross_entropy", "mae", "limit"
ABOVE_CHANCE = 0.05  # accuracy above chance, of all there could be, below which no area is kept of it


class Way(NamedTuple):
    """How a network was trained, and for how long; pull is lambda."""

    method: str
    pull: float
    dropout: float
    epochs: int

    def __str__(self) -> str:
        pull = f" with lambda {self.pull:g}" if self.method == LIMIT else ""
        dropout = f", dropout {self.dropout:g}" if self.dropout else ""
        return f"trained by {self.method}{pull}{dropout} for {self.epochs:g} epochs"


def ways(tables: Tables, _condition: Condition) -> Groups:
    """Observe {way: one (orderings, 2) array per network}: area kept, share of wrong labels reproduced."""
    every, kept = of_ways(tables), kept_areas(tables)
    runs = every[every["run"].isin(kept["run"])]
    found = require(tables, "memorization", "run", may_be_empty=["reproduced"])
    shares = found.set_index("run")["reproduced"]
    if shares.isna().any():
        raise Untestable("some of these networks have no corrupted labels")
    final = every.loc[every["epochs"] == every["epochs"].max(), "way"]
    for way in sorted(set(final) - set(runs["way"])):
        raise Untestable(f"all networks {way} hardly do better than guessing")
    return by_setting(runs, kept.assign(reproduced=kept["run"].map(shares)), "way")


def of_ways(tables: Tables) -> pd.DataFrame:
    """Return table runs with the column way: how each network was trained, and for how long.

    A dropout fraction that all networks share counts as none, as there is nothing to compare it with. Raises
    InputError for an unknown method.
    """
    runs = require(tables, "runs", "run", "epochs")
    known = {"method": PLAIN, "limit_lambda": np.nan, "dropout": 0.0}  # where a study does not name them
    runs = runs.assign(**{key: runs.get(key, value) for key, value in known.items()})
    runs = runs.fillna({"method": PLAIN, "dropout": 0.0})
    if unknown := set(runs["method"]) - {PLAIN, MAE, LIMIT}:
        raise InputError(f"table 'runs': method {min(unknown)!r} is none of {PLAIN}, {MAE}, {LIMIT}")
    if len(set(runs["dropout"])) == 1:
        runs = runs.assign(dropout=0.0)
    columns = (runs["method"], runs["limit_lambda"].fillna(NO_PULL), runs["dropout"], runs["epochs"])
    return runs.assign(way=[Way(*values) for values in zip(*columns, strict=True)])


def kept_areas(tables: Tables) -> pd.DataFrame:
    """Compute the area kept, one row per ordering: run, kept.

    The area corrected for chance, divided by the unablated accuracy corrected for chance: 1 if ablation costs
    nothing. Networks that hardly do better than guessing are left out. Raises Untestable if none is left.
    """
    chance = 1 / require(tables, "runs", "run", "classes").set_index("run")["classes"]
    areas = zero_areas(tables, "auc", "auc_relative", "auc_chance_corrected")
    guess = areas["run"].map(chance)
    whole = (areas["auc"] / areas["auc_relative"] - guess) / (1 - guess)
    if not (learned := whole > ABOVE_CHANCE).any():
        raise Untestable("these networks hardly do better than guessing")
    kept = pd.DataFrame({"run": areas["run"], "kept": areas["auc_chance_corrected"] / whole})
    return kept[learned]


def by_limit(way: Way) -> float | None:
    """Return lambda of networks trained by LIMIT, None of others."""
    return way.pull if way.method == LIMIT else None


def by_dropout(way: Way) -> float | None:
    """Return the dropout fraction of networks trained with dropout, None of others."""
    return way.dropout or None


def lead(strength: Callable[[Way], float | None], noun: str) -> Callable[[Measured], np.ndarray]:
    """Make a function that subtracts plain cross-entropy's area from that of the strongest treatment.

    Both after the most epochs. strength: see `by_limit`; noun: the treatment, for errors.
    """

    def subtract(measured: Measured) -> np.ndarray:
        last = max(way.epochs for way in measured)
        final = [way for way in measured if way.epochs == last]
        treated = [way for way in final if strength(way) is not None]
        plain = [way for way in final if _plain(way)]
        if not treated or not plain:
            raise Untestable(
                f"this study lacks networks trained {noun} and by cross-entropy alone for as long"
            )
        one, other = measured[max(treated, key=lambda way: strength(way) or 0.0)], measured[plain[0]]
        return one[..., 0].mean(1) - other[..., 0].mean(1)

    return subtract


def distance(strength: Callable[[Way], float | None], noun: str) -> Callable[[Measured], np.ndarray]:
    """Make a function that averages the vertical distance of treated networks from the line of plain ones.

    The line joins cross-entropy stopped after different numbers of epochs. Only ways within its range of
    reproduced labels count. strength, noun: see `lead`.
    """

    def average(measured: Measured) -> np.ndarray:
        means = {way: values.mean(1) for way, values in measured.items()}  # (resamples, 2)
        line = [values for way, values in means.items() if _plain(way)]
        dots = [values for way, values in means.items() if strength(way) is not None]
        if len(line) < 2 or not dots:
            raise Untestable(f"this study lacks networks trained {noun}, or by cross-entropy stopped early")
        drawn = zip(np.stack(line, 1), np.stack(dots, 1), strict=True)
        found = np.array([_distance(*sample) for sample in drawn])
        if np.isnan(found).all():
            raise Untestable(f"no networks trained {noun} reproduce as many labels as cross-entropy's do")
        return found

    return average


def _plain(way: Way) -> bool:
    return way.method == PLAIN and not way.dropout


def _distance(line: np.ndarray, dots: np.ndarray) -> float:
    line = line[np.argsort(line[:, 1])]
    inside = dots[(dots[:, 1] >= line[0, 1]) & (dots[:, 1] <= line[-1, 1])]
    if not len(inside):
        return np.nan
    return float(np.abs(inside[:, 0] - np.interp(inside[:, 1], line[:, 1], line[:, 0])).mean())
