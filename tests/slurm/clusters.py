"""The Slurm that cluster.sh starts, and checkouts that run on it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from checkouts import Checkout, checkout

MODEL = "results/tiny/models/mnist_selectivity/seed-0/model.safetensors"
SNAPSHOT = "results/tiny/resume/mnist_selectivity/seed-0/snapshot.pt"
LOG = "logs/tiny/models/mnist_selectivity/seed-0.log"
LONG = {  # one network of 10 seconds on an idle machine
    "defaults": {
        "training": {"images": 200, "test_images": 100, "batch": 20, "epochs": 1000, "evaluate_every": 20}
    },
    "experiments": {"mnist_selectivity": {"training": {"hidden": [12, 8]}, "vary": {"seed": [0]}}},
    "draw": {"fig7a": "mnist_selectivity"},
}  # fmt: skip


def wait_until(happened: Callable[[], object], seconds: float, what: str) -> float:
    """Seconds that passed until it happened."""
    started = time.monotonic()
    while not happened():
        assert time.monotonic() - started < seconds, f"not after {seconds} s: {what}"
        time.sleep(0.2)
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

    def ids(self, checkout: Checkout) -> list[str]:
        """Slurm's numbers of the same."""
        lines = self.command("squeue", "--noheader", "--format=%A %Z").splitlines()
        return [line.split()[0] for line in lines if line.split()[1] == str(checkout.folder)]

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


class Study(Checkout):
    """A checkout that runs on the cluster with its own profile, looked at more often."""

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [
            sys.executable, "-m", "snakemake", "--profile", "slurm", "--jobs", "4",
            "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10", *arguments,
        ]  # fmt: skip
        with (self.folder / "said").open("a") as said:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )

    def run(self, *arguments: str, seconds: float = 240) -> int:
        """Its exit code."""
        return self.start(*arguments).wait(timeout=seconds)

    def resources(self, old: str, new: str) -> None:
        """Change what the profile asks for."""
        self.edit("profiles/slurm/config.yaml", old, new)

    @property
    def said(self) -> str:
        """All that Snakemake said here."""
        return (self.folder / "said").read_text()

    @property
    def log(self) -> str:
        """The log of the network in training; it begins anew with each attempt."""
        path = self.folder / LOG
        return path.read_text() if path.exists() else ""

    def wait_for_training(self, seconds: float = 90) -> None:
        """Until the network is some epochs old, in this attempt."""
        wait_until(lambda: " epoch " in self.log, seconds, "training:\n" + self.said[-3000:])

    @property
    def model(self) -> bytes:
        return (self.folder / MODEL).read_bytes()


def prepared(folder: Path) -> Study:
    """A checkout with real MNIST prepared, and the study above."""
    made = Study(checkout(folder).folder)
    made.take_mnist()
    made.write_study(LONG)
    return made
