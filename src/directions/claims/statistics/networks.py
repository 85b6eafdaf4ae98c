"""Numbers about networks: areas under their curves by varied setting, and across many networks."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measured, Sample
from directions.claims.statistics.conditions import Condition, written
from directions.claims.statistics.ranks import Untestable, correlate
from directions.core.errors import InputError
from directions.core.tables import Tables, require

EXTREMES = 5  # best and worst networks in Figure 3a; with fewer than fifteen, a third on each side
MEMORISED = 0.99  # training accuracy of a network that has learned its labels

# --- what is observed: one array per network ---


def by_setting(runs: pd.DataFrame, observed: pd.DataFrame, setting: str | None) -> Groups:
    """Group networks as {value of a setting: one (observations, columns) array each}, sorted by name.

    `observed` holds run and columns. Without a setting, all networks form one condition. Raises InputError
    for a network without observations.
    """
    by_run = {
        run: seen.drop(columns="run").to_numpy(float) for run, seen in observed.groupby("run", sort=False)
    }
    groups: Groups = {}
    for row in runs.sort_values("run").to_dict("records"):
        if row["run"] not in by_run:
            raise InputError(
                f"run {row['run']!r} is in table 'runs' but its table of results has no rows for it"
            )
        groups.setdefault("all" if setting is None else row[setting], []).append(by_run[row["run"]])
    return groups


def by_fraction(tables: Tables, observed: pd.DataFrame, condition: Condition) -> Groups:
    """Group by the fraction of labels corrupted; a condition keeps only the networks that meet it.

    Raises Untestable if the study lacks these, or clean and fully corrupted networks.
    """
    if condition:
        return by_setting(of_condition(tables, condition), observed, None)
    runs = require(tables, "runs", "run", "corrupt").astype({"corrupt": float})
    groups = by_setting(runs, observed, "corrupt")
    if not (min(groups) == 0 and max(groups) == 1):
        raise Untestable("this study lacks clean (corrupt=0) or fully corrupted (corrupt=1) networks")
    return groups


def of_condition(tables: Tables, condition: Condition) -> pd.DataFrame:
    """Select the rows of table `runs` that meet a condition. Raises Untestable if there are none."""
    settings = [name for name in condition if name not in ("group", "layer")]
    runs = require(tables, "runs", "run", *settings)
    for name in settings:
        values, wanted = runs[name], condition[name]
        runs = runs[is_true(values) == wanted if isinstance(wanted, bool) else np.isclose(values, wanted)]
    if runs.empty:
        raise Untestable(f"no network with {written(condition)} in this study")
    if "group" in condition:
        best, worst = best_and_worst(memorised(runs, fewest=2))
        runs = best if condition["group"] == "best" else worst
    return runs


def is_true(values: pd.Series) -> pd.Series:
    """Mark the true values of a column, whether booleans or text."""
    return values.astype(str).str.lower() == "true"


def zero_areas(tables: Tables, *columns: str) -> pd.DataFrame:
    """Select areas under the curves clamped to zero, one row per ordering: run, `columns`."""
    areas = require(tables, "areas", "run", "clamp", "ordering", *columns)
    return areas.loc[areas["clamp"] == "zero", ["run", *columns]]


def ablation_areas(tables: Tables, condition: Condition) -> Groups:
    """Group areas by fraction of labels corrupted, one per ordering; of top-5 accuracy if measured."""
    area = "auc_top5" if "auc_top5" in require(tables, "areas", "run") else "auc"  # as Figure 1 draws it
    return by_fraction(tables, zero_areas(tables, area), condition)


def noise_areas(tables: Tables, condition: Condition) -> Groups:
    """Average accuracy over log10(noise_sd_ratio) by trapezoids, one per repeat; ratio 0 is left out."""
    rows = []
    for run, scale, accuracy in noise_curves(tables):
        rows.append((run, np.trapezoid(accuracy, scale) / (scale[-1] - scale[0])))
    return by_fraction(tables, pd.DataFrame(rows, columns=["run", "area"]), condition)


def noise_curves(tables: Tables) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield (run, log10 of the noise ratios above 0, accuracies) of every repeat, by increasing ratio."""
    noise = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "accuracy")
    noise = noise[noise["noise_sd_ratio"] > 0].sort_values("noise_sd_ratio")
    for (run, _), curve in noise.groupby(["run", "repeat"]):
        if len(curve) < 2:
            raise Untestable("a noise curve needs two noise levels above 0")
        yield run, np.log10(curve["noise_sd_ratio"].to_numpy(float)), curve["accuracy"].to_numpy(float)


def clamps(tables: Tables, _condition: Condition) -> Groups:
    """Observe the area clamped to zero minus the area clamped to the mean, per ordering (Figure A1)."""
    areas = require(tables, "areas", "run", "clamp", "ordering", "auc")
    sides = areas.pivot_table(index=["run", "ordering"], columns="clamp", values="auc", sort=False)
    lacking = {"zero", "mean"} - set(sides.columns)
    if lacking:
        raise Untestable(f"this study has no curves with clamp {' and '.join(sorted(lacking))}")
    sides = sides[["zero", "mean"]].dropna()
    observed = (sides["zero"] - sides["mean"]).rename("difference").reset_index("run")
    return by_setting(require(tables, "runs", "run"), observed, None)


