"""Fetch the products that dvc.lock confirms, declare them up to date, and leave the rest to Snakemake."""

import logging
from collections.abc import Iterable
from pathlib import Path
from subprocess import CompletedProcess

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.suggest import few
from directions.workflow.dvc import published
from directions.workflow.dvc.pipeline import PIPELINE
from directions.workflow.dvc.record import Record, digest_of
from directions.workflow.dvc.recovery import refuse_full
from directions.workflow.dvc.stages import Study
from directions.workflow.dvc.tools import Dvc, Snakemake, alone, kept_as, said

log = logging.getLogger(__name__)

# For a job requested by its rule's name, Snakemake requires the benchmark file, in which "-" is no value.
UNMEASURED = """\
s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time
-\t-\t-\t-\t-\t-\t-\t-\t-\t-
"""


class Checkout:
    """A checkout of the project with the products of one study, some local and some in the remote."""

    def __init__(self, root: Path, study: Study):
        """Raise InputError if DVC uses hard links, which Snakemake could not replace."""
        self.root, self.study = root, study
        self.dvc, self.snakemake = Dvc(root), Snakemake(root, study.name)
        self.record = Record(root)
        self.doubts = self.record.doubts(study)
        self.confirmed = {path for path, doubt in self.doubts.items() if not doubt}
        self._refuse_hardlinks()

    def pull(self, names: list[str]) -> dict[str, int]:
        """Fetch the products that these figures need (all, if none are named); return the jobs left to run.

        If dvc.lock confirms a product, the file itself is fetched; if it must be made again, its inputs.
        Raises InputError naming a file that the remote lacks, or a local file with other content, which
        would be lost.
        """
        if not self.record.by_path:
            raise InputError("dvc.lock records nothing yet: `make push` records what is finished here")
        self._refuse_unrecorded(names)
        with alone(self.root):
            wanted, raw = self.wanted(names)
            if not self.dvc.setting("core.remote"):
                self._refuse_without_remote(self._absent(wanted), names)
            differing = self.differing()
            upstream = self.study.upstream(self.study.of_stages(names)) if names else set(self.study.products)
            lacking = {path for path in wanted if path in differing}
            lacking |= {path for path in upstream & self.confirmed if differing.get(path) == "modified"}
            everything = not names and self.record.by_path.keys() <= self.confirmed
            self._bring(sorted(lacking), names, everything)
            for path in raw:  # optional: the sources of config.yaml may have them, too
                self.dvc.call("pull", path)
            sound = self._sound(set(differing) - lacking)
            self.declare(sound, known=not lacking, unread=sound - lacking)
            return self.snakemake.plan(self.study.targets(names))

    def sizes(self) -> dict[str, int]:
        """Return {figure: bytes of its files and of the tables that it is drawn from}, if in dvc.lock."""
        known = {}
        for name in self.study.figures:
            paths = [*self.study.of_stages([name]), *self.study.stages[name].needs]
            if self.record.sizes.keys() >= set(paths):
                known[name] = sum(self.record.sizes[path] for path in paths)
        return known

    def make(self, name: str) -> int:
        """Run Snakemake for a stage's missing files, given what dvc.lock confirms; return its exit code."""
        targets = self.study.of_stages([name])
        # `dvc repro` runs this and locks its files, so `dvc status` would fail: digests are compared here.
        upstream = self.study.upstream(targets) & self.confirmed
        here = {path for path in upstream if (self.root / path).exists()}
        self.declare(self._sound({path for path in here if not self.record.fits(path)}) & here)
        return self.snakemake.make(targets)

    def differing(self) -> dict[str, str]:
        """Return {recorded file: deleted, modified or not in cache} for files that differ from the record.

        DVC does not look at files of which it keeps no copy, so these are read here.
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
        """Return confirmed products that are here as recorded, as is everything upstream that is here."""
        doubtful: set[str] = set()  # with other content, or made from such files
        for path, product in self.study.products.items():
            if doubtful.intersection(product.needs) or (path in differing and (self.root / path).exists()):
                doubtful.add(path)
        return {path for path in self.confirmed - doubtful if (self.root / path).exists()}

    def wanted(self, names: list[str]) -> tuple[set[str], list[str]]:
        """Return (products, .dvc files of raw data) that must be here for these figures, or for all."""
        waiting = self.study.of_stages(names) if names else list(self.study.products)
        # A figure comes with its tables, as readers are most likely to change how it is drawn.
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

    def declare(self, paths: Iterable[str], known: bool = True, unread: Iterable[str] = ()) -> None:
        """Declare these confirmed files up to date to Snakemake, unless it has them as such.

        unread: those that only DVC compared with the record. It believes what it downloaded unchecked.
        """
        confirmed = sorted(paths)
        if not confirmed:
            return
        if known:
            rows = self.snakemake.rows(confirmed).values()
            known = all(row.known and not row.pending for row in rows)
        if not known:
            if wrong := [path for path in unread if not self.record.fits(path)]:
                raise InputError(
                    f"{few(wrong)}: not what dvc.lock records, though DVC takes it for that: downloaded"
                    " without a check, or damaged since. Delete it, then `make pull`"
                )
            self.snakemake.declare(confirmed)
        for path in confirmed:
            stage = self.study.products[path].stage
            if stage in self.study.figures or stage == "claims":
                self._note_unmeasured(stage)

    def raw(self, dataset: str) -> list[str]:
        """List the .dvc files of a published data set, "*" for all."""
        found = (self.root / "data/raw").glob(f"{dataset}.dvc")
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def _bring(self, paths: list[str], names: list[str], everything: bool) -> None:
        """Have DVC check out these files; a local file of which it has no copy stays unless out of date."""
        if not paths:
            return
        remote = self.dvc.setting("core.remote")
        self._verify(paths, remote)
        absent = self._absent(paths)
        if not remote:
            self._refuse_without_remote(absent, names)
        remote = remote if absent else ""
        done = self._fetch(paths, remote, everything)
        if not all((self.root / path).exists() for path in paths) and self.dvc.forget_index():
            done = self._fetch(paths, remote, everything)
        # DVC also succeeds when it skipped a file, so contents are checked before they are declared current.
        if done.returncode or not all(self._right(path) for path in paths):
            self._explain(paths, names, remote, done)
        size = sum(self.record.sizes[path] for path in paths)
        origin = remote or "DVC's cache and the copies in git"
        log.info("%d files, %.1f MB, from %s", len(paths), size / 1e6, origin)

    def _absent(self, paths: Iterable[str]) -> set[str]:
        """Return which of these files must come from a remote, as neither DVC's cache nor git has them."""
        digests = {path: self.record.by_path[path].outs[path] for path in paths}
        return digests.keys() - published.cached(self.root, self.dvc.cache(), digests)

    def _fetch(self, paths: list[str], remote: str, everything: bool) -> CompletedProcess:
        """Call DVC for these files until a call fails; return the last call."""
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
        """Make DVC verify its downloads, which it trusts by default, and check the copies in its cache.

        A cached file whose content does not match its name was damaged there, and DVC would keep using it.
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
        """Reduce the paths to few DVC targets, with the name of a stage for all its products.

        Names and paths need two calls: given both, DVC 3.67 silently fetches only the named stages.
        """
        entries = {self.record.by_path[path].name: self.record.by_path[path] for path in paths}
        whole = {name for name, entry in entries.items() if entry.outs.keys() <= set(paths)}
        single = [path for path in paths if self.record.by_path[path].name not in whole]
        return [targets for targets in (sorted(whole), single) if targets]

    def _outdated(self, paths: list[str]) -> bool:
        """Return whether Snakemake would also replace all that differs, e.g. after a setting was reverted."""
        changed = [path for path, how in self.differing().items() if path in paths and how == "modified"]
        rows = self.snakemake.rows(changed) if changed else {}
        return bool(changed) and all(rows[path].pending and not rows[path].doubted for path in changed)

    def _explain(self, paths: list[str], names: list[str], remote: str, done: CompletedProcess) -> None:
        """Raise InputError: which files DVC could not fetch, why, and what to do."""
        left = {path: how for path, how in self.differing().items() if path in paths}
        if changed := [path for path, how in left.items() if how == "modified"]:
            raise InputError(
                f"{few(changed)}: not what dvc.lock records, and DVC has no copy of the local file, so it"
                " would be lost. Delete it or move it away, then `make pull` fetches the recorded one; or"
                " continue with your own"
            )
        refuse_full(done.stderr)
        if not remote:
            raise InputError(f"dvc checkout failed. DVC says:\n{said(done)}")
        self._refuse_damaged(left, remote, done)
        needed = self._needing(names)
        missing = f"remote {remote!r} has no {few(left)}, needed by {needed}" if left else "dvc pull failed"
        raise InputError(f"{missing}. DVC says:\n{said(done)}")

    def _needing(self, names: list[str]) -> str:
        return ", ".join(names) or f"the {self.study.name} study"

    def _figures(self) -> set[str]:
        return {path for name in self.study.figures for path in self.study.of_stages([name])}

    def _refuse_unrecorded(self, names: list[str]) -> None:
        """Raise InputError for a published study of which dvc.lock has no figure."""
        folder = published.PUBLISHED / self.study.name
        if not self._figures() & self.record.by_path.keys() and (self.root / folder).is_dir():
            raise InputError(
                f"dvc.lock has no figure of study {self.study.name}. Its tables and figures are in {folder}:"
                f" `directions figure {(names or self.study.figures)[0]} {folder} --output FILE` draws one"
            )

    def _refuse_without_remote(self, absent: set[str], names: list[str]) -> None:
        """Raise InputError for files that are not here, nor in DVC's cache, nor in git."""
        absent = {path for path in absent if not (self.root / path).exists()}
        if not absent:
            return
        ways = []
        if published.changed(self.root, self.study.name, absent):
            folder = published.PUBLISHED / self.study.name
            ways.append(f"If you changed {folder}: `git checkout -- {folder}`.")
        if not names and self._figures() & self.record.by_path.keys():
            ways.append("Single figures and their tables need no remote: `make pull FIG=fig1a`.")
        targets = " ".join(names or ["all"])
        ways.append(f"To compute them: `snakemake --cores all --config study={self.study.name} -- {targets}`")
        raise InputError(
            f"{few(sorted(absent))}, needed by {self._needing(names)}: neither here nor in git, and no remote"
            " is configured: `make remote DIR=...` with the folder, s3:// or ssh:// address that holds the"
            f" project's files (docs/SHARING.md). {' '.join(ways)}"
        )

    def _refuse_damaged(self, left: Iterable[str], remote: str, done: CompletedProcess) -> None:
        """Raise InputError for objects in the remote whose content does not match their name."""
        if "failed to transfer" in done.stderr:  # which explains why they are not here
            return
        damaged = sorted(set(left) & self.dvc.in_remote(sorted(left)))
        if damaged:
            digests = (self.record.by_path[path].outs[path] for path in damaged)
            objects = [f"{kept_as(digest)} ({path})" for path, digest in zip(damaged, digests, strict=True)]
            address = self.dvc.setting(f"remote.{remote}.url")
            raise InputError(
                f"remote {remote!r} ({address}) is damaged: the content of {few(objects)} does not match its"
                " name, and is not used. Delete it there, then `make push` in a checkout that has the right"
                f" file; or make your own: `snakemake --cores all -- {damaged[0]}`"
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
                "cache.type is hardlink, and Snakemake cannot replace hard-linked files:"
                " `dvc config --local cache.type copy` (or symlink, reflink), then `dvc checkout --relink`"
            )
