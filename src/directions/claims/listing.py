"""Format a claims table as text for a terminal, by figure, with the counts of verdicts."""

import textwrap

import pandas as pd

from directions.claims.counts import by_source
from directions.claims.format import PAPER, from_memory, number, whose
from directions.claims.verdicts import place

COLUMNS = 110
WIDTHS = {"claim": 28, "claimed": 19, "ours": 26, "verdict": 26}  # each preceded by two spaces
BEYOND, MEMORY = "*", "~"  # mark claims that are not the paper's, and claims from memory
LEGEND = {
    BEYOND: "not the paper's: an independent replication's, or a question of follow-up work",
    MEMORY: "the paper's, from memory: check in the paper before you cite it",
}


def mark(row: dict) -> str:
    """Return the mark after a claim's name: a key of `LEGEND`, or "" for a claim read from the paper."""
    if row["source"] != PAPER:
        return BEYOND
    return MEMORY if from_memory(row["certainty"]) else ""


def ours(row: dict) -> str:
    """Format our result, e.g. "0.312 [0.280, 0.340]"."""
    if pd.isna(row["estimate"]):
        return "-"
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['estimate']:.3f}{interval}"


def line(*cells: str) -> str:
    """Join cells, each padded to its width."""
    return "  " + "  ".join(f"{c:{w}}" for c, w in zip(cells, WIDTHS.values(), strict=True)).rstrip()


def short(row: dict) -> list[str]:
    """Format a claim in one line, with a second one for a note."""
    name = row["id"].removeprefix(f"{row['figure']}_").replace("_", " ")
    lines = [line(name + mark(row), number(row), ours(row), row["verdict"])]
    if not pd.isna(row["note"]):
        lines.append(f"    ({textwrap.shorten(row['note'], COLUMNS - 6, placeholder=' ...')})")
    return lines


def full(row: dict) -> list[str]:
    """Format all details of a claim: numbers, sentence, note, whose claim it is and its origin."""
    texts = [row["claim"], *([] if pd.isna(row["note"]) else [f"Note: {row['note']}"])]
    texts.append(f"{row['kind']} ({whose(row['certainty'])}): {row['origin']}")
    wrapped = [part for text in texts for part in textwrap.wrap(text, COLUMNS - 4)]
    return [short(row)[0], *(f"    {part}" for part in wrapped)]


def heading(rows: pd.DataFrame) -> str:
    """Return a heading, "Figure 1b: MNIST, conv11 width 0.125, ..."."""
    scale = rows["tested_on"].iloc[0]
    return f"Figure {rows['figure'].iloc[0].removeprefix('fig')}: {'no table' if pd.isna(scale) else scale}"


def totals(results: pd.DataFrame) -> list[str]:
    """Tabulate the number of claims with each verdict, one column per source."""
    counts = by_source(results)
    heads = [f"{name}{'' if name == PAPER else BEYOND}" for name in counts]
    rows = [("", *heads), *((verdict, *map(str, row)) for verdict, row in counts.iterrows())]
    return ["  " + f"{row[0]:26}" + "".join(f"{cell:>16}" for cell in row[1:]) for row in rows]


def show(results: pd.DataFrame, complete: bool) -> str:
    """Format the table as text of at most 110 columns, by figure, followed by the counts of verdicts."""
    parts = [line(*WIDTHS)]
    for figure in sorted(results["figure"].unique(), key=place):
        rows = results[results["figure"] == figure]
        parts += ["", heading(rows)]
        for row in rows.to_dict("records"):
            parts += full(row) if complete else short(row)
    marks = {mark(row) for row in results.to_dict("records")}
    legend = [f"{sign} {meaning}" for sign, meaning in LEGEND.items() if sign in marks]
    return "\n".join([*parts, "", *totals(results), *([""] if legend else []), *legend])
