"""Snapshots to resume from. Not workflow outputs: losing one costs time, never a result."""

import logging
import pickle
import zipfile
from pathlib import Path

import torch

from directions.files import atomic

log = logging.getLogger(__name__)


def save(path: Path, fingerprint: str, state: dict) -> None:
    """Write beside `path`, then rename: a killed job leaves the old snapshot or the new one."""
    with atomic(path) as partial:
        torch.save({"fingerprint": fingerprint, "state": state}, partial)


def load(path: Path, fingerprint: str) -> dict | None:
    """The snapshot at `path`, or None (and a log line) if there is none, or a foreign or broken one."""
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        found = saved["fingerprint"]
    except (
        OSError,
        RuntimeError,
        EOFError,
        KeyError,
        TypeError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        log.warning("snapshot %s cannot be read (%s): starting afresh", path, type(error).__name__)
        return None
    if found != fingerprint:
        log.warning("snapshot %s is of other settings or another recipe: starting afresh", path)
        return None
    return saved["state"]
