"""scripts/train.py in several processes: the same network, whatever their number and whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import digits
import numpy as np
import pandas as pd
import psutil
import pytest
import pythons
import torch
from safetensors.torch import load_file

from directions import data
from directions.data import labels
from directions.data.registry import KNOWN
from directions.data.specs import Request

ROOT = Path(__file__).parents[2]
PER_EPOCH = 10  # steps: 167 images in batches of 16, without the last 7
# Of each process, by where images lie; one more: a worker that decodes. Equal, or sums round otherwise.
THREADS = {"memory": 1, "files": 2}
FAILING = """
import os, torch
from directions.core import cli
from directions.core.errors import InputError
from directions.training import distributed

def main(argv):
    with distributed.joined() as group:
        if group.rank == 1:
            raise InputError("this image is broken")
        group.average([torch.ones(1)])  # waits for the other

cli.start(main)
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """{where images lie: folder with a data set and a ledger}; 167 images of 32 x 32 each."""
    made = {place: tmp_path_factory.mktemp("processes") / place for place in THREADS}
    made["memory"].mkdir()
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 200, (4, 1, 32, 32))

    def split(count):
        of = np.arange(count) % 4
        return (prototypes[of] + rng.integers(0, 56, (count, 1, 32, 32))).astype(np.uint8), of

    in_memory = data.Dataset("toy", ("a", "b", "c", "d"), *split(167), *split(41))
    tree = digits.tree(made["files"] / "tree", 167, 41)
    in_files = KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, digits.SIZE, stream=True))
    for place, dataset in (("memory", in_memory), ("files", in_files)):
        dataset.save(made[place] / "data.safetensors")
        ledger = labels.ledger(dataset.train_labels, dataset.name, "all", 0.5, 0)
        labels.save(made[place] / "ledger.parquet", ledger)
    return made


@pytest.fixture
def settings(settings) -> dict:
    return settings | {
        "model": "conv11", "width": 0.0625, "pad": 0, "batch_norm": True, "hidden": None, "norm_batch": 4,
        "learning_rate": 0.0001, "epochs": None, "steps": 18, "keep_epochs": [0, 1], "keep_every": 4,
        "schedule": "cosine",
    }  # fmt: skip


