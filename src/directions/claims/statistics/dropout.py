"""Networks trained with dropout: accuracy kept up to the dropout fraction and beyond it (Figure 5a)."""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Combine, Groups, Measured
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, of_condition, trend
from directions.claims.statistics.ranks import Untestable
from directions.core.tables import Tables, require

FURTHER = 0.2  # fraction of units past the dropout fraction at which "soon" is judged
KEPT, KEPT_FURTHER, BEYOND, AREA, LOSS = range(5)  # columns of an observation

# Accuracies are relative to the unablated one: under dropout, not all networks learn random labels fully.


def curves(tables: Tables, condition: Condition) -> Groups:
    """Observe {(corrupt, dropout): one (orderings, 5) array per network}, columns as named above.

    A condition restricts it to the networks that meet it.
    """
    require(tables, "runs", "run", "corrupt", "dropout")
    runs = of_condition(tables, condition).astype({"corrupt": float, "dropout": float})
    runs = runs[(runs["dropout"] > 0) & runs["corrupt"].isin([0.0, 1.0])]
    ablation = require(tables, "ablation", "run", "clamp", "ordering", "ablated", "units", "accuracy", "loss")
    ablation = ablation[(ablation["clamp"] == "zero") & ablation["run"].isin(runs["run"])]
    dropout = runs.set_index("run")["dropout"]
    rows = [
        (run, *_of_curve(curve.sort_values("ablated"), dropout[run]))
        for (run, _), curve in ablation.groupby(["run", "ordering"])
    ]
    runs = runs.assign(condition=list(zip(runs["corrupt"], runs["dropout"], strict=True)))
    groups = by_setting(runs, pd.DataFrame(rows, columns=["run", *range(5)]), "condition")
    if not condition and {corrupt for corrupt, _ in groups} != {0.0, 1.0}:
        raise Untestable("this study lacks dropout networks with clean or with fully corrupted labels")
    return groups


def _of_curve(curve: pd.DataFrame, dropout: float) -> tuple[float, ...]:
    share = (curve["ablated"] / curve["units"]).to_numpy(float)
    kept = curve["accuracy"].to_numpy(float) / curve["accuracy"].iloc[0]
    at, further = np.interp([dropout, min(dropout + FURTHER, 1.0)], share, kept)
    tail = share > dropout
    x, y = np.r_[dropout, share[tail]], np.r_[at, kept[tail]]
    beyond = np.trapezoid(y, x) / (x[-1] - x[0])
    return at, further, beyond, np.trapezoid(kept, share), curve["loss"].iloc[0]


def _means(measured: Measured, corrupt: float, place: int) -> np.ndarray:
    """Average per dropout fraction, by increasing fraction: (fractions, resamples)."""
    chosen = sorted(condition for condition in measured if condition[0] == corrupt)
    return np.stack([measured[condition][..., place].mean(1) for condition in chosen])


def least(corrupt: float, place: int) -> Combine:
    """Take the smallest value over the dropout fractions."""
    return lambda measured: _means(measured, corrupt, place).min(0)


def of_one(place: int) -> Combine:
    """Take the value of the one condition requested."""

    def combine(measured: Measured) -> np.ndarray:
        (values,) = measured.values()
        return values[..., place].mean(1)

    return combine


def smallest_lead(place: int) -> Combine:
    """Find the smallest lead of clean over corrupted networks at any dropout fraction."""

    def combine(measured: Measured) -> np.ndarray:
        clean, corrupted = (
            {drop: values[..., place].mean(1) for (side, drop), values in measured.items() if side == corrupt}
            for corrupt in (0.0, 1.0)
        )
        shared = clean.keys() & corrupted.keys()
        if not shared:
            raise Untestable("clean and corrupted networks share no dropout fraction")
        return np.min([clean[drop] - corrupted[drop] for drop in sorted(shared)], axis=0)

    return combine


def spread_of_clean(measured: Measured) -> np.ndarray:
    """Compute the range of the clean networks' areas over dropout fractions."""
    areas = _means(measured, 0.0, AREA)
    if len(areas) < 2:
        raise Untestable("this study has one dropout fraction only")
    return areas.max(0) - areas.min(0)


def loss_trend(measured: Measured) -> np.ndarray:
    """Compute Spearman of dropout fraction and training loss over networks with corrupted labels."""
    corrupted = {drop: values[..., LOSS] for (side, drop), values in measured.items() if side == 1.0}
    if len(corrupted) < 2:
        raise Untestable("this study has one dropout fraction only")
    return trend(corrupted)
