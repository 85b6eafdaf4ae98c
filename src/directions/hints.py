"""Ways out for error messages: the word that was meant, the command that makes a file again."""

import difflib
from collections.abc import Iterable
from pathlib import Path


def nearest(word: object, known: Iterable[str]) -> str:
    """ "; did you mean x?" for the known word most like this one, in whatever case, or nothing."""
    folded = {name.casefold(): name for name in known}
    match = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[match[0]]}?" if match and folded[match[0]] != word else ""


def few(paths: Iterable[str]) -> str:
    """The first three of some names, and how many more there are."""
    found = sorted(paths)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def rebuild(path: Path | str) -> str:
    """The way out of a damaged product: what to do, and for one of a study the command that makes it again.

    `rebuild("results/quick/noise/a/b.csv")` ends with "--config study=quick -- results/quick/noise/a/b.csv`".
    """
    options = chosen(path)
    command = f": `snakemake --cores all {options} -- {path}`" if options else ""
    return f"delete it and run again to rebuild it{command}"


def chosen(path: Path | str) -> str:
    """The options with which Snakemake knows a product: `--config study=quick`; "" of other files."""
    folder, study, *_ = (*Path(path).parts, "", "")
    if folder != "results":
        return ""
    return "--configfile configs/own.yaml" if study == "own" else f"--config study={study}"
