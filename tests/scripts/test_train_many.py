"""scripts/train_many.py and then train.py, as the workflow runs them: killed for real, and with bad input."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import pythons
from safetensors.torch import load_file

from directions.data import labels
from directions.training.preemption import AGAIN

ROOT = Path(__file__).parents[2]
PRODUCTS = ("model.safetensors", "checkpoints.safetensors", "history.csv", "record.json")


@pytest.fixture
def files(toy, tmp_path):
    """Data set and ledgers on disk."""
    toy.save(tmp_path / "toy.safetensors")
    for seed in range(3):
        labels.save(tmp_path / f"{seed}.parquet", labels.ledger(toy.train_labels, "toy", "all", 0.5, seed))
    return tmp_path


@pytest.fixture
def settings(settings):
    return settings | {"dropout": 0.2, "keep_epochs": [0, 3], "evaluate_every": 3}


def runs(files: Path, settings: dict, folder: str, **changed) -> dict[str, dict]:
    """Three runs that differ in seed, labels and learning rate."""
    found = {}
    for seed in range(3):
        own = settings | {"seed": seed, "learning_rate": 0.02 * (seed + 1)} | changed
        out = f"{files}/{folder}/run-{seed}"
        found[f"run-{seed}"] = {
            "settings": own, "data": f"{files}/toy.safetensors", "ledger": f"{files}/{seed}.parquet",
            "resume": f"{out}/resume", "model": f"{out}/model.safetensors",
        }  # fmt: skip
    return found


def command(runs: dict, done: Path, *more: str) -> list[str]:
    return [
        sys.executable, str(ROOT / "scripts/train_many.py"), "--runs", json.dumps(runs), "--done", str(done),
        "--device", "cpu", "--threads", "1", *more,
    ]  # fmt: skip


def together(files: Path, runs: dict) -> subprocess.CompletedProcess:
    return pythons.run(command(runs, files / "done.json"))


def alone(run: dict) -> subprocess.CompletedProcess:
    """The run's own training, from its snapshot if it has one."""
    out = Path(run["model"]).parent
    return pythons.run([
        sys.executable, str(ROOT / "scripts/train.py"), "--data", run["data"], "--ledger", run["ledger"],
        "--asked", json.dumps({"settings": run["settings"]}), "--resume", run["resume"],
        "--model", run["model"], "--checkpoints", f"{out}/checkpoints.safetensors",
        "--history", f"{out}/history.csv", "--record", f"{out}/record.json", "--device", "cpu",
        "--threads", "1",
    ])  # fmt: skip


def products(run: dict) -> dict[str, bytes]:
    out = Path(run["model"]).parent
    return {path.name: path.read_bytes() for path in out.glob("*") if path.is_file()}


def test_what_comes_out_is_what_training_each_alone_makes(files, settings):
    passed, single = runs(files, settings, "passed"), runs(files, settings, "single")
    done = together(files, passed)
    assert done.returncode == 0, done.stderr
    assert json.loads((files / "done.json").read_text()) == dict.fromkeys(passed, "")
    assert all(products(run) == {} for run in passed.values())
    for name in passed:
        for run, begun in ((passed[name], "resuming after step 23 of 24"), (single[name], "epoch 3/6")):
            ended = alone(run)
            assert ended.returncode == 0, ended.stderr
            assert begun in ended.stdout
            assert sorted(products(run)) == sorted(PRODUCTS)
            assert not Path(run["resume"]).exists()
        mine, own = (Path(run[name]["model"]).parent for run in (passed, single))
        for file in PRODUCTS[:2]:
            found, wanted = load_file(mine / file), load_file(own / file)
            assert found.keys() == wanted.keys()
            assert all(found[key].sub(wanted[key]).abs().max() < 1e-5 for key in found)
        pd.testing.assert_frame_equal(
            pd.read_csv(mine / "history.csv"), pd.read_csv(own / "history.csv"), atol=1e-5
        )
        found, wanted = (json.loads((folder / "record.json").read_text()) for folder in (mine, own))
        assert found == pytest.approx(wanted, abs=1e-5)


