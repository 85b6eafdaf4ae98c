"""Suggestions for error messages: the nearest valid word, the command that rebuilds a file."""

import difflib
from collections.abc import Iterable
from pathlib import Path


def nearest(word: object, known: Iterable[str]) -> str:
    """Suggest the known word closest to this one as "; did you mean x?", ignoring case, or return ""."""
    folded = {name.casefold(): name for name in known}
    match = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[match[0]]}?" if match and folded[match[0]] != word else ""


def few(paths: Iterable[str]) -> str:
    """Join the first three of some names, and say how many more there are."""
    found = sorted(paths)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def rebuild(path: Path | str) -> str:
    """Say how to rebuild a damaged product, with the command if it belongs to a study.

    `rebuild("results/quick/noise/a/b.csv")` ends with "--config study=quick -- results/quick/noise/a/b.csv`".
    """
    options = chosen(path)
    command = f": `snakemake --cores all {options} -- {path}`" if options else ""
    return f"delete it and run again to rebuild it{command}"


def chosen(path: Path | str) -> str:
    """Return the options that select a product's study: `--config study=quick`; "" for other files."""
    folder, study, *_ = (*Path(path).parts, "", "")
    if folder != "results":
        return ""
    return "--configfile configs/own.yaml" if study == "own" else f"--config study={study}"
