"""What kills and full disks leave behind: mended, or said in words that name the way out."""

import errno
import fcntl
import json
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from directions.errors import InputError

log = logging.getLogger(__name__)

RWLOCK = Path(".dvc/tmp/rwlock")
FULL = "No space left on device|Disk quota exceeded|database or disk is full"
LITTLE = 2**20  # bytes left, with which even a database of DVC's fails, and says "disk I/O error"


def mend_rwlock(root: Path) -> None:
    """Remove .dvc/tmp/rwlock where it is torn: every DVC command would fail on it.

    DVC writes the file in place, so a kill can leave it empty or cut off. While it writes, it holds
    rwlock.lock: what is torn while we hold that lock, no process will complete.
    """
    path = root / RWLOCK
    if not _torn(path):
        return
    with path.with_name("rwlock.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if _torn(path):
            path.unlink()
            log.info("removed %s, which a DVC that was killed left torn", RWLOCK)


def _torn(path: Path) -> bool:
    try:
        return not isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return False
    except ValueError:
        return True


def snakemake_locks(root: Path) -> list[str]:
    """The lock files of a Snakemake that is at work in a checkout, or was killed there."""
    found = (root / ".snakemake/locks").glob("*.lock")
    return sorted(path.relative_to(root).as_posix() for path in found)


def refuse_full(words: str) -> None:
    """Raise InputError where a command said that a disk is full, naming the folder and the way out.

    DVC copies under temporary names: those that it could not complete are removed.
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
    """Turn the error of a write of our own onto a full disk into an InputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full(Path(error.filename or Path.cwd())) from error


def _full(where: Path) -> InputError:
    return InputError(
        f"the disk of {where} is full (or your quota there): make room, then the same command again."
        " What was copied whole stays, and nothing else is called up to date"
    )