def test_kill_9_and_run_again_ends_with_the_same_bytes(files, settings):
    """Epochs of milliseconds, a snapshot after each step, and three kills at moments nobody chose."""
    settings |= {"epochs": 300, "keep_epochs": [0, 150], "evaluate_every": 100}
    unbroken, broken = runs(files, settings, "unbroken"), runs(files, settings, "broken")
    assert together(files, unbroken).returncode == 0
    resumed = 0
    snapshot = files / "broken/run-0/resume/pass.pt"
    for _ in range(3):
        process = subprocess.Popen(
            command(broken, files / "broken.json", "--snapshot-seconds", "0"), stdout=subprocess.PIPE
        )
        before = snapshot.stat().st_mtime_ns if snapshot.exists() else 0
        while process.poll() is None and not (snapshot.exists() and snapshot.stat().st_mtime_ns > before):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        resumed += b"resuming the pass after step" in process.communicate()[0]
        assert not (files / "broken.json").exists()
    assert resumed == 2
    done = together(files, broken)
    assert "resuming the pass after step" in done.stdout
    assert not snapshot.exists()
    for name in broken:
        assert alone(broken[name]).returncode == alone(unbroken[name]).returncode == 0
        assert products(broken[name]) == products(unbroken[name])


def test_asked_to_end_it_leaves_a_snapshot_and_says_again(files, settings):
    settings |= {"epochs": 400, "evaluate_every": 5}
    asked = runs(files, settings, "asked")
    process = subprocess.Popen(command(asked, files / "done.json"), stdout=subprocess.PIPE, text=True)
    while "epoch 5/400" not in process.stdout.readline():
        assert process.poll() is None
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    said = process.communicate()[0]
    assert process.returncode == AGAIN
    assert "told to stop after step" in said
    assert (files / "asked/run-0/resume/pass.pt").exists()
    assert not (files / "done.json").exists()


def test_a_network_that_diverged_is_left_to_say_so_itself(files, settings):
    chosen = runs(files, settings, "out")
    chosen["run-1"]["settings"]["learning_rate"] = 1e30
    done = together(files, chosen)
    assert done.returncode == 0, done.stderr
    became = json.loads((files / "done.json").read_text())
    assert (became["run-0"], became["run-2"]) == ("", "")
    assert "training diverged in epoch 1" in became["run-1"]
    assert "run-1 goes no further in this pass: training diverged" in done.stdout
    ended = {name: alone(run) for name, run in chosen.items()}
    assert {name: one.returncode for name, one in ended.items()} == {"run-0": 0, "run-1": 2, "run-2": 0}
    assert "training diverged" in ended["run-1"].stderr
    assert products(chosen["run-1"]) == {}


def test_trained_runs_are_left_out_unless_their_settings_changed(files, settings):
    chosen = runs(files, settings, "out")
    assert alone(chosen["run-0"]).returncode == 0
    assert together(files, chosen).returncode == 0
    became = json.loads((files / "done.json").read_text())
    assert became == {"run-0": "was trained before", "run-1": "", "run-2": ""}
    assert not Path(chosen["run-0"]["resume"]).exists()
    changed = runs(files, settings, "out", weight_decay=0.1)
    assert together(files, changed).returncode == 0
    assert json.loads((files / "done.json").read_text()) == dict.fromkeys(changed, "")


def test_two_passes_of_one_network_do_not_train_at_once(files, settings):
    chosen = runs(files, settings, "out", epochs=10_000)
    process = subprocess.Popen(command(chosen, files / "done.json"), stdout=subprocess.DEVNULL)
    try:
        holder = files / "out/run-2/resume/held-by.txt"
        while not (holder.exists() and holder.read_text()):
            assert process.poll() is None
            time.sleep(0.01)
        ended = alone(chosen["run-2"])
        assert ended.returncode == 2
        assert "is in use by process" in ended.stderr
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("changed", "message"), [
    (lambda runs: runs["run-1"]["settings"].update(batch=8), "batch differs among the runs of a pass"),
    (lambda runs: runs["run-1"].pop("ledger"), "--runs: run-1 lacks ledger; each run needs settings, data,"),
    (lambda runs: runs.update(other=3), "--runs needs JSON like"),
    (lambda runs: Path(runs["run-1"]["ledger"]).write_bytes(b"garbage"), "is not a label ledger"),
])  # fmt: skip
def test_bad_input_is_named_and_nothing_is_written(files, settings, changed, message):
    chosen = runs(files, settings, "out")
    changed(chosen)
    done = together(files, chosen)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert not (files / "done.json").exists()
    assert [path for path in (files / "out").rglob("*") if path.is_file()] == []
