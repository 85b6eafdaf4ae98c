"""Recover from killed processes and full disks, or raise an error that says what to do."""

import errno
import fcntl
import json
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from directions.core.errors import InputError

log = logging.getLogger(__name__)

RWLOCK = Path(".dvc/tmp/rwlock")
FULL = "No space left on device|Disk quota exceeded|database or disk is full"
LITTLE = 2**20  # free bytes below which DVC's databases fail with "disk I/O error"


def mend_rwlock(root: Path) -> None:
    """Remove a truncated .dvc/tmp/rwlock, on which every DVC command would fail.

    DVC writes the file in place, so a kill can leave it empty or truncated. DVC holds rwlock.lock while
    writing: if the file is invalid while we hold that lock, no process will complete it.
    """
    path = root / RWLOCK
    if not _torn(path):
        return
    with path.with_name("rwlock.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if _torn(path):
            path.unlink()
            log.info("removed %s, left truncated by a killed DVC process", RWLOCK)


def _torn(path: Path) -> bool:
    try:
        return not isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return False
    except ValueError:
        return True


def snakemake_locks(root: Path) -> list[str]:
    """List the lock files of a Snakemake process that is running in a checkout, or was killed there."""
    found = (root / ".snakemake/locks").glob("*.lock")
    return sorted(path.relative_to(root).as_posix() for path in found)


def refuse_full(words: str) -> None:
    """Raise InputError if a command's output reports a full disk, naming the folder.

    DVC copies under temporary names; its incomplete copies are removed.
    """
    line = next((line for line in words.splitlines() if re.search(FULL, line)), "")
    if not line:
        if "disk I/O error" in words and shutil.disk_usage(Path.cwd()).free < LITTLE:
            raise _full(Path.cwd())
        return
    for left in re.findall(r"-> '(/[^'\n]+\.tmp)'", words):
        Path(left).unlink(missing_ok=True)
    paths = re.findall(r"'(/[^']+)'", line)
    where = Path(paths[-1]).parent if paths else Path.cwd()
    raise _full(where)


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Turn a write error of our own on a full disk into an InputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full(Path(error.filename or Path.cwd())) from error


def _full(where: Path) -> InputError:
    return InputError(
        f"the disk of {where} is full (or your quota there): free some space, then rerun the same command."
        " Files that were copied completely are kept, and nothing else is marked as up to date"
    )
