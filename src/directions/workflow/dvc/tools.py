"""Call DVC and Snakemake through their public commands, and turn failures into readable errors."""

import csv
import fcntl
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from directions.core.errors import InputError
from directions.workflow.dvc import forked_commands
from directions.workflow.dvc.recovery import full_disk_in_words, mend_rwlock, refuse_full, snakemake_locks

log = logging.getLogger(__name__)

SITE_CACHE = "DVC_SITE_CACHE_DIR"


class Dvc:
    """The dvc command in a checkout, which waits while another DVC process holds its lock.

    DVC rereads dvc.yaml and dvc.lock for each target, so status and push are called without targets.
    """

    def __init__(self, root: Path):
        self._root = root
        self._settings: dict[str, str] | None = None

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command; its exit code is left to the caller."""
        mend_rwlock(self._root)
        return _run("dvc", "--wait-for-lock", *arguments, root=self._root)

    def do(self, *arguments: str) -> str:
        """Run a command and return its standard output. Raises InputError with DVC's message if it fails."""
        done = self.call(*arguments)
        if done.returncode:
            refuse_full(done.stderr)
            raise InputError(f"dvc {arguments[0]} failed:\n{said(done)}")
        return done.stdout

    def differing(self) -> dict[str, str]:
        """Return {path: deleted, modified, not in cache, ...} for products that differ from dvc.lock."""
        status = json.loads(self.do("status", "--json") or "{}")
        return {path: how for change in _changes(status, "changed outs") for path, how in change.items()}

    def changed(self) -> set[str]:
        """Return the stages (and .dvc files) in which anything differs from dvc.lock."""
        return set(json.loads(self.do("status", "--json") or "{}"))

    def setting(self, name: str) -> str:
        """Return a value of DVC's configuration, set at any level; "" if it is not set."""
        if self._settings is None:
            lines = self.do("config", "--list").splitlines()
            self._settings = dict(line.split("=", 1) for line in lines if "=" in line)
        return self._settings.get(name, "")

    def cache(self) -> Path:
        """Return DVC's cache folder."""
        chosen = self.do("cache", "dir").strip() if self.setting("cache.dir") else ".dvc/cache"
        return self._root / chosen

    def forget_index(self) -> bool:
        """Remove DVC's data index, which it then rebuilds; return whether there was one.

        A kill or a full disk can leave it incomplete, and DVC, taking it as complete, would never fetch the
        rest. A folder chosen by the user may hold indexes of other checkouts, so it is left alone.
        """
        site = Path(private(self._root)).resolve()
        ours = site.is_relative_to(self._root.resolve())
        found = list(site.glob("repo/*/index")) if ours else []
        for folder in found:
            shutil.rmtree(folder)
        return bool(found)

    def in_remote(self, paths: list[str]) -> set[str]:
        """Return which of these files are in the remote but not in DVC's cache; none if it is unreachable."""
        done = self.call("status", "--cloud", "--json", *paths)
        said = json.loads(done.stdout or "{}") if not done.returncode else {}
        return {path for path, how in said.items() if how == "deleted"}


def kept_as(digest: str) -> str:
    """Return the path of the content with this MD5 in a DVC remote or cache."""
    return f"files/md5/{digest[:2]}/{digest[2:]}"


def _changes(status: dict, kind: str) -> Iterator[dict]:
    for entries in status.values():
        yield from (entry[kind] for entry in entries if isinstance(entry, dict) and kind in entry)


@dataclass(frozen=True)
class Row:
    """Snakemake's state of a file: whether its job is pending, it is missing, its job is on record."""

    pending: bool
    missing: bool
    known: bool
    doubted: bool  # pending because the file is not the one that its job made (see snakemake_records.py)


