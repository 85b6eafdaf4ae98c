"""Reliance on single units against wrong labels reproduced, by way of learning (docs/BEYOND.md)."""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measured
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, zero_areas
from directions.claims.statistics.ranks import Untestable
from directions.core.tables import Tables, require

Way = tuple[str, float, int]  # method, lambda, epochs
NO_PULL = -1.0  # in place of lambda, for other methods
PLAIN, LIMIT = "cross_entropy", "limit"
ABOVE_CHANCE = 0.05  # accuracy above chance, of all there could be, below which no area is kept of it


def ways(tables: Tables, _condition: Condition) -> Groups:
    """Observe {way: one (orderings, 2) array per network}: area kept, share of wrong labels reproduced."""
    runs, kept = of_ways(tables), kept_areas(tables)
    runs = runs[runs["run"].isin(kept["run"])]
    found = require(tables, "memorization", "run", may_be_empty=["reproduced"])
    shares = found.set_index("run")["reproduced"]
    if shares.isna().any():
        raise Untestable("some of these networks have no corrupted labels")
    return by_setting(runs, kept.assign(reproduced=kept["run"].map(shares)), "way")


def of_ways(tables: Tables) -> pd.DataFrame:
    """Return table runs with the column way: how each network was trained, and for how long."""
    runs = require(tables, "runs", "run", "method", "epochs")
    pulls = runs["limit_lambda"] if "limit_lambda" in runs else pd.Series(np.nan, runs.index)
    ways = zip(runs["method"], pulls.fillna(NO_PULL), runs["epochs"], strict=True)
    return runs.assign(limit_lambda=pulls, way=list(ways))


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


def lead_of_limit(measured: Measured) -> np.ndarray:
    """Subtract cross-entropy's area from that of LIMIT with the largest lambda, after the most epochs."""
    last = max(epochs for *_, epochs in measured)
    pulls = [pull for method, pull, epochs in measured if method == LIMIT and epochs == last]
    if not pulls or (PLAIN, NO_PULL, last) not in measured:
        raise Untestable("this study lacks networks trained by LIMIT and by cross-entropy for as long")
    one, other = measured[LIMIT, max(pulls), last], measured[PLAIN, NO_PULL, last]
    return one[..., 0].mean(1) - other[..., 0].mean(1)


def distance_of_limit(measured: Measured) -> np.ndarray:
    """Average the vertical distance of LIMIT's networks from the line through those of cross-entropy.

    The line joins cross-entropy stopped after different numbers of epochs. Only ways within its range of
    reproduced labels count.
    """
    means = {way: values.mean(1) for way, values in measured.items()}  # (resamples, 2)
    line = [values for way, values in means.items() if way[0] == PLAIN]
    dots = [values for way, values in means.items() if way[0] == LIMIT]
    if len(line) < 2 or not dots:
        raise Untestable("this study lacks networks trained by LIMIT, or by cross-entropy stopped early")
    return np.array([_distance(*drawn) for drawn in zip(np.stack(line, 1), np.stack(dots, 1), strict=True)])


def _distance(line: np.ndarray, dots: np.ndarray) -> float:
    line = line[np.argsort(line[:, 1])]
    inside = dots[(dots[:, 1] >= line[0, 1]) & (dots[:, 1] <= line[-1, 1])]
    if not len(inside):
        return np.nan
    return float(np.abs(inside[:, 0] - np.interp(inside[:, 1], line[:, 1], line[:, 0])).mean())
