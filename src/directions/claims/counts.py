"""Count the verdicts in claims tables by source and kind, and describe where the claims come from."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from directions.claims.format import (
    FIGURE,
    FOLLOW_UPS,
    INFERRED,
    PAPER,
    REPLICATION,
    SOURCES,
    from_memory,
    source,
)
from directions.claims.verdicts import KINDS, VERDICTS, place
from directions.core import tables as table_files
from directions.core.errors import InputError

_PHRASES = {REPLICATION: "a replication's", FOLLOW_UPS: "follow-up work's"}
_MAY_BE_EMPTY = (
    *("tested_on", "estimate", "low", "high", "networks", "paper_value", "paper_error", "bound", "note"),
)


def read(path: Path) -> pd.DataFrame:
    """Read the claims table from the CSV file `path`, and add the column `source`: whose claim each is.

    Raises InputError if the file is not a claims table, or for an unknown kind or certainty.
    """
    table = table_files.require(
        table_files.read(path.parent, [path.stem]),
        path.stem,
        *("id", "figure", "claim", "statistic", "kind", "direction", "verdict", "certainty", "origin"),
        may_be_empty=_MAY_BE_EMPTY,
    )
    for kind in table["kind"].unique():
        if kind not in KINDS:
            raise InputError(f"{path}: {kind!r} is not a kind of claim: there are {', '.join(KINDS)}")
    return table.assign(source=table["certainty"].map(source))


def by_source(table: pd.DataFrame) -> pd.DataFrame:
    """Count claims per verdict (rows) and source (columns; only those with claims)."""
    return _counted(table, "source", SOURCES)


def by_kind(table: pd.DataFrame) -> pd.DataFrame:
    """Count the paper's claims per verdict (rows) and kind (columns; only those with claims)."""
    return _counted(table[table["source"] == PAPER], "kind", KINDS)


def _counted(table: pd.DataFrame, column: str, order: tuple[str, ...]) -> pd.DataFrame:
    counts = pd.crosstab(table["verdict"], table[column])
    columns = [value for value in order if value in counts.columns]
    return counts.reindex(index=VERDICTS, columns=columns, fill_value=0)


def distances(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise claims of kind shape per figure: `mean` and `largest` distance from the printed curves.

    `largest` comes from claims whose statistic is named largest, NaN if a curve is missing; the other claims
    are means, one per curve: there are `curves` of them, of which `known` have a distance.
    """
    shapes = table[table["kind"] == "shape"]
    named = shapes["statistic"].str.contains("largest")
    means = shapes[~named].groupby("figure")["estimate"]
    largest = shapes[named].groupby("figure")["estimate"].max()
    columns = {"mean": means.mean(), "largest": largest, "curves": means.size(), "known": means.count()}
    return pd.DataFrame(columns)


def merged(studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Combine the claims of several studies, each claim once, in the order of the paper's figures."""
    table = pd.concat(studies.values()).drop_duplicates("id")
    return table.sort_values("figure", key=lambda figures: figures.map(place), kind="stable")


def panels(table: pd.DataFrame) -> str:
    """List the figures that the claims are about: "1a, 4c and A1"."""
    names = [figure.removeprefix("fig") for figure in dict.fromkeys(table["figure"])]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def origins(table: pd.DataFrame) -> list[str]:
    """Write sentences on whose claims are in `table`, and which of the paper's are from memory."""
    numbers = table["source"].value_counts()
    theirs = table[table["source"] == PAPER]
    others = [f"{numbers[name]} {phrase}" for name, phrase in _PHRASES.items() if name in numbers]
    whole = ", ".join([f"{len(theirs)} are the paper's", *others])
    lines = [f"Of the {len(table)} claims tested here {whole}."]
    memory = theirs[theirs["certainty"].map(from_memory)]
    figure = theirs[theirs["certainty"] == FIGURE]
    inferred = theirs[theirs["certainty"] == INFERRED]
    stated = len(theirs) - len(memory) - len(figure) - len(inferred)
    parts = [
        (figure, f"{len(figure)} are read from its printed figures ({panels(figure)})"),
        (range(stated), f"{stated} from its abstract or its public review"),
        (inferred, f"{len(inferred)} by an inference of ours"),
        (memory, f"{len(memory)} from memory"),
    ]
    if len(theirs):
        lines.append(f"Of the paper's, {', '.join(text for rows, text in parts if len(rows))}.")
    if len(memory):
        several = "s" if len(set(memory["figure"])) > 1 else ""
        lines.append(
            f"From memory are claims about Figure{several} {panels(memory)}, each marked so:"
            " check them in the paper before you cite them."
        )
    return lines
