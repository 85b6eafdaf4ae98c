"""Read dvc.lock: which products of a study were made with exactly the current settings and code.

A product is confirmed if it was recorded with its current fingerprint, with the current code, and with inputs
that are confirmed themselves and match their own record. No files are needed for that, so it works right
after `git clone`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from directions.core.errors import InputError
from directions.workflow.dvc.stages import Product, Stage, Study

LOCK = "dvc.lock"


@dataclass(frozen=True)
class Entry:
    """One stage of dvc.lock: {path: MD5} of its inputs and outputs, and {item or "code": digest}."""

    name: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    asked: Mapping[str, str]


class Record:
    """The content of dvc.lock, indexed by product path."""

    def __init__(self, root: Path):
        """Read dvc.lock; without one, the record is empty. Raises InputError if it cannot be read."""
        self._root = root
        self.by_path: dict[str, Entry] = {}
        self.sizes: dict[str, int] = {}  # path of a product -> bytes
        for name, stage in _stages(root / LOCK).items():
            entry = Entry(name, _digests(stage, "deps"), _digests(stage, "outs"), _asked(stage))
            self.by_path |= dict.fromkeys(entry.outs, entry)
            self.sizes |= {out["path"]: out.get("size", 0) for out in stage.get("outs", ())}

    def fits(self, path: str) -> bool:
        """Return whether a local product has the recorded content."""
        return digest_of(self._root / path) == self.by_path[path].outs[path]

    def doubts(self, study: Study) -> dict[str, str]:
        """Return {product: why dvc.lock does not confirm it, or "" if it does}, upstream first."""
        said: dict[str, str] = {}
        for stage in study.stages.values():
            for product in stage.products:
                said[product.path] = self._doubt(product, stage, said)
        return said

    def confirmed(self, study: Study) -> set[str]:
        """Return the paths of the products that dvc.lock confirms."""
        return {path for path, doubt in self.doubts(study).items() if not doubt}

    def _doubt(self, product: Product, stage: Stage, said: Mapping[str, str]) -> str:
        entry = self.by_path.get(product.path)
        if entry is None:
            return "it is not in dvc.lock"
        if entry.asked.get(product.item) != product.asked:
            return "it was made with other settings"
        if entry.asked.get("code", "") != stage.code_digest:
            return "it was made with other code"
        for path in product.needs:
            if said[path]:
                return f"it was made from {path}, which must be made again"
            if entry.deps.get(path) != self.by_path[path].outs[path]:
                return f"it was made from another version of {path}"
        return ""


def digest_of(path: Path) -> str:
    """Return the MD5 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _stages(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        return (yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER) or {}).get("stages", {})
    except (yaml.YAMLError, AttributeError) as error:
        way_out = f"restore it with `git checkout -- {path.name}`"
        raise InputError(f"{path.name} cannot be read ({error}): {way_out}") from error


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, if PyYAML was built with it


def _digests(stage: Mapping, kind: str) -> dict[str, str]:
    return {one["path"]: one["md5"] for one in stage.get(kind, ()) if "md5" in one}


def _asked(stage: Mapping) -> dict[str, str]:
    found: dict[str, str] = {}
    for values in stage.get("params", {}).values():
        for value in values.values():
            found |= value if isinstance(value, dict) else {}
    return found
