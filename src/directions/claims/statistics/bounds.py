"""A bound on the generalisation gap, the gap and the area kept, by fraction corrupted (docs/BEYOND.md)."""

import numpy as np

from directions.claims.statistics.bootstrap import Groups, Measured
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, of_condition
from directions.claims.statistics.ranks import Untestable
from directions.core.tables import Tables, require

GAP, BOUND, NULL = range(3)
COLUMNS = ("gap", "bound", "null_bound")


def supersamples(tables: Tables, condition: Condition) -> Groups:
    """Observe {(fraction, pairs): one (supersamples, 3) array per network}: `COLUMNS`."""
    runs = of_condition(tables, condition) if condition else require(tables, "runs", "run", "corrupt")
    found = require(tables, "cmi", "run", "pairs", *COLUMNS)
    return {
        (fraction, pairs): networks
        for pairs, rows in found.groupby("pairs")
        for fraction, networks in by_setting(runs, rows[["run", *COLUMNS]], "corrupt").items()
    }


def gap_and_area(tables: Tables, _condition: Condition) -> Groups:
    """Observe {fraction: one (supersamples, 2) array per network}: gap, area kept; of the largest size.

    Raises Untestable if copies of some network keep no area.
    """
    found = require(tables, "cmi", "run", "pairs", "gap", may_be_empty=["kept"])
    found = found[found["pairs"] == found["pairs"].max()]
    if found["kept"].isna().any():
        raise Untestable("some of these networks hardly do better than guessing")
    return by_setting(require(tables, "runs", "run", "corrupt"), found[["run", "gap", "kept"]], "corrupt")


def smallest_slack(measured: Measured) -> np.ndarray:
    """Subtract the gap from the bound, and take the smallest difference of any fraction and size."""
    return np.min([(each[..., BOUND] - each[..., GAP]).mean(1) for each in measured.values()], axis=0)


def largest_bound(measured: Measured) -> np.ndarray:
    """Take the largest bound of any size."""
    return np.max([each[..., BOUND].mean(1) for each in measured.values()], axis=0)


def rise(measured: Measured) -> np.ndarray:
    """Subtract the bound beyond chance of the smallest fraction from that of the largest; smallest of sizes.

    Beyond chance: less the bound with halves permuted. Raises Untestable if there is only one fraction.
    """
    beyond = {key: (each[..., BOUND] - each[..., NULL]).mean(1) for key, each in measured.items()}
    fractions, sizes = ({key[place] for key in beyond} for place in (0, 1))
    if len(fractions) < 2:
        raise Untestable("this study has one fraction of corrupted labels")
    least, most = min(fractions), max(fractions)
    return np.min([beyond[most, pairs] - beyond[least, pairs] for pairs in sizes], axis=0)
