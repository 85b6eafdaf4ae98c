"""Products of which git has a copy: a pull takes them from there, without a remote or a network.

Tables and figures of published studies are in `docs/results`, under the paths that they have in `results`.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from directions.core.files import atomic
from directions.workflow.dvc.record import digest_of
from directions.workflow.dvc.tools import kept_as

PUBLISHED = Path("docs/results")


def cached(root: Path, cache: Path, wanted: Mapping[str, str]) -> set[str]:
    """Copy to DVC's cache what git has with the recorded content; return all paths that the cache then has.

    wanted: {path of a product from `root`: its MD5 in dvc.lock}.
    """
    found = set()
    for path, digest in wanted.items():
        copy = cache / kept_as(digest)
        if not copy.exists() and (published := _published(root, path)):
            if digest_of(published) != digest:
                continue
            with atomic(copy) as partial:
                shutil.copyfile(published, partial)
        if copy.exists():
            found.add(path)
    return found


def _published(root: Path, path: str) -> Path | None:
    if not path.startswith("results/"):
        return None
    copy = root / PUBLISHED / path.removeprefix("results/")
    return copy if copy.is_file() else None
