"""Consistency checks between a network's tables: without an intervention, all scores must agree."""

import pandas as pd

from directions.core.errors import InputError
from directions.core.tables import Tables

UNTOUCHED = {
    "ablation": "ablated",
    "noise": "noise_sd_ratio",
}  # table -> its column that is 0 without an intervention
ROUNDING = {"accuracy": 0.01, "loss": 0.02}  # absolute; relative. bfloat16 is within them
FLIPPED = 2.5  # images whose prediction may change by rounding
SMALL = 1e-3  # nats


def check(tables: Tables) -> None:
    """Raise InputError if a table belongs to another network, or to other images, than the table `runs`.

    tables: {name: table}; `runs`, `single` and those in `UNTOUCHED` are checked. With no unit ablated, and
    without noise, loss and accuracy must equal those in `runs` on the same images, up to rounding. Curves of
    some of the images only, or by other statistics of batch norm, are not compared.
    """
    if "runs" not in tables:
        return
    runs = tables["runs"].set_index("run")
    for name, column in UNTOUCHED.items():
        if name in tables:
            table = tables[name]
            for other in ("norm_images", "scored_images"):  # not scored as in `runs`
                if other in table:
                    table = table[table[other].isna()]
            _compare(name, f"at {column} 0", table[table[column] == 0], runs)
    if "single" in tables:
        before = {"loss_before": "loss", "accuracy_before": "accuracy"}
        _compare("single", "before any unit is ablated", tables["single"].rename(columns=before), runs)


def _compare(name: str, where: str, untouched: pd.DataFrame, runs: pd.DataFrame) -> None:
    for (run, split), rows in untouched.groupby(["run", "split"], sort=False):
        if run not in runs.index or f"{split}_accuracy" not in runs:
            continue  # missing rows or columns are reported by another check
        recorded = runs.loc[run]
        flipped = FLIPPED / max(1, recorded.get(f"{split}_images", 1))
        for score, share in ROUNDING.items():
            if score not in rows:
                continue
            wanted = recorded[f"{split}_{score}"]
            allowed = max(share, flipped) if score == "accuracy" else max(SMALL, share * abs(wanted))
            found = rows[score].loc[(rows[score] - wanted).abs().idxmax()]
            if abs(found - wanted) > allowed:
                raise InputError(
                    f"table {name}: {run} has {split} {score} {found:.4f} {where}, but {wanted:.4f} in table"
                    " runs: the two come from different weights, labels or images. Remove both tables and"
                    " run again; if they still differ, its analysis is wrong for this network"
                )
