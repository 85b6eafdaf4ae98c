"""scripts/train.py as the workflow runs it: killed for real, on one thread, with bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import pythons
import torch
from safetensors.torch import load_file

from directions.data import labels
from directions.training.preemption import AGAIN

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(toy, settings, tmp_path):
    """Data set and ledger on disk."""
    toy.save(tmp_path / "toy.safetensors")
    labels.save(tmp_path / "ledger.parquet", labels.ledger(toy.train_labels, "toy", "all", 0.5, 0))
    return tmp_path


def command(files: Path, settings: dict, name: str, threads: int = 1) -> list[str]:
    out = files / name
    return [
        sys.executable, str(ROOT / "scripts/train.py"), "--data", f"{files}/toy.safetensors",
        "--ledger", f"{files}/ledger.parquet", "--asked", json.dumps({"settings": settings}),
        "--resume", f"{out}/resume", "--model", f"{out}/model.safetensors",
        "--checkpoints", f"{out}/checkpoints.safetensors", "--history", f"{out}/history.csv",
        "--record", f"{out}/record.json", "--device", "cpu", "--threads", str(threads),
    ]  # fmt: skip


def run(*args, **options) -> subprocess.CompletedProcess:
    return pythons.run(command(*args, **options))


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.is_file())


def test_kill_9_and_run_again_ends_with_the_same_bytes(files, settings):
    """Epochs of milliseconds, a snapshot after each, and three kills at moments nobody chose."""
    settings |= {"epochs": 600, "keep_epochs": [0, 300, 600], "evaluate_every": 200, "dropout": 0.2}
    done = run(files, settings, "unbroken")
    assert done.returncode == 0, done.stderr
    assert "resuming" not in done.stdout
    resumed = 0
    for _ in range(3):
        process = subprocess.Popen(
            [*command(files, settings, "broken"), "--snapshot-seconds", "0"], stdout=subprocess.PIPE
        )
        snapshot = files / "broken/resume/snapshot.pt"
        before = snapshot.stat().st_mtime_ns if snapshot.exists() else 0
        while process.poll() is None and not (snapshot.exists() and snapshot.stat().st_mtime_ns > before):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        resumed += b"resuming after step" in process.communicate()[0]
        assert outputs(files / "broken") == []
    assert resumed == 2
    done = run(files, settings, "broken")
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stdout
    for name in outputs(files / "unbroken"):
        assert (files / "broken" / name).read_bytes() == (files / "unbroken" / name).read_bytes(), name
    assert not (files / "broken/resume").exists()
    kept = load_file(files / "broken/checkpoints.safetensors")
    assert {name.split("/")[0] for name in kept} == {"epoch-000000", "epoch-000300", "epoch-000600"}


def test_kill_9_between_two_checkpoints_of_one_epoch_changes_no_byte(files, settings):
    """Thirty checkpoints in each of two epochs of 64 steps, a snapshot after every step."""
    settings |= {"batch": 1, "hidden": [64, 64], "epochs": 2, "keep_every": 2, "dropout": 0.2}
    done = run(files, settings, "unbroken")
    assert done.returncode == 0, done.stderr
    resume = files / "broken/resume"
    for epoch in range(2):
        process = subprocess.Popen(
            [*command(files, settings, "broken"), "--snapshot-seconds", "0"], stdout=subprocess.DEVNULL
        )
        while not list(resume.glob(f"epoch-{epoch:06d}_2*-of-64.safetensors")):
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        step = torch.load(resume / "snapshot.pt", weights_only=True)["state"]["step"]
        assert 64 * epoch + 2 < step < 64 * epoch + 62
        assert outputs(files / "broken") == []
    done = run(files, settings, "broken")
    assert f"resuming after step {step} of 128" in done.stdout
    for name in outputs(files / "unbroken"):
        assert (files / "broken" / name).read_bytes() == (files / "unbroken" / name).read_bytes(), name
    kept = {name.split("/")[0] for name in load_file(files / "broken/checkpoints.safetensors")}
    assert len(kept) == 64
    assert {"epoch-000000_02-of-64", "epoch-000001", "epoch-000001_62-of-64", "epoch-000002"} < kept


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_asked_to_end_it_leaves_a_snapshot_and_says_again(files, settings, number):
    settings |= {"epochs": 200, "keep_epochs": [0, 100, 200], "evaluate_every": 10, "dropout": 0.2}
    assert run(files, settings, "unbroken").returncode == 0
    process = subprocess.Popen(command(files, settings, "asked"), stdout=subprocess.PIPE, text=True)
    while "epoch 10/200" not in process.stdout.readline():
        assert process.poll() is None
    while process.poll() is None:  # Slurm sends it more than once
        process.send_signal(number)
        time.sleep(0.01)
    said = process.communicate()[0]
    assert process.returncode == AGAIN
    assert outputs(files / "asked") == []
    step = int(said.split("told to stop after step ")[1].split()[0])
    done = run(files, settings, "asked")
    assert done.returncode == 0, done.stderr
    assert f"resuming after step {step} of 800" in done.stdout
    for name in outputs(files / "unbroken"):
        assert (files / "asked" / name).read_bytes() == (files / "unbroken" / name).read_bytes(), name


def test_record_and_log_say_what_happened(files, settings):
    done = run(files, settings, "out")
    record = json.loads((files / "out/record.json").read_text())
    assert record["hidden"] == "8x6"
    assert record["units"] == 14
    assert record["train_images"] == 64
    assert 0 < record["changed_share"] <= 0.5
    assert "epoch 6/6  loss" in done.stdout
    assert "s/epoch" in done.stdout
    assert "s left" in done.stdout


def test_no_more_threads_compute_than_the_rule_has(files, settings):
    """Unpinned thread pools made two jobs on two cores eight times slower than pinned ones."""
    settings |= {"hidden": [1024, 1024], "epochs": 10_000, "batch": 64, "evaluate_every": 10_000}
    unpinned = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    process = subprocess.Popen(command(files, settings, "out"), stdout=subprocess.DEVNULL, env=unpinned)
    try:
        watched = psutil.Process(process.pid)
        while sum(watched.cpu_times()[:2]) < 6:
            assert process.poll() is None
            time.sleep(0.1)
        spent = sorted((sum(thread[1:]) for thread in watched.threads()), reverse=True)
    finally:
        process.kill()
    assert spent[0] > 3
    assert sum(spent[1:]) < 0.1 * spent[0]


@pytest.mark.parametrize(("breaks", "message"), [
    (lambda files: (files / "toy.safetensors").write_bytes(b"garbage"), "toy.safetensors"),
    (lambda files: (files / "ledger.parquet").write_bytes(b"garbage"), "is not a label ledger"),
    (lambda files: (files / "toy.safetensors").unlink(), "toy.safetensors"),
])  # fmt: skip
def test_bad_files_are_named_and_nothing_is_written(files, settings, breaks, message):
    breaks(files)
    done = run(files, settings, "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert outputs(files / "out") == []


def test_a_network_that_did_not_memorise_is_an_error_and_no_result(files, settings):
    done = run(files, settings | {"epochs": 1, "require_train_accuracy": 1.0}, "out")
    assert done.returncode == 2
    assert "raise `epochs`" in done.stderr
    assert outputs(files / "out") == []
