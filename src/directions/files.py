"""Files appear whole or not at all: written beside their place, then renamed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """A path to write to, in the same folder; renamed to `path` on success, removed on any error.

    A full disk or a killed job leaves the old file or none, never half of the new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(
        f".{path.stem}.partial{path.suffix}"
    )  # what a kill leaves, the next run overwrites
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())  # a power cut after the rename must not leave an empty file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def md5(content: bytes) -> str:
    """The digest that data sets are published with; it guards against damage, not against attackers."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
