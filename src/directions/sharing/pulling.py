"""Bring what dvc.lock confirms, tell Snakemake that it is up to date, and leave all else to Snakemake."""

import logging
from collections.abc import Iterable
from pathlib import Path
from subprocess import CompletedProcess

from directions.errors import InputError
from directions.files import atomic
from directions.hints import few
from directions.sharing.accidents import refuse_full
from directions.sharing.pipeline import PIPELINE
from directions.sharing.record import Record, digest_of
from directions.sharing.stages import Study
from directions.sharing.tools import Dvc, Snakemake, alone, kept_as, said

log = logging.getLogger(__name__)

# Snakemake wants the benchmark of a job that is asked for by its rule's name; "-" is its word for no value.
UNMEASURED = """\
s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time
-\t-\t-\t-\t-\t-\t-\t-\t-\t-
"""


class Checkout:
    """A checkout of the project with one study's products, some of them here and some in the remote."""

    def __init__(self, root: Path, study: Study):
        """Raises InputError where links would leave Snakemake with files it may not replace."""
        self.root, self.study = root, study
        self.dvc, self.snakemake = Dvc(root), Snakemake(root, study.name)
        self.record = Record(root)
        self.doubts = self.record.doubts(study)
        self.confirmed = {path for path, doubt in self.doubts.items() if not doubt}
        self._refuse_hardlinks()

    def pull(self, names: list[str]) -> dict[str, int]:
        """Bring what these figures need (or everything, for none) and return the jobs that are left to run.

        Of a product that dvc.lock confirms that is the file itself; of one that has to be made again, what it
        is made from. Raises InputError naming a file that the remote lacks, or one that lies here with other
        content and would be lost.
        """
        if not self.record.by_path:
            raise InputError("dvc.lock records nothing yet: `make push` records what is finished here")
        with alone(self.root):
            wanted, raw = self.wanted(names)
            differing = self.differing()
            upstream = self.study.upstream(self.study.of_stages(names)) if names else set(self.study.products)
            lacking = {path for path in wanted if path in differing}
            lacking |= {path for path in upstream & self.confirmed if differing.get(path) == "modified"}
            everything = not names and self.record.by_path.keys() <= self.confirmed
            self._bring(sorted(lacking), names, everything)
            for path in raw:  # a help only: the sources of config.yaml may have them, too
                self.dvc.call("pull", path)
            self.declare(self._sound(set(differing) - lacking), known=not lacking)
            return self.snakemake.plan(self.study.targets(names))

    def sizes(self) -> dict[str, int]:
        """{figure: bytes of its files and of the tables that it is drawn from}, of those in dvc.lock."""
        known = {}
        for name in self.study.figures:
            paths = [*self.study.of_stages([name]), *self.study.stages[name].needs]
            if self.record.sizes.keys() >= set(paths):
                known[name] = sum(self.record.sizes[path] for path in paths)
        return known

    def make(self, name: str) -> int:
        """Have Snakemake make what is lacking of a stage, from what dvc.lock confirms; its exit code."""
        targets = self.study.of_stages([name])
        # `dvc repro` runs this, and `dvc status` would find its files busy: so digests are compared here.
        upstream = self.study.upstream(targets) & self.confirmed
        here = {path for path in upstream if (self.root / path).exists()}
        self.declare(self._sound({path for path in here if not self.record.fits(path)}) & here)
        return self.snakemake.make(targets)

    def differing(self) -> dict[str, str]:
        """{recorded file: deleted, modified or not in cache} of those that are not here as recorded.

        DVC looks at no file of which it keeps no copy: these are read here.
        """
        found = {}
        for path, how in self.dvc.differing().items():
            if how == "not in cache" and path in self.record.by_path and (self.root / path).exists():
                if self.record.fits(path):
                    continue
                how = "modified"
            found[path] = how
        return found

    def _sound(self, differing: set[str]) -> set[str]:
        """Confirmed products that are here as recorded, and so is all upstream of them that is here."""
        doubtful: set[str] = set()  # of another content, or made from such
        for path, product in self.study.products.items():
            if doubtful.intersection(product.needs) or (path in differing and (self.root / path).exists()):
                doubtful.add(path)
        return {path for path in self.confirmed - doubtful if (self.root / path).exists()}

    def wanted(self, names: list[str]) -> tuple[set[str], list[str]]:
        """(products to have here, .dvc files of raw data to have here) for these figures, or for all."""
        waiting = self.study.of_stages(names) if names else list(self.study.products)
        # A figure's tables come with it: its drawing is what a reader changes first.
        waiting += [need for path in waiting for need in self.study.products[path].needs]
        seen: set[str] = set()
        raw: list[str] = []
        while waiting:
            path = waiting.pop()
            if path not in seen and path not in self.confirmed:
                product = self.study.products[path]
                waiting += product.needs
                if product.stage.startswith("data-"):
                    raw += self.raw(Path(path).stem)
            seen.add(path)
        return seen & self.confirmed, raw

    def declare(self, paths: Iterable[str], known: bool = True) -> None:
        """Tell Snakemake that these confirmed files are up to date, unless it is known to know."""
        confirmed = sorted(paths)
        if not confirmed:
            return
        if known:
            rows = self.snakemake.rows(confirmed).values()
            known = all(row.known and not row.pending for row in rows)
        if not known:
            self.snakemake.declare(confirmed)
        for path in confirmed:
            stage = self.study.products[path].stage
            if stage in self.study.figures or stage == "claims":
                self._note_unmeasured(stage)

    def raw(self, dataset: str) -> list[str]:
        """The .dvc files of a data set as published, "*" for all."""
        found = (self.root / "data/raw").glob(f"{dataset}.dvc")
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def _bring(self, paths: list[str], names: list[str], everything: bool) -> None:
        """Have DVC put these files here; what it does not keep stays, unless that is out of date."""
        if not paths:
            return
        remote = self.dvc.setting("core.remote")
        self._verify(paths, remote)
        done = self._fetch(paths, remote, everything)
        if not all((self.root / path).exists() for path in paths) and self.dvc.forget_index():
            done = self._fetch(paths, remote, everything)
        # DVC also succeeds where it left a file out; its bytes are checked before they are called current.
        if done.returncode or not all(self._right(path) for path in paths):
            self._explain(paths, names, remote, done)
        size = sum(self.record.sizes[path] for path in paths)
        log.info("%d files, %.1f MB, from %s", len(paths), size / 1e6, remote or "DVC's cache")

    def _fetch(self, paths: list[str], remote: str, everything: bool) -> CompletedProcess:
        """Call DVC for these files, until a call fails; the last call."""
        for targets in [[PIPELINE]] if everything else self._targets(paths):
            command = ["pull" if remote else "checkout", *targets]
            done = self.dvc.call(*command)
            if done.returncode and self._outdated(paths):
                done = self.dvc.call(*command, "--force")
            if done.returncode:
                break
        return done

    def _right(self, path: str) -> bool:
        return (self.root / path).exists() and self.record.fits(path)

    def _verify(self, paths: list[str], remote: str) -> None:
        """Have DVC check what it downloads, which by default it trusts, and check what its cache has.

        A file of the cache with another content than its name was damaged there: DVC would go on using it.
        """
        if remote and self.dvc.setting(f"remote.{remote}.verify").lower() != "true":
            self.dvc.call("remote", "modify", "--local", remote, "verify", "true")
        cache = self.dvc.cache()
        for path in paths:
            digest = self.record.by_path[path].outs[path]
            copy = cache / kept_as(digest)
            if copy.exists() and digest_of(copy) != digest:
                copy.unlink()
                log.info("removed a damaged copy of %s from DVC's cache: %s", path, copy)

    def _targets(self, paths: list[str]) -> list[list[str]]:
        """The same as few targets for DVC, where the name of a stage stands for all its products.

        Names and paths are for two calls: of both in one, DVC 3.67 brings the named stages only, and says so
        to nobody.
        """
        entries = {self.record.by_path[path].name: self.record.by_path[path] for path in paths}
        whole = {name for name, entry in entries.items() if entry.outs.keys() <= set(paths)}
        single = [path for path in paths if self.record.by_path[path].name not in whole]
        return [targets for targets in (sorted(whole), single) if targets]

    def _outdated(self, paths: list[str]) -> bool:
        """Would Snakemake, too, replace all that differs? E.g. what was made by settings now undone."""
        changed = [path for path, how in self.differing().items() if path in paths and how == "modified"]
        rows = self.snakemake.rows(changed) if changed else {}
        return bool(changed) and all(rows[path].pending and not rows[path].doubted for path in changed)

    def _explain(self, paths: list[str], names: list[str], remote: str, done: CompletedProcess) -> None:
        """Raise the InputError that says why DVC could not bring these files, which, and the way out."""
        left = {path: how for path, how in self.differing().items() if path in paths}
        needed = ", ".join(names) or f"the {self.study.name} study"
        if changed := [path for path, how in left.items() if how == "modified"]:
            raise InputError(
                f"{few(changed)}: not what dvc.lock records, and DVC does not keep what lies there, so it"
                " would be lost. Delete or move it away, then `make pull` brings the recorded one; or go on"
                " with your own"
            )
        if not remote:
            raise InputError(
                f"{few(left)}, which {needed} needs: not here, and no remote is configured:"
                " `make remote DIR=...` with the folder, s3:// or ssh:// address that holds the project's"
                " files (docs/SHARING.md)"
            )
        refuse_full(done.stderr)
        self._refuse_damaged(left, remote, done)
        missing = f"remote {remote!r} has no {few(left)}, which {needed} needs" if left else "dvc pull failed"
        raise InputError(f"{missing}. DVC says:\n{said(done)}")

    def _refuse_damaged(self, left: Iterable[str], remote: str, done: CompletedProcess) -> None:
        """Raise InputError for objects that the remote has, but not with the content that names them."""
        if "failed to transfer" in done.stderr:  # that is why they are not here
            return
        damaged = sorted(set(left) & self.dvc.in_remote(sorted(left)))
        if damaged:
            digests = (self.record.by_path[path].outs[path] for path in damaged)
            objects = [f"{kept_as(digest)} ({path})" for path, digest in zip(damaged, digests, strict=True)]
            address = self.dvc.setting(f"remote.{remote}.url")
            raise InputError(
                f"remote {remote!r} ({address}) is damaged: the content of {few(objects)} is not the one that"
                " names it. None of it is used. Delete it there, then `make push` in a checkout that has the"
                f" right file; or make your own: `snakemake --cores all -- {damaged[0]}`"
            )

    def _note_unmeasured(self, stage: str) -> None:
        name = "claims" if stage == "claims" else f"figures/{stage}"
        path = self.root / f"benchmarks/{self.study.name}/{name}.tsv"
        if not path.exists():
            with atomic(path) as partial:
                partial.write_text(UNMEASURED)

    def _refuse_hardlinks(self) -> None:
        if "hardlink" in self.dvc.setting("cache.type"):
            raise InputError(
                "cache.type is hardlink, and Snakemake may not replace such files:"
                " `dvc config --local cache.type copy` (or symlink, reflink), then `dvc checkout --relink`"
            )