class Snakemake:
    """The snakemake command for one study in a checkout."""

    def __init__(self, root: Path, study: str, figures: str | None = None):
        """Take a study and figures: fig1a,fig2a, or all; by default those of config.yaml."""
        self._root = root
        self._config = [f"study={study}", *([f"figures={figures}"] if figures else [])]

    def _call(self, *options: str, targets: Iterable[str]) -> subprocess.CompletedProcess:
        return _run("snakemake", *options, "--config", *self._config, "--", *targets, root=self._root)

    def rows(self, targets: Iterable[str]) -> dict[str, Row]:
        """Return {file: its state} for these targets and everything upstream.

        The summary omits the outputs of failed jobs, so a dry run is consulted as well.
        """
        targets = list(targets)
        done = self._checked(self._call("--summary", targets=targets))
        again = self.pending(targets)
        table = csv.DictReader(done.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        return {
            row["output_file"]: Row(
                row["plan"] == "update pending" or row["output_file"] in again,
                row["status"] == "missing",
                row["log-file(s)"] != "-",
                again.get(row["output_file"], "").startswith("Forced"),
            )
            for row in table
        }

    def pending(self, targets: Iterable[str]) -> dict[str, str]:
        """Return {file that a run would make or remake: why}, from a dry run."""
        planned = self._checked(self._call("--dry-run", targets=targets)).stdout
        found: dict[str, str] = {}
        for job in re.split(r"^(?:local)?rule \w+:\n", planned, flags=re.MULTILINE)[1:]:
            said = dict(re.findall(r"^ {4}(output|reason): (.+)$", job, re.MULTILINE))
            found |= dict.fromkeys(said.get("output", "").split(", "), said.get("reason", ""))
        return found

    def declare(self, targets: Iterable[str]) -> None:
        """Record that these files and all upstream of them match the current settings and code.

        Contents are taken on trust, so check them first. Upstream files may be absent.
        """
        # Not `--quiet all`, which also hides why it failed.
        self._checked(
            self._call("--cores", "1", "--touch", "--forceall", "--quiet", "rules", targets=targets)
        )

    def plan(self, targets: Iterable[str]) -> dict[str, int]:
        """Return {rule: number of jobs} from a dry run."""
        done = self._checked(self._call("--dry-run", "--quiet", "rules", targets=targets))
        jobs = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
        return {rule: int(count) for rule, count in jobs if rule not in ("all", "total")}

    def make(self, targets: Iterable[str]) -> int:
        """Make the targets with all cores, with output to the terminal; return the exit code."""
        options = ["--cores", "all", "--config", *self._config, "--", *targets]
        command = [sys.executable, "-m", "snakemake", *options]
        return subprocess.run(command, cwd=self._root, check=False).returncode

    def _checked(self, done: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
        words = said(done)
        if done.returncode and "cannot be locked" in words:
            locks = ", ".join(snakemake_locks(self._root))
            raise InputError(
                f"Snakemake is running in this folder, or was killed in it: {locks} locks it."
                " Wait until it is done; if none is running, `snakemake --unlock`, then rerun"
            )
        if done.returncode:
            refuse_full(words)
            raise InputError(f"snakemake failed:\n{words}")
        return done


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Allow one pull or push at a time in a checkout; a second one logs that it waits."""
    path = root / ".dvc/tmp/sharing.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another pull or push is running in this folder: waiting until it is done")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with full_disk_in_words():
            yield


def said(done: subprocess.CompletedProcess) -> str:
    """Return the last lines of a command's output."""
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])


def _run(module: str, *arguments: str, root: Path) -> subprocess.CompletedProcess:
    environment = os.environ | ({SITE_CACHE: private(root)} if module == "dvc" else {})
    return forked_commands.run([sys.executable, "-m", module, *arguments], root, environment)


def private(root: Path) -> str:
    """Return DVC's state folder: a private folder in the checkout, or the user's choice.

    The state is pickled, and its default folder is world-writable: any user of the machine could run code.
    """
    if chosen := os.environ.get(SITE_CACHE):
        return chosen
    folder = root.resolve() / ".dvc/tmp/site"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return str(folder)
