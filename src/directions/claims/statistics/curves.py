"""Our mean curves against the paper's: distance, and the noise at which accuracy halves (Figures 1 to 5).

Curves are compared over the fraction of units ablated, since networks may differ in width, or over the
logarithm of the noise. Table `paper` holds one panel, as returned by `study.paper_curves.read`.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measured
from directions.claims.statistics.conditions import Condition, written
from directions.claims.statistics.networks import by_setting, noise_curves, of_condition
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError
from directions.core.tables import Tables, require

POINTS = 101  # evenly spaced points at which curves are compared
HALF = 0.5  # accuracy at the half-accuracy scale
Curve = tuple[str, np.ndarray, np.ndarray]  # run, horizontal axis, accuracy


# --- the paper's curves ---


def theirs(tables: Tables, condition: Condition) -> list[tuple[Condition, pd.DataFrame]]:
    """Select the curves of table `paper` that meet a condition; all of them if it is empty.

    Raises InputError if the paper has none.
    """
    panel = require(tables, "paper", "accuracy")
    keys = [name for name in ("labels", "dropout", "corrupt", "batch_norm", "group") if name in panel]
    curves = [(_condition(dict(zip(keys, key, strict=True))), curve) for key, curve in panel.groupby(keys)]
    chosen = [(own, curve) for own, curve in curves if not condition or own == condition]
    if not chosen:
        known = ", ".join(written(own) for own, _ in curves)
        raise InputError(f"the paper has no curve with {written(condition)}: it has {known}")
    return chosen


def _condition(values: dict) -> Condition:
    """Turn a curve's keys in the paper's file into a condition on our networks."""
    if "labels" in values:
        return {"corrupt": float(values["labels"] == "corrupted"), "dropout": float(values["dropout"])}
    if "batch_norm" in values:
        return {"batch_norm": values["batch_norm"] == "with"}
    return values


# --- what is observed: our accuracies at POINTS positions ---


def ablation_distances(tables: Tables, condition: Condition) -> Groups:
    """Observe {condition: one (orderings, POINTS) array per network}: our accuracy minus the paper's.

    Past its end, a curve of the paper stays where it ended, at chance.
    """
    share = np.linspace(0, 1, POINTS)
    return _apart(tables, condition, _ablation_curves(tables), lambda _: share, "fraction", lambda x: x)


def noise_distances(tables: Tables, condition: Condition) -> Groups:
    """Do the same under noise, over the range of log noise in the paper's panel."""
    return _apart(tables, condition, noise_curves(tables), _noise_axis, "noise_scale", np.log10)


def _ablation_curves(tables: Tables) -> Iterator[Curve]:
    table = require(tables, "ablation", "run", "clamp", "ordering", "ablated", "units", "accuracy")
    accuracy = "accuracy_top5" if "accuracy_top5" in table else "accuracy"  # as Figure 1 draws it
    for (run, _), curve in table[table["clamp"] == "zero"].groupby(["run", "ordering"]):
        curve = curve.sort_values("ablated")
        yield run, (curve["ablated"] / curve["units"]).to_numpy(float), curve[accuracy].to_numpy(float)


def _noise_axis(curve: pd.DataFrame) -> np.ndarray:
    first, last = np.log10([curve["noise_scale"].min(), curve["noise_scale"].max()])
    return np.linspace(first, last, POINTS)


def _apart(
    tables: Tables,
    condition: Condition,
    ours: Iterator[Curve],
    axis: Callable[[pd.DataFrame], np.ndarray],
    column: str,
    scale: Callable,
) -> Groups:
    lines, groups = list(ours), {}
    for own, curve in theirs(tables, condition):
        at = axis(curve)
        paper = np.interp(at, scale(curve[column].to_numpy(float)), curve["accuracy"].to_numpy(float))
        (groups[written(own)],) = _read_at(tables, own, lines, at, paper).values()
    return groups


def _read_at(tables: Tables, condition: Condition, ours: list[Curve], at: np.ndarray, paper=0.0) -> Groups:
    """Read {"all": one (orderings or repeats, POINTS) array per network that meets the condition}."""
    runs = of_condition(tables, condition)
    rows = []
    for run, x, accuracy in ours:
        if run not in set(runs["run"]):
            continue
        if x[0] > at[0] + 1e-3 or x[-1] < at[-1] - 1e-3:
            raise Untestable("curves here do not reach from end to end of the paper's")
        rows.append(pd.Series(np.interp(at, x, accuracy) - paper).rename(run))
    observed = pd.DataFrame(rows).rename_axis("run").reset_index()
    return by_setting(runs, observed, None)


def noise_levels(tables: Tables, condition: Condition) -> Groups:
    """Observe accuracies at POINTS levels of log noise over the range of the paper's panel."""
    ((own, curve),) = theirs(tables, condition)
    return _read_at(tables, own, list(noise_curves(tables)), _noise_axis(curve))


def noise_scales(tables: Tables, condition: Condition) -> Groups:
    """Observe one (repeats, 2 x levels) array per network: log10 of the noise ratios, then accuracies."""
    rows = [pd.Series(np.r_[scale, accuracy]).rename(run) for run, scale, accuracy in noise_curves(tables)]
    observed = pd.DataFrame(rows).rename_axis("run").reset_index()
    if observed.isna().any(axis=None):
        raise InputError("table 'noise': networks or repeats differ in their ratios: rebuild it")
    return by_setting(of_condition(tables, condition), observed, None)


# --- how networks combine into one number: {condition: (resamples, networks, values)} -> (resamples,) ---


def mean_distance(measured: Measured) -> np.ndarray:
    """Compute the mean vertical distance of our mean curve from the paper's, averaged over conditions."""
    return np.mean([_along(np.abs(values.mean(1))) for values in measured.values()], axis=0)


def largest_distance(measured: Measured) -> np.ndarray:
    """Compute the largest vertical distance of our mean curve from the paper's, over all conditions."""
    return np.max([np.abs(values.mean(1)).max(-1) for values in measured.values()], axis=0)


def mean_level(measured: Measured) -> np.ndarray:
    """Average accuracy along the axis, in the only condition."""
    (values,) = measured.values()
    return _along(values.mean(1))


def _along(values: np.ndarray) -> np.ndarray:
    """Average over the last axis by the trapezoidal rule."""
    return np.trapezoid(values, axis=-1) / (values.shape[-1] - 1)


def half_scale(measured: Measured) -> np.ndarray:
    """Find the noise ratio at which the mean curve falls to an accuracy of 0.5; NaN if it does not."""
    (values,) = measured.values()
    return np.array([falls_to_half(*np.split(curve, 2)) for curve in values.mean(1)])


def falls_to_half(log_scale: np.ndarray, accuracy: np.ndarray) -> float:
    """Find where accuracy first falls below 0.5, interpolating linearly in log10 of the scale; else NaN."""
    below = int(np.argmax(accuracy < HALF))
    if below == 0:
        return np.nan
    ends = slice(below, below - 2 if below > 1 else None, -1)
    return float(10 ** np.interp(HALF, accuracy[ends], log_scale[ends]))
