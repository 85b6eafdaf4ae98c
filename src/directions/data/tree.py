"""Thousands of small files with one digest, from a folder, an archive, or a public git repository."""

import hashlib
import io
import logging
import tarfile
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path, PurePosixPath

from directions.core.errors import InputError
from directions.core.types import present
from directions.data.download import Damaged, keep
from directions.data.imagefolder import shown
from directions.data.sources import LONGER, Unavailable, no_source, run
from directions.data.specs import Known, Request

LOG = logging.getLogger(__name__)
ARCHIVES = (".tar.gz", ".tgz", ".tar")
PRIME = 2**61 - 1  # modulus of the sums that identify a wrong file


@dataclass(frozen=True)
class Tree:
    """Files in data/raw/{folder}/, or in an archive of that name, identified by their digest.

    names: their paths below it, sorted, such as "train/cat/0000.jpg"; sha256: of the output of `sha256sum`
    for them in this order; sums: {"train/cat": `sums` of its files}; repository: the URL of a git
    repository that has them.
    """

    folder: str
    names: tuple[str, ...]
    sha256: str
    sums: dict[str, tuple[int, int]]
    repository: str

    @cached_property
    def tops(self) -> set[str]:
        """Top-level folders; anything outside them is ignored."""
        return {name.split("/")[0] for name in self.names}

    def places(self, raw: Path) -> list[Path]:
        """Return the paths below data/raw where a user may have it."""
        return [raw / self.folder, *(raw / f"{self.folder}{suffix}" for suffix in ARCHIVES)]


def fetch(known: Known, tree: Tree, request: Request) -> dict[str, bytes]:
    """Return {name: content} of all files, verified, from the first of "local" and "clone" that has them.

    Raises InputError naming files in data/raw that are missing, wrong or superfluous, and, if no source has
    them, with the reason of every source and the ways to get them.
    """
    failures = []
    for source in request.sources:
        LOG.info("%s: trying", source)
        try:
            return {"local": _local, "clone": _clone}[source](tree, request.raw)
        except Unavailable as error:
            LOG.info("%s: %s", source, error)
            failures.append(f"{source}: {error}")
    ways = [
        f"`git clone --depth 1 {tree.repository} {request.raw / tree.folder}`",
        f"put a .tar or .tar.gz of that folder into {request.raw}/ as {tree.folder}.tar or .tar.gz",
    ]
    raise InputError(no_source(f"the {len(tree.names):,} files", known, request, failures, ways))


def _local(tree: Tree, raw: Path) -> dict[str, bytes]:
    place = next((place for place in tree.places(raw) if place.exists()), None)
    if place is None:
        raise Unavailable(f"no {' or '.join(map(str, tree.places(raw)))}")
    try:
        found = read_folder(tree, place) if place.is_dir() else read_archive(tree, place)
        check(tree, found)
    except Damaged as damaged:
        raise InputError(f"{place} is refused: {damaged}: correct or delete it and rerun") from None
    except OSError as error:
        raise InputError(f"{place} cannot be read ({error}): fix the problem and rerun") from error
    LOG.info("local: %s verified (sha256 %s)", place, tree.sha256)
    return found


def _clone(tree: Tree, raw: Path) -> dict[str, bytes]:
    """Clone the public repository; keep its files in data/raw as one archive."""
    LOG.info("clone: cloning %s", tree.repository)
    command = ["git", "clone", "--progress", "--depth=1", tree.repository, "cloned"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        run(command, scratch, LONGER)
        try:
            found = read_folder(tree, Path(scratch, "cloned"))
            check(tree, found)
        except Damaged as damaged:
            raise Unavailable(f"{tree.repository} refused: {damaged}") from None
    LOG.info("clone: %s verified (sha256 %s)", tree.repository, tree.sha256)
    keep(raw / f"{tree.folder}.tar.gz", packed(found))
    return found


def read_folder(tree: Tree, folder: Path) -> dict[str, bytes]:
    """Return {name: content} for a folder. Raises Damaged if files are missing or superfluous."""
    paths = (path for top in sorted(tree.tops) for path in (folder / top).rglob("*") if not path.is_dir())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    check_names(tree, found)
    return {name: found[name].read_bytes() for name in tree.names}


def read_archive(tree: Tree, archive: Path) -> dict[str, bytes]:
    """Return {name: content} for a tar archive, whatever the folders above its "train" and "test" are called.

    Raises Damaged if the archive is incomplete, and if files are missing or superfluous.
    """
    found = {}
    try:
        with tarfile.open(archive, "r:" if archive.suffix == ".tar" else "r:gz") as members:
            for member in members:
                name = _below(tree, member.name)
                if name and not member.isdir():
                    found[name] = present(members.extractfile(member)).read() if member.isreg() else b""
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Damaged(f"it is not a complete tar archive ({error})") from error
    check_names(tree, found)
    return found


def _below(tree: Tree, path: str) -> str | None:
    """Return a member's path from the top-level folder of the tree on; None for a member outside it."""
    parts = PurePosixPath(path).parts
    start = next((at for at, part in enumerate(parts) if part in tree.tops), None)
    return None if start is None else "/".join(parts[start:])


def check_names(tree: Tree, found: Iterable[str]) -> None:
    """Raise Damaged naming files that are missing or superfluous."""
    found, wanted = set(found), set(tree.names)
    faults = {"missing": sorted(wanted - found), "not of this data set": sorted(found - wanted)}
    said = [f"{len(names):,} {what}, {shown(names)}" for what, names in faults.items() if names]
    if said:
        raise Damaged(f"of {len(wanted):,} files there are {' and '.join(said)}")


def check(tree: Tree, contents: dict[str, bytes]) -> None:
    """Raise Damaged, naming what is wrong, unless the files' digest is the known one."""
    hashes = {name: hashlib.sha256(contents[name]).hexdigest() for name in tree.names}
    found = digest(hashes)
    if found != tree.sha256:
        wrong = shown(list(_wrong(tree, hashes)))
        raise Damaged(f"{wrong} not as published (sha256 of all files expected {tree.sha256}, found {found})")


def digest(hashes: dict[str, str]) -> str:
    """Return the SHA-256 of the `sha256sum` output for these files, in the order of {name: SHA-256}."""
    return hashlib.sha256("".join(f"{is_}  {name}\n" for name, is_ in hashes.items()).encode()).hexdigest()


def sums(hashes: list[str]) -> tuple[int, int]:
    """Return two checksums that identify a single wrong file: the sum of digests, and that of index times
    digest. A wrong file changes both, and the ratio of the changes is its index."""
    values = [int(text[:15], 16) for text in hashes]
    return sum(values) % PRIME, sum(place * value for place, value in enumerate(values)) % PRIME


def _wrong(tree: Tree, hashes: dict[str, str]) -> Iterable[str]:
    """Yield the wrong file of each folder, or the folder if it has several."""
    for folder, group in groupby(tree.names, key=lambda name: name.rsplit("/", 1)[0]):
        names, known = list(group), tree.sums[folder]
        plain, weighted = (
            (now - then) % PRIME
            for now, then in zip(sums([hashes[name] for name in names]), known, strict=True)
        )
        place = weighted * pow(plain, -1, PRIME) % PRIME if plain else len(names)
        if plain or weighted:
            yield names[place] if place < len(names) else f"several files of {folder}"


def packed(contents: dict[str, bytes]) -> bytes:
    """Pack these files into a .tar.gz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()
