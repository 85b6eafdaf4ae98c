"""State needed to resume an interrupted job. Losing it costs time, never a result."""

import fcntl
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor, nn, optim

from directions.core import snapshots
from directions.core.errors import InputError
from directions.models import files as model_files
from directions.study import training_steps
from directions.study.training_settings import TrainingSettings
from directions.training.distributed import Processes

SNAPSHOT, HOLDER = "snapshot.pt", "held-by.txt"  # files in a training run's resume folder

log = logging.getLogger(__name__)


@contextmanager
def held(resume: Path) -> Iterator[None]:
    """Lock the folder `resume` against other processes; the kernel releases it however this one ends.

    Raises InputError if another process holds it: after `kill -9` of Snakemake, its jobs keep running.
    """
    with _locked(resume) as file:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        try:
            yield
        finally:
            (resume / HOLDER).unlink(missing_ok=True)
            with suppress(OSError):  # snapshots are left in it
                resume.rmdir()


def _locked(resume: Path) -> TextIO:
    """Open the file that only one process can lock; InputError as `held`."""
    path = resume / HOLDER
    resume.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        with file:
            file.seek(0)
            holder = file.read().strip() or "another process"
        raise InputError(
            f"{resume} is in use by {holder}, which trains this network: wait until it ends, or end it,"
            " then run again (after `kill -9` of Snakemake, its jobs keep running)"
        ) from error
    except OSError as error:
        log.warning("%s: no locks on this file system (%s): do not start a second run", resume, error)
    if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
        return file
    file.close()  # its holder ended and removed it meanwhile: locking it would keep nobody out
    return _locked(resume)


def forget(resume: Path) -> None:
    """Delete the folder of a finished training run; the snapshot first, because it needs the other files."""
    (resume / SNAPSHOT).unlink(missing_ok=True)
    shutil.rmtree(resume, ignore_errors=True)


@dataclass
class Progress:
    """Progress of training.

    step: optimizer steps done. history: one row per evaluated epoch. random: {device: state} of the global
    generators before the next step, if dropout draws from them; else None.
    """

    step: int = 0
    history: list[dict] = field(default_factory=list)
    random: dict[str, Tensor] | None = None


@dataclass
class Keeper:
    """Keeps what an interrupted job needs to resume in the folder `resume`: a snapshot, and checkpoints.

    names: {step: name of the checkpoint after it}. last: the newest file written or restored by this job.
    auxiliary: a second network, which checkpoints lack.
    """

    resume: Path
    fingerprint: str
    seconds: float
    model: nn.Module
    optimizer: optim.Optimizer
    names: dict[int, str] = field(default_factory=dict)
    last: Path | None = None
    auxiliary: nn.Module | None = None

    def __post_init__(self):
        self._saved_at = time.monotonic()

    @property
    def path(self) -> Path:
        """Path of the snapshot."""
        return self.resume / SNAPSHOT

    def due(self) -> bool:
        """Return whether the last snapshot is at least `seconds` old."""
        return time.monotonic() - self._saved_at >= self.seconds

    def snapshot(self, progress: Progress) -> None:
        """Replace the snapshot by one of the current model and optimizer."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.auxiliary is not None:
            state["auxiliary"] = self.auxiliary.state_dict()
        snapshots.save(self.path, self.fingerprint, state | asdict(progress))
        self.last, self._saved_at = self.path, time.monotonic()

    def checkpoint(self, step: int) -> None:
        """Keep the current weights as the checkpoint of this step (0: before the first).

        The first one replaces that of a training run which this one does not resume: its snapshot is deleted.
        """
        if self.last is None:
            self.path.unlink(missing_ok=True)
        self.last = kept(self.resume, self.names[step])
        model_files.save(self.last, self.model.state_dict(), {})

    def restored(self, processes: Processes) -> Progress:
        """Restore model and optimizer from an interrupted job and return its progress, or a new one if none.

        The first process reads the snapshot for all, so that all resume from the same one.
        """
        saved = processes.received(self._found() if processes.first else None)
        if saved is None:
            return Progress()
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.auxiliary is not None:
            self.auxiliary.load_state_dict(saved["auxiliary"])
        self.last = self.path
        return Progress(saved["step"], saved["history"], saved["random"])

    def _found(self) -> dict | None:
        """Load the snapshot if all checkpoints that precede it still exist."""
        saved = snapshots.load(self.path, self.fingerprint)
        before = [name for step, name in self.names.items() if saved and step <= saved["step"]]
        gone = [name for name in before if not kept(self.resume, name).is_file()]
        if gone:
            log.warning("snapshot %s lacks the checkpoint %s: starting over", self.path, gone[0])
        return None if gone else saved


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of the global generators that dropout on `device` may draw from."""
    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_states(states: dict[str, Tensor], device: torch.device) -> None:
    """Restore what `random_states` returned."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def kept(resume: Path, name: str) -> Path:
    """Return the path of a checkpoint until training is finished."""
    return resume / f"{name}.safetensors"


def checkpoints(resume: Path, settings: TrainingSettings, images: int) -> dict[str, Path]:
    """Map names to files of every checkpoint of a finished training run on so many images, by step."""
    return {found.name: kept(resume, found.name) for found in training_steps.checkpoints(settings, images)}
