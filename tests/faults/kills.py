"""Commands that are killed with SIGKILL at a random moment, as a power cut or a full memory ends them."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

KILLS = int(os.environ.get("KILLS", "1"))  # of each kind; `make test-faults` has 20
SEED = int(os.environ.get("SEED", "0"))
START = 2.0  # seconds in which Python and Snakemake only start
FIRST_GUESS = 20.0  # seconds that a command takes, until one has ended before its kill


class Killer:
    """Kills one kind of command, each time after another part of the time that it takes undisturbed."""

    def __init__(self, kind: str):
        self._random = random.Random(f"{kind} {SEED}")
        self._longest = FIRST_GUESS

    def run(self, command: Sequence[str], folder: Path, whole: bool = True) -> bool:
        """Start a command and kill it, with all that it started or alone; False where it ended before."""
        delay = self._random.uniform(START, self._longest)
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(folder / "src")},
        )  # fmt: skip
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay)
            self._longest = max(time.monotonic() - began, 2 * START)
            return False
        (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        _wait_for_orphans(folder)
        return True


def _wait_for_orphans(folder: Path) -> None:
    """Jobs outlive a Snakemake that is killed alone, and nobody may unlock a folder in which some work."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if Path(process.cwd()) == folder:
                process.wait(300)


def contents(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """{path: bytes} of all files under these files and folders, but for what only resumes a job."""
    roots = [folder / name for name in names]
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in files
        if file.is_file() and not file.name.startswith(".")
    }
