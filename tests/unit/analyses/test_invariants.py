"""A network with nothing touched has the scores that are recorded of it, in every table."""

from pathlib import Path

import pandas as pd
import pytest

from directions.analyses import invariants
from directions.core.errors import InputError
from directions.core.tables import csv

RESULTS = Path(__file__).parents[3] / "docs/results"
RUNS = pd.DataFrame({
    "run": ["a", "b"], "train_images": 1000, "train_loss": [0.5, 1.0], "train_accuracy": [0.9, 0.7],
    "test_images": 500, "test_loss": [0.6, 2.0], "test_accuracy": [0.8, 0.4],
})  # fmt: skip


def ablation(**over) -> pd.DataFrame:
    rows = {"run": ["a", "a", "b"], "split": "train", "ablated": [0, 5, 0]}
    return pd.DataFrame(rows | {"loss": [0.5, 2, 1.0], "accuracy": [0.9, 0.1, 0.7]} | over)


def noise(**over) -> pd.DataFrame:
    rows = {"run": ["a", "a"], "split": "test", "noise_sd_ratio": [0.0, 1.0], "loss": [0.6, 9]}
    return pd.DataFrame(rows | {"accuracy": [0.8, 0.1]} | over)


def test_tables_that_agree_pass_and_rounding_is_allowed():
    invariants.check({"runs": RUNS, "ablation": ablation(), "noise": noise()})
    invariants.check({"runs": RUNS, "ablation": ablation(accuracy=[0.902, 0.1, 0.7], loss=[0.5004, 2, 1.0])})
    invariants.check({"ablation": ablation(accuracy=[0.1, 0.1, 0.1])})  # nothing to compare with


@pytest.mark.parametrize("column", ["norm_images", "scored_images"])
def test_curves_of_other_images_or_statistics_of_batch_norm_need_not_start_at_the_recorded_scores(column):
    some = {column: [64, 64, None]}
    invariants.check({"runs": RUNS, "ablation": ablation(accuracy=[0.5, 0.1, 0.7], **some)})
    with pytest.raises(InputError, match=r"b has train accuracy 0.2000 at ablated 0"):
        invariants.check({"runs": RUNS, "ablation": ablation(accuracy=[0.9, 0.1, 0.2], **some)})


@pytest.mark.parametrize(("tables", "said"), [
    ({"ablation": ablation(accuracy=[0.9, 0.1, 0.68])}, "b has train accuracy 0.6800 at ablated 0, but 0.7"),
    ({"ablation": ablation(loss=[0.6, 2, 1.0])}, "a has train loss 0.6000 at ablated 0, but 0.5000"),
    ({"noise": noise(accuracy=[0.7, 0.1])}, "a has test accuracy 0.7000 at noise_sd_ratio 0, but 0.8000"),
    ({"noise": noise(split="train")}, "a has train accuracy 0.8000 at noise_sd_ratio 0, but 0.9000"),
])  # fmt: skip
def test_a_table_of_another_network_is_refused_with_both_numbers(tables, said):
    with pytest.raises(InputError, match=said):
        invariants.check({"runs": RUNS} | tables)


@pytest.mark.parametrize(
    "runs", sorted(RESULTS.glob("*/tables/*/runs.csv")), ids=lambda path: path.parent.name
)
def test_the_published_tables_hold_to_it(runs):
    names = [name for name in ("runs", *invariants.UNTOUCHED) if runs.with_name(f"{name}.csv").exists()]
    invariants.check({name: csv(runs.with_name(f"{name}.csv")) for name in names})
