"""Networks trained together: which jobs that plans, and that nothing else of a study changes."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from checkouts import Checkout, checkout, counted
from safetensors.torch import load_file

EXPERIMENT = "results/tiny/models/mnist_corruption"  # two networks that are alike; the others have one each
RUNS = ("corrupt-0.0_seed-0", "corrupt-1.0_seed-0")


def together(made: Checkout, *arguments: str, number: object = 16):
    """Run Snakemake with so many networks per job."""
    return made.snakemake("--set-resources", f"train_many:networks_per_job={number}", *arguments)


def jobs(made: Checkout, number: object = 16) -> dict[str, int]:
    done = together(made, "--dry-run", number=number)
    assert done.returncode == 0, done.stdout + done.stderr
    return counted(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def passed(once) -> Checkout:
    """A checkout in which both networks of one experiment were trained together. Nobody changes it."""

    def build(folder: Path) -> None:
        made = checkout(folder)
        made.take_mnist()
        done = together(made, "--", *(f"{EXPERIMENT}/{run}/model.safetensors" for run in RUNS))
        assert done.returncode == 0, done.stdout + done.stderr

    return Checkout(once("passed", build))


def test_the_job_set_changes_only_if_asked_for(fresh):
    alone = fresh.jobs()
    assert jobs(fresh, 1) == alone
    assert jobs(fresh) == alone | {"train_many": 1}
    assert "train_many" not in alone


def test_networks_of_a_pass_are_those_trained_alone(passed, built):
    for run in RUNS:
        mine, own = (made.folder / EXPERIMENT / run for made in (passed, built))
        assert sorted(path.name for path in mine.iterdir()) == sorted(path.name for path in own.iterdir())
        for file in ("model.safetensors", "checkpoints.safetensors"):
            found, wanted = load_file(mine / file), load_file(own / file)
            assert found.keys() == wanted.keys()
            assert all(found[key].sub(wanted[key]).abs().max() < 1e-5 for key in found)
        tables = (pd.read_csv(folder / "history.csv") for folder in (mine, own))
        pd.testing.assert_frame_equal(*tables, atol=1e-5)
        records = (json.loads((folder / "record.json").read_text()) for folder in (mine, own))
        assert next(records) == pytest.approx(next(records), abs=1e-5)
        log = (passed.folder / f"logs/tiny/models/mnist_corruption/{run}.log").read_text()
        assert "resuming after step 29 of 30" in log
    assert (
        "2 networks in one pass" in (passed.folder / "logs/tiny/passes/mnist_corruption/001.log").read_text()
    )


def test_nothing_but_the_products_is_left_of_a_pass(passed):
    assert not (passed.folder / "results/tiny/passes/mnist_corruption/001.json").exists()
    assert not list((passed.folder / "results/tiny").rglob("resume/**/*.pt"))


def test_trained_together_or_alone_a_network_is_up_to_date_either_way(passed, study):
    for made in (passed, study):
        for number in (1, 2, 16):
            done = together(
                made, "--dry-run", "--", f"{EXPERIMENT}/{RUNS[0]}/model.safetensors", number=number
            )
            assert "Nothing to be done" in done.stdout + done.stderr
    assert jobs(study) == {}


def test_a_network_that_is_there_is_not_trained_again_for_one_that_is_not(study):
    shutil.rmtree(study.folder / EXPERIMENT / RUNS[1])
    target = "results/tiny/tables/mnist_corruption/runs.csv"  # of both
    (study.folder / target).unlink()
    done = together(study, "--dry-run", "--", target)
    assert counted(done.stdout) == {"train_many": 1, "train": 1, "collect": 1}
    kept = (study.folder / EXPERIMENT / RUNS[0] / "model.safetensors").stat().st_mtime_ns
    assert together(study, "--", target).returncode == 0
    assert (study.folder / EXPERIMENT / RUNS[0] / "model.safetensors").stat().st_mtime_ns == kept
    assert (study.folder / EXPERIMENT / RUNS[1] / "model.safetensors").exists()
    log = (study.folder / "logs/tiny/passes/mnist_corruption/001.log").read_text()
    assert "networks left for this pass: 1" in log


def test_new_settings_train_all_of_a_pass_together_again(study):
    study.edit(
        "configs/tiny.yaml",
        "mnist_corruption:\n    training: {",
        "mnist_corruption:\n    training: {weight_decay: 0.1, ",
    )
    planned = jobs(study)
    assert (planned["train_many"], planned["train"]) == (1, 2)


@pytest.mark.parametrize("number", [0, 65, "several"])
def test_other_numbers_are_refused(fresh, number):
    done = together(fresh, "--dry-run", number=number)
    assert done.returncode != 0
    assert (
        f"networks_per_job of train_many is {number}: a whole number from 1 to 64"
        in done.stdout + done.stderr
    )
