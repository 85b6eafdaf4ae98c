"""Numbers about supervision complexity: what labels are to a network's kernel (docs/BEYOND.md)."""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, of_condition, zero_areas
from directions.core.tables import Tables, require

AREA, START, AGAINST_NULL_START, AGAINST_NULL_END = range(4)  # columns of what is observed


def start_and_end(tables: Tables) -> pd.DataFrame:
    """Return complexity before and after training: index run, columns start, end."""
    return _start_and_end(require(tables, "kernel", "run", "epoch", "complexity"))


def against_null(tables: Tables) -> pd.DataFrame:
    """Return the same, divided by the complexity of the labels in random order."""
    kernel = require(tables, "kernel", "run", "epoch", "complexity", "complexity_shuffled")
    return _start_and_end(kernel.assign(complexity=kernel["complexity"] / kernel["complexity_shuffled"]))


def _start_and_end(kernel: pd.DataFrame) -> pd.DataFrame:
    return kernel.sort_values("epoch").groupby("run")["complexity"].agg(start="first", end="last")


def beside_area(tables: Tables, condition: Condition) -> Groups:
    """Observe per ordering, by fraction corrupted: area, complexity before training.

    Then complexity before and after training, divided by that of the labels in random order.
    """
    areas = zero_areas(tables, "auc")
    start, null = start_and_end(tables)["start"], against_null(tables)
    observed = areas.assign(complexity=areas["run"].map(start)).join(null, on="run")
    return by_setting(of_condition(tables, condition), observed, "corrupt")


def area_and_complexity(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average area and complexity before training: (draws, 2)."""
    return counts.astype(float) @ seen[:, [AREA, START]] / counts.sum(1, keepdims=True)


def change(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Subtract complexity before from that after training, each divided by its null: (draws,)."""
    return counts.astype(float) @ (seen[:, AGAINST_NULL_END] - seen[:, AGAINST_NULL_START]) / counts.sum(1)
