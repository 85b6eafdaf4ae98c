"""Write files completely or not at all, and identify them by content rather than by time alone."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

LARGE = 2**28  # bytes; hashing this many takes half a second, at every start of the workflow


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Yield a path to write to, in the same folder; renamed to `path` on success, removed on any error.

    A full disk or a killed job leaves the old file or none, never half of the new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(
        f".{path.stem}.partial{path.suffix}"
    )  # left behind by a kill, overwritten by the next run
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())  # a power cut after the rename must not leave an empty file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def md5(content: bytes) -> str:
    """Compute the digest that data sets are published with; it detects damage, not attacks."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def contents(paths: Iterable[Path | str], root: Path | str = ".") -> str:
    """Digest the contents of files, in this order, as 16 hex digits that do not depend on `root`.

    Files of `LARGE` bytes or more are not read: size and modification time are used instead. A missing file
    has a digest too; whoever reads it reports the error. `contents(["a.py", "b.py"])` -> "5f2c9d0e1b7a4c38"
    """
    found = hashlib.sha256()
    for path in paths:
        found.update(content(Path(root, path)).encode())
    return found.hexdigest()[:16]


def content(path: Path) -> str:
    """Identify the content of a file, as `contents` does."""
    if not path.is_file():
        return "missing"
    state = path.stat()
    if state.st_size >= LARGE:
        return f"{state.st_size} {state.st_mtime_ns}"
    return _hashed(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@cache
def _hashed(path: Path, *_state: int) -> str:
    """Hash a file once, however many jobs depend on it; its size and times show whether it has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
