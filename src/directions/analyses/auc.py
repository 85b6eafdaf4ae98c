"""Areas under cumulative ablation curves (paper, section 3.2)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from directions.core.area import area

CURVE = ["clamp", "ordering"]  # columns that identify a curve within a network
GUESSES = {"accuracy": 1, "accuracy_top5": 5}  # top-5 only for data sets with many classes


def relative(area: np.ndarray, unablated: np.ndarray) -> np.ndarray:
    """Divide the area by the unablated accuracy, so that poor training does not look like fragility.

    NaN where that is 0.
    """
    return np.divide(area, np.where(unablated > 0, unablated, np.nan))


def chance_corrected(area: np.ndarray, classes: int, guesses: int = 1) -> np.ndarray:
    """Rescale an area so that guessing among `classes` balanced classes gives 0 and perfect accuracy 1.

    guesses: guesses allowed per image, 5 for top-5 accuracy. NaN if that covers all classes.
    """
    if guesses >= classes:
        return np.full_like(area, np.nan)
    chance = guesses / classes
    return (area - chance) / (1 - chance)


def variants(ablated: np.ndarray, accuracy: np.ndarray, classes: int, guesses: int = 1) -> dict:
    """Compute the area under curves (..., points), relative and corrected for chance, as table columns (D9).

    With 5 `guesses` (top-5 accuracy), the column names end in _top5.
    """
    auc = area(ablated, accuracy)
    found = {
        "auc": auc,
        "auc_relative": relative(auc, accuracy[..., 0]),
        "auc_chance_corrected": chance_corrected(auc, classes, guesses),
    }
    return found if guesses == 1 else {f"{name}_top{guesses}": values for name, values in found.items()}


def of_curves(curves: pd.DataFrame, classes: Mapping[str, int]) -> pd.DataFrame:
    """Compute one row of areas per curve of a table `ablation`; classes: {run: number of classes}."""
    keys = [*curves.columns[: curves.columns.get_loc("clamp")], *CURVE]
    rows = []
    for key, curve in curves.groupby(keys, sort=False, dropna=False):
        found = dict(zip(keys, key, strict=True))
        for column, guesses in GUESSES.items():
            if column in curve:
                points = curve["ablated"].to_numpy(), curve[column].to_numpy()
                found |= variants(*points, classes[found["run"]], guesses)
        for column in ("norm_images", "scored_images"):  # how the curve was measured: D32, D12
            if column in curve:
                found[column] = curve[column].iloc[0]
        rows.append(found)
    return pd.DataFrame(rows)
