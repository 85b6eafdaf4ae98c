"""The Slurm that cluster.sh starts, and checkouts that run on it."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from checkouts import Checkout

PATIENCE = 3  # times what a machine of two idle cores of 2025 takes
LONG = {  # six networks of 6 seconds each on an idle machine; and one for several processes
    "defaults": {
        "training": {"images": 200, "test_images": 100, "batch": 20, "epochs": 600, "evaluate_every": 20}
    },
    "experiments": {
        "mnist_selectivity": {"training": {"hidden": [12, 8]}, "vary": {"seed": [0, 1, 2, 3, 4, 5]}},
        "conv_corruption": {
            "training": {
                "dataset": "mnist", "pad": 2, "width": 0.05, "norm_batch": 10, "batch": 20,
                "images": 60, "epochs": 1, "evaluate_every": 1,
            },
            "vary": {"corrupt": [0.0], "seed": [0]},
        },
    },
    "draw": {"fig7a": "mnist_selectivity", "fig1b": "conv_corruption"},
}  # fmt: skip


def model(seed: int) -> str:
    """The weights that the training of a network writes."""
    return f"results/tiny/models/mnist_selectivity/seed-{seed}/model.safetensors"


def snapshot(seed: int) -> str:
    """What it leaves when it is asked to end."""
    return f"results/tiny/resume/mnist_selectivity/seed-{seed}/snapshot.pt"


def wait_until(happened: Callable[[], object], seconds: float, what: str) -> float:
    """Seconds that passed until it happened; on a slow machine it may take `PATIENCE` times as long."""
    started = time.monotonic()
    while not happened():
        assert time.monotonic() - started < seconds * PATIENCE, f"not after {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - started


class Cluster:
    """The Slurm in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, *words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def queue(self, checkout: Checkout) -> list[str]:
        """States of the jobs that this checkout has in the queue, waiting or running."""
        lines = self.command("squeue", "--noheader", "--format=%T %Z").splitlines()
        return [line.split()[0] for line in lines if line.split()[1] == str(checkout.folder)]

    def state(self, number: str) -> str:
        """Of one job."""
        return self.command("squeue", "--noheader", "--format=%T", f"--jobs={number}").strip()

    def leave(self, number: str, minutes: int) -> None:
        """Let a running job have at most so many minutes more; Slurm's limits are whole minutes."""
        ran = self.command("squeue", "--noheader", "--format=%M", f"--jobs={number}").strip()
        *hours, passed, _ = ran.split(":")
        assert not hours, f"it ran for {ran}"
        limit = int(passed) + minutes
        self.command("scontrol", "update", f"JobId={number}", f"TimeLimit={limit}")

    def ended(self, checkout: Checkout) -> list[dict[str, str]]:
        """What Slurm wrote down of each job of this checkout that ended."""
        lines = (self.folder / "log/jobs.txt").read_text().splitlines()
        jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
        return [job for job in jobs if job["WorkDir"] == str(checkout.folder)]

    def gpus(self) -> dict[str, set[str]]:
        """{job number: what CUDA_VISIBLE_DEVICES was in its tasks}."""
        found: dict[str, set[str]] = {}
        for line in (self.folder / "log/tasks.txt").read_text().splitlines():
            found.setdefault(line.split()[0], set()).add(line.partition("gpus=")[2])
        return found


def hears_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to SIGINT, and all that this starts: undo that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Study(Checkout):
    """A checkout that runs on the cluster with its own profile, looked at more often."""

    started: ClassVar[list[subprocess.Popen]] = []  # by all studies; those of a failed test must be ended

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [
            sys.executable, "-m", "snakemake", "--profile", "slurm", "--jobs", "8",
            "--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10", *arguments,
        ]  # fmt: skip
        with (self.folder / "said").open("a") as said:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                preexec_fn=hears_ctrl_c,
            )  # fmt: skip
        self.started.append(process)
        return process

    def run(self, *arguments: str, seconds: float = 240) -> int:
        """Its exit code."""
        return self.start(*arguments).wait(timeout=seconds * PATIENCE)

    def resources(self, old: str, new: str) -> None:
        """Change what the profile asks for."""
        self.edit("profiles/slurm/config.yaml", old, new)

    @property
    def said(self) -> str:
        """All that Snakemake said here."""
        return (self.folder / "said").read_text()

    def log(self, seed: int = 0) -> str:
        """The log of a network in training; it begins anew with each attempt."""
        path = self.folder / f"logs/tiny/models/mnist_selectivity/seed-{seed}.log"
        return path.read_text() if path.exists() else ""

    def wait_for_training(self, seconds: float = 90) -> None:
        """Until the first network is some epochs old, in this attempt."""
        wait_until(lambda: " epoch " in self.log(), seconds, "training:\n" + self.said[-3000:])

    def slurm_logs(self, seed: int) -> list[Path]:
        """What Slurm logged of each job submitted for a network, in turn; named by the job's number."""
        found = re.findall(rf"/slurm_logs/rule_train/\S*seed-{seed}/\d+\.log", self.said)
        return [Path(f"{self.folder}/.snakemake{path}") for path in dict.fromkeys(found)]

    def weights(self, seed: int = 0) -> bytes:
        return (self.folder / model(seed)).read_bytes()


def copied(made: Checkout, folder: Path) -> Study:
    return Study(shutil.copytree(made.folder, folder, symlinks=True))
