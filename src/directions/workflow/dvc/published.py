"""Products of which git has a copy: a pull takes them from there, without a remote or a network.

Tables and figures of published studies are in `docs/results`, under the paths that they have in `results`.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.workflow.dvc.record import digest_of
from directions.workflow.dvc.tools import kept_as

PUBLISHED = Path("docs/results")
KINDS = ("tables", "figures")


def cached(root: Path, cache: Path, wanted: Mapping[str, str]) -> set[str]:
    """Copy to DVC's cache what git has with the recorded content; return all paths that the cache then has.

    wanted: {path of a product from `root`: its MD5 in dvc.lock}. Raises InputError if the cache cannot be
    written to.
    """
    found = set()
    for path, digest in wanted.items():
        copy = cache / kept_as(digest)
        if not copy.exists() and (published := _published(root, path)):
            if digest_of(published) != digest:
                continue
            try:
                with atomic(copy) as partial:
                    shutil.copyfile(published, partial)
            except OSError as error:
                raise InputError(
                    f"DVC's cache {cache} cannot be written to ({error.strerror}):"
                    " choose another folder with `dvc cache dir --local FOLDER`"
                ) from error
        if copy.exists():
            found.add(path)
    return found


def changed(root: Path, study: str, absent: Iterable[str]) -> bool:
    """Return whether absent products are of a kind that git has of this study: then their copies differ."""
    kinds = tuple(f"results/{study}/{kind}/" for kind in KINDS)
    return (root / PUBLISHED / study).is_dir() and any(path.startswith(kinds) for path in absent)


def _published(root: Path, path: str) -> Path | None:
    if not path.startswith("results/"):
        return None
    copy = root / PUBLISHED / path.removeprefix("results/")
    return copy if copy.is_file() else None
