"""Snapshots of unfinished work as files: signed, so that a torn or foreign one is never taken for whole."""

import hashlib
import logging
import mmap
import zipfile
import zlib
from pathlib import Path

import torch

from directions.core import torch_files
from directions.core.files import atomic

log = logging.getLogger(__name__)

FORM = 2  # version of the snapshot format; snapshots of another are ignored
MARK = b"sha256 "  # precedes the digest at the end of a snapshot
# What zipfile and torch.load raise for a file that is torn, damaged, or none of ours.
BROKEN = (*torch_files.BROKEN, zipfile.BadZipFile, zlib.error)


def save(path: Path, fingerprint: str, state: dict) -> None:
    """Write beside `path`, then rename: a killed job leaves the old snapshot or the new one."""
    with atomic(path) as partial:
        torch.save({"form": FORM, "fingerprint": fingerprint, "state": state}, partial)
        _sign(partial)


def load(path: Path, fingerprint: str) -> dict | None:
    """Load the snapshot at `path`, or log why and return None if it is missing, foreign or broken."""
    if not path.exists():
        return None
    try:
        _check(path)
        saved = torch.load(path, map_location="cpu", weights_only=True)
        found = saved["fingerprint"], saved.get("form")
    except BROKEN as error:
        log.warning("snapshot %s cannot be read (%s): starting over", path, type(error).__name__)
        return None
    if found != (fingerprint, FORM):
        log.warning("snapshot %s has other settings or another recipe: starting over", path)
        return None
    return saved["state"]


def _sign(path: Path) -> None:
    """Append a file's digest, which torch.load, unaware of checksums, ignores."""
    with path.open("r+b") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.write(MARK + digest.encode())


def _check(path: Path) -> None:
    """Raise BadZipFile if a file does not match its digest or, without one, its parts their checksums."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        signature = content[-len(MARK) - 64 :]
        with memoryview(content) as view:
            digest = hashlib.sha256(view[: -len(signature)]).hexdigest()
    if signature.startswith(MARK) and signature != MARK + digest.encode():
        raise zipfile.BadZipFile("it is damaged")
    if not signature.startswith(MARK):
        with zipfile.ZipFile(path) as parts:
            if damaged := parts.testzip():
                raise zipfile.BadZipFile(f"{damaged} is damaged")
