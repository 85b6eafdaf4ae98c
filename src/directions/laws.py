"""What must hold between the tables of a network, whatever the network: nothing touched changes nothing."""

import pandas as pd

from directions.errors import InputError
from directions.tidy import Tables

UNTOUCHED = {
    "ablation": "ablated",
    "noise": "noise_sd_ratio",
}  # table -> its column that is 0 with nothing done
ROUNDING = {"accuracy": 0.01, "loss": 0.02}  # share of images; share of the loss. bfloat16 is within them
FLIPPED = 2.5  # images of few may change sides by rounding
SMALL = 1e-3  # nats


def check(tables: Tables) -> None:
    """Raise InputError where a table is of another network, or other images, than the table `runs` says.

    tables: {name: table}, of which `runs`, `single` and those of `UNTOUCHED` are looked at. With no unit
    ablated, and with no noise, loss and accuracy are those in `runs` on the same images, up to rounding.
    """
    if "runs" not in tables:
        return
    runs = tables["runs"].set_index("run")
    for name, column in UNTOUCHED.items():
        if name in tables:
            table = tables[name]
            _compare(name, f"at {column} 0", table[table[column] == 0], runs)
    if "single" in tables:
        before = {"loss_before": "loss", "accuracy_before": "accuracy"}
        _compare("single", "before any unit is ablated", tables["single"].rename(columns=before), runs)


def _compare(name: str, where: str, untouched: pd.DataFrame, runs: pd.DataFrame) -> None:
    for (run, split), rows in untouched.groupby(["run", "split"], sort=False):
        if run not in runs.index or f"{split}_accuracy" not in runs:
            continue  # another check's business: a table that lacks rows or columns
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
                    f"table {name}: {run} has {split} {score} {found:.4f} {where}, but {wanted:.4f} in"
                    " table runs: the two are of other weights, labels or images. Remove both tables and make"
                    " them again; if they differ still, its analysis is wrong for this network"
                )