def launcher(count: int) -> list[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    return [*torchrun, str(count)] if count > 1 else [sys.executable]


def command(folder: Path, settings: dict, name: str, count: int, *more: str) -> list[str]:
    out = folder / name
    return [
        *launcher(count), str(ROOT / "scripts/train.py"), "--data", f"{folder}/data.safetensors",
        "--ledger", f"{folder}/ledger.parquet", "--asked", json.dumps({"settings": settings}),
        "--resume", f"{out}/resume", "--model", f"{out}/model.safetensors",
        "--checkpoints", f"{out}/checkpoints.safetensors", "--history", f"{out}/history.csv",
        "--record", f"{out}/record.json", "--device", "cpu",
        "--threads", str(THREADS[folder.name] * count), *more,
    ]  # fmt: skip


def run(*args) -> subprocess.CompletedProcess:
    return pythons.run(command(*args), env=pythons.quick_python(os.environ))  # torchrun starts others


def trained(*args) -> Path:
    """The folder of a training that must have gone well."""
    folder, _, name, count = args
    done = run(*args)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("train accuracy") == len(pd.read_csv(folder / name / "history.csv"))
    assert (f"{count} processes" in done.stdout) == (count > 1)
    return folder / name


def same_but_for_rounding(one: Path, other: Path) -> None:
    """Weights are 0.01 to 1, and move by 0.001."""
    for name in ("model.safetensors", "checkpoints.safetensors"):
        expected, found = load_file(one / name), load_file(other / name)
        assert found.keys() == expected.keys()
        for key, tensor in expected.items():
            torch.testing.assert_close(
                found[key], tensor, rtol=1e-5, atol=1e-6, msg=lambda m, key=key: key + m
            )
    histories = [pd.read_csv(path / "history.csv") for path in (one, other)]
    pd.testing.assert_frame_equal(*histories, rtol=1e-5)


def kill(process: subprocess.Popen) -> int:
    """torchrun alone, as a batch system may; all it started must end too. Returns how many there were."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    return 1 + len(family)


def test_the_network_does_not_depend_on_the_number_of_processes_nor_on_kills(folders, settings):
    folder, settings = folders["files"], settings | {"augment": True}
    one, two = trained(folder, settings, "one", 1), trained(folder, settings, "two", 2)
    same_but_for_rounding(one, two)

    killed = folder / "killed"
    process = subprocess.Popen(
        command(folder, settings, "killed", 2, "--snapshot-seconds", "0"), stdout=subprocess.DEVNULL
    )
    snapshot = killed / "resume/snapshot.pt"
    while not snapshot.exists() or torch.load(snapshot, weights_only=True)["state"]["step"] < 2:
        assert process.poll() is None
        time.sleep(0.01)
    assert kill(process) >= 5  # torchrun, two that train, a worker of each
    assert torch.load(snapshot, weights_only=True)["state"]["step"] < PER_EPOCH
    alone = folder / "alone"
    (alone / "resume").mkdir(parents=True)
    for path in (killed / "resume").iterdir():
        (alone / "resume" / path.name).write_bytes(path.read_bytes())

    trained(folder, settings, "killed", 2)
    for name in ("model.safetensors", "checkpoints.safetensors", "history.csv", "record.json"):
        assert (killed / name).read_bytes() == (two / name).read_bytes(), name
    trained(folder, settings, "alone", 1)
    same_but_for_rounding(two, alone)


def test_processes_that_are_all_asked_to_end_leave_one_snapshot(folders, settings):
    """Slurm sends its signal to every process of a job, torchrun among them, which sends it on."""
    folder, settings = folders["memory"], settings | {"steps": 80, "keep_epochs": [], "keep_every": None}
    unbroken = trained(folder, settings, "all", 2)
    asked = folder / "asked"
    process = subprocess.Popen(
        command(folder, settings, "asked", 2), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    while " epoch 1/8" not in process.stdout.readline():
        assert process.poll() is None
    for member in [process, *psutil.Process(process.pid).children(recursive=True)]:
        member.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert said.count("told to stop after step") == 1
    assert (asked / "resume/snapshot.pt").exists()
    done = run(folder, settings, "asked", 2)
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stdout
    assert (asked / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()


def test_a_step_of_a_resnet_is_the_same_in_two_processes(folders, settings):
    """One step: many ReLUs are near 0 in so narrow a network, and rounding grows tenfold with every step."""
    settings |= {
        "model": "resnet50",
        "width": 0.05,
        "batch_norm": None,
        "steps": 1,
        "keep_epochs": [0],
        "keep_every": None,
    }
    kinds = {"one": (1, "float32"), "two": (2, "float32"), "bf16": (2, "bf16")}
    found = {
        name: trained(folders["memory"], settings | {"precision": precision}, f"resnet-{name}", count)
        for name, (count, precision) in kinds.items()
    }
    before = load_file(found["one"] / "checkpoints.safetensors")
    after = {name: load_file(path / "model.safetensors") for name, path in found.items()}
    names = [name for name, tensor in after["one"].items() if tensor.is_floating_point()]

    def distance(one, other, prefix=""):
        return sum((one[name] - other[prefix + name]).square().sum() for name in names).sqrt()

    moved = distance(after["one"], before, "epoch-000000/")
    assert moved > 0.01
    assert distance(after["one"], after["two"]) < 0.001 * moved
    assert 0.001 * moved < distance(after["one"], after["bf16"]) < 0.5 * moved


def test_what_processes_cannot_share_is_refused_once(folders, settings):
    folder = folders["memory"]
    done = run(folder, settings | {"norm_batch": 16}, "refused", 2)
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert (
        "error: batch 16 in groups of norm_batch 16 cannot be shared by 2 processes: start 1\n" in done.stderr
    )
    assert not list((folder / "refused").iterdir())


def test_an_error_in_one_process_ends_all_with_its_message(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    waiting = 600  # seconds; the other process would wait for ever
    done = subprocess.run([*launcher(2), str(script)], capture_output=True, text=True, timeout=waiting)
    assert done.returncode != 0
    said = done.stderr.split("torch.distributed.elastic.multiprocessing.errors.ChildFailedError")[0]
    assert said.count("error: this image is broken") == 1
    assert "Connection" not in said
    assert "failing.py" not in said
