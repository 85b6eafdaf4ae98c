"""Where the files of a study's report are: its own results, or the copies of them that git has."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from directions.core.errors import InputError
from directions.study import config
from directions.workflow.dvc import current, published

PAGE = "report.html"
CLAIMS = "tables/claims.csv"


@dataclass(frozen=True)
class Source:
    """The folder with tables and figures, and what the page says of it."""

    folder: Path
    said: str


def find(root: Path, study: str, figures: str, stale: bool) -> Source:
    """Return the files of a study in a checkout, checked to be current.

    A study of which nothing is here is taken from where git has it. Raises InputError with the command that
    is missing: to run the study, to finish it, or to accept what is out of date.
    """
    folder, copies = root / "results" / study, root / published.PUBLISHED / study
    if not _begun(folder):
        if (copies / CLAIMS).is_file():
            if figures != "all":
                raise InputError(
                    f"the report of {study} as published has all its figures: leave out FIGURES={figures}"
                )
            return Source(copies, f"{copies.relative_to(root)}{_commit(root, copies)}")
        config.find(study, root, root)
        raise InputError(
            f"there are no results of the study {study} here: run"
            f" `snakemake --cores all --config study={study} figures={figures} -- all` first"
        )
    current.check(root, study, figures, stale)
    return given(folder, study)


def given(folder: Path, study: str) -> Source:
    """Return a folder of results, unchecked. Raises InputError if it has no claims table."""
    if not (folder / CLAIMS).is_file():
        raise InputError(
            f"{folder} has no claims table: finish the study first,"
            f" `snakemake --cores all --config study={study} -- all`"
        )
    return Source(folder, "")


def _begun(folder: Path) -> bool:
    """Return whether a folder of results holds more than a report, whole or partial."""
    return folder.is_dir() and any(not path.name.endswith(".html") for path in folder.iterdir())


def _commit(root: Path, folder: Path) -> str:
    """Say with which commit a folder was last changed: ", of commit 1234567 of 2026-11-30"; or ""."""
    command = ["git", "log", "-1", "--format=%h of %cs", "--", str(folder)]
    try:
        said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f", of commit {said}" if said else ""
