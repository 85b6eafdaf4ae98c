"""The search for the files of one data set: what is found and verified, and why the rest is not."""

import gzip
import io
import logging
import os
import zlib
from pathlib import Path

from directions.data.known import Known, RawFile
from directions.errors import InputError
from directions.files import atomic, md5

LOG = logging.getLogger(__name__)
GZIP = b"\x1f\x8b"


class Damaged(ValueError):
    """A file is not what was published: the message holds its name, both digests and what broke."""


def verified(file: RawFile, content: bytes) -> bytes:
    """The content, unpacked where it is to be, if its digest is the published one; else Damaged."""
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
    """What can be unpacked of a gzip file, and what was wrong with it, if anything."""
    content = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
        try:
            while chunk := stream.read1(1 << 20):
                content += chunk
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return bytes(content), f"truncated or damaged: {error}"
    return bytes(content), ""


class Search:
    """Sources ask it what is `missing`, `offer` it content and tell it what `failed`."""

    def __init__(self, known: Known, folder: Path):
        self.raw = known.raw
        self.folders = [folder / below for below in known.raw.folders]
        self.found: dict[str, bytes] = {}  # by file name, verified and unpacked
        self.failures: list[str] = []

    @property
    def missing(self) -> list[RawFile]:
        """The files still to be found."""
        return [file for file in self.raw.files if file.name not in self.found]

    def failed(self, source: str, reason: str) -> None:
        """Log why a source did not help, and remember it for the case that none does."""
        LOG.info("%s: %s", source, reason)
        self.failures.append(f"{source}: {reason}")

    def offer(self, source: str, file: RawFile, content: bytes, origin: object) -> None:
        """Take what a source fetched, if it is undamaged, and keep it for the next time."""
        try:
            self.found[file.name] = verified(file, content)
        except Damaged as damaged:
            self.failed(source, f"{origin} refused: {damaged}")
            return
        LOG.info("%s: %s verified (md5 %s)", source, origin, file.md5)
        keep(self.folders[0] / file.name, content)


def keep(place: Path, content: bytes) -> None:
    """Write what was fetched, unless there is a file; raises InputError where it cannot be written."""
    if os.path.lexists(place):  # the user's, and not looked at: `local` is not among the sources
        LOG.info("not kept, there is a file already: %s", place)
        return
    try:
        with atomic(place) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise InputError(f"{place} cannot be written ({error}): mend that and run again") from error