def with_and_without(tables: Tables, observed: pd.DataFrame) -> Groups:
    """Group networks as {True: with batch norm, False: without} (Figures 5b, 6)."""
    runs = require(tables, "runs", "run", "batch_norm")
    runs = runs.assign(batch_norm=is_true(runs["batch_norm"]))
    groups = by_setting(runs, observed, "batch_norm")
    if len(groups) < 2:
        raise Untestable("this study lacks networks with or without batch norm")
    return groups


def batch_norm_areas(tables: Tables, _condition: Condition) -> Groups:
    """Group areas of networks with and without batch norm."""
    return with_and_without(tables, zero_areas(tables, "auc"))


def memorised(runs: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Select networks that learned their training set, so 1 - test accuracy is the generalisation error.

    (D23.) Raises Untestable if fewer than `fewest` did.
    """
    known = runs[runs["train_accuracy"] >= MEMORISED]
    if len(known) < fewest:
        share = f"training accuracy of {MEMORISED:g} or more"
        raise Untestable(f"{len(known)} of {len(runs)} networks have a {share}, it takes {fewest}")
    return known


def best_and_worst(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Select the five networks that generalise best, best first, and the five worst (Figure 3a)."""
    ranked = runs.sort_values(["test_accuracy", "run"], ascending=[False, True])
    count = max(1, min(EXTREMES, len(ranked) // 3))
    return ranked.head(count), ranked.tail(count)


def extremes(tables: Tables, _condition: Condition) -> Groups:
    """Group areas of the `best_and_worst` networks among those that learned their training set."""
    runs = require(tables, "runs", "run", "test_accuracy", "train_accuracy")
    best, worst = best_and_worst(memorised(runs, fewest=2))
    chosen = pd.concat([worst.assign(side="worst"), best.assign(side="best")])
    return by_setting(chosen, zero_areas(tables, "auc"), "side")


def pairs(quality: str, area: str = "auc", setting: str | None = None, known: bool = False) -> Sample:
    """Sample (area, the network's `quality`) per ordering: a column of table runs, or "generalization_error".

    known: only networks that learned their training set.
    """

    def sample(tables: Tables, _condition: Condition) -> Groups:
        needed = ["test_accuracy", "train_accuracy", *([setting] if setting else [])]
        runs = require(tables, "runs", "run", *needed)
        runs = runs.assign(generalization_error=1 - runs["test_accuracy"])  # D23
        if known:
            runs = memorised(runs, fewest=3)
        if len(runs) < 3:
            raise Untestable(f"{len(runs)} network(s) have no rank correlation")
        observed = zero_areas(tables, area)
        observed = observed.assign(quality=observed["run"].map(runs.set_index("run")[quality]))
        return by_setting(runs, observed, setting)

    return sample


# --- how networks combine into one number: {condition: (resamples, networks[, values])} -> (resamples,) ---


def smallest_lead_of_clean(measured: Measured) -> np.ndarray:
    """Subtract the mean of the best corrupted fraction from that of the clean networks."""
    others = [values.mean(1) for fraction, values in measured.items() if fraction > 0]
    return measured[0.0].mean(1) - np.max(others, axis=0)


def trend(measured: Measured) -> np.ndarray:
    """Compute Spearman, over networks, of the condition (a number) and the network's mean."""
    values = np.concatenate(list(measured.values()), axis=1)  # (resamples, networks)
    conditions = np.concatenate([np.full(v.shape[1], condition) for condition, v in measured.items()])
    return correlate([(np.broadcast_to(conditions, values.shape), values)])


def across(measured: Measured) -> np.ndarray:
    """Compute Spearman, over networks, of two values within each condition, weighted by its networks."""
    groups = [values for values in measured.values() if values.shape[1] > 2]
    if not groups:
        raise Untestable("fewer than 3 networks per condition have no rank correlation")
    return correlate([(values[..., 0], values[..., 1]) for values in groups])


def within(measured: Measured) -> np.ndarray:
    """Do the same, but require several conditions, without which it is meaningless."""
    _several(measured)
    return across(measured)


def explained(measured: Measured) -> np.ndarray:
    """Compute the share of variance of networks' first value between conditions (eta squared)."""
    _several(measured)
    groups = [values[..., 0] for values in measured.values()]
    everything = np.concatenate(groups, axis=1)
    middle = everything.mean(1)
    total = ((everything - middle[:, None]) ** 2).sum(1)
    between = sum(group.shape[1] * (group.mean(1) - middle) ** 2 for group in groups)
    return between / np.where(total > 0, total, np.nan)


def _several(measured: Measured) -> None:
    if len(measured) < 2:
        raise Untestable("every network has the same learning rate, so nothing can be told within each")
