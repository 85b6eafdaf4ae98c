"""State of the search for a data set's files: those found and verified, and why sources failed."""

import fcntl
import gzip
import io
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from directions.core.errors import InputError
from directions.core.files import atomic, md5
from directions.core.types import present
from directions.data.specs import Known, RawFile

LOG = logging.getLogger(__name__)
GZIP = b"\x1f\x8b"


class Damaged(ValueError):
    """A file differs from the published one: the message has its name, both digests and the cause."""


def verified(file: RawFile, content: bytes) -> bytes:
    """Return the content, unpacked if need be, if its digest is the published one; else raise Damaged."""
    fault = ""
    if file.unpack and content.startswith(GZIP):
        content, fault = _unpacked(content)
    found = md5(content)
    if found != file.md5 or fault:
        of = f" of {len(content)} unpacked bytes" if file.unpack else f" of {len(content)} bytes"
        broken = f" ({fault})" if fault else ""
        raise Damaged(f"{file.name}: md5 expected {file.md5}, found {found}{of}{broken}")
    return content


def _unpacked(packed: bytes) -> tuple[bytes, str]:
    """Unpack as much of a gzip file as possible; return the content, and the fault, if any."""
    content = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
        try:
            while chunk := stream.read1(1 << 20):
                content += chunk
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return bytes(content), f"truncated or damaged: {error}"
    return bytes(content), ""


class Search:
    """A search for files: sources read what is `missing`, `offer` content and report what `failed`."""

    def __init__(self, known: Known, folder: Path):
        self.raw = present(known.raw)
        self.folders = [folder / below for below in self.raw.folders]
        self.found: dict[str, bytes] = {}  # by file name, verified and unpacked
        self.failures: list[str] = []

    @property
    def missing(self) -> list[RawFile]:
        """Files that have not been found yet."""
        return [file for file in self.raw.files if file.name not in self.found]

    def failed(self, source: str, reason: str) -> None:
        """Log why a source failed, and remember it for the error if all do."""
        LOG.info("%s: %s", source, reason)
        self.failures.append(f"{source}: {reason}")

    def offer(self, source: str, file: RawFile, content: bytes, origin: object) -> None:
        """Accept fetched content if it is undamaged, and keep a copy for the next run."""
        try:
            self.found[file.name] = verified(file, content)
        except Damaged as damaged:
            self.failed(source, f"{origin} refused: {damaged}")
            return
        LOG.info("%s: %s verified (md5 %s)", source, origin, file.md5)
        keep(self.folders[0] / file.name, content)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait while another job fetches files into `folder`: several data sets are made of the same ones."""
    with ExitStack() as stack:
        with suppress(OSError):  # no such folder, or a file system that locks none: `keep` copes with that
            place = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, place)
            fcntl.flock(place, fcntl.LOCK_EX)
        yield


def keep(place: Path, content: bytes) -> None:
    """Write fetched content unless the file exists; raises InputError if it cannot be written."""
    if os.path.lexists(place):  # the user's file, not read as `local` is not among the sources
        LOG.info("not kept, file exists: %s", place)
        return
    try:
        with atomic(place) as partial:
            partial.write_bytes(content)
    except OSError as error:
        if place.is_file() and place.read_bytes() == content:
            return  # another job wrote it at the same moment
        raise InputError(f"{place} cannot be written ({error}): fix the problem and rerun") from error
