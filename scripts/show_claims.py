"""Print a study's claims table for a terminal: one line per claim, or with --figure everything about some."""

import textwrap
from pathlib import Path

import pandas as pd

from directions.claims import VERDICTS, place
from directions.cli import parser, start
from directions.errors import InputError
from directions.tidy import read, require

COLUMNS = 110
WIDTHS = {"claim": 36, "paper": 8, "ours": 24, "verdict": 26}  # with two blanks between and two in front
BEYOND = "*"  # marks a claim that is not the paper's


def numbers(row: dict) -> tuple[str, str]:
    """(what the paper says, what we found), e.g. ("> 0", "0.312 [0.280, 0.340]")."""
    ours = "-"
    if not pd.isna(row["estimate"]):
        interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
        ours = f"{row['estimate']:.3f}{interval}"
    if row["direction"] == "equal":
        return f"{row['paper_value']:g}", ours
    return {"above": ">", "below": "<"}[row["direction"]] + f" {row['bound']:g}", ours


def line(*cells: str) -> str:
    """Cells side by side, each padded to its width."""
    return "  " + "  ".join(f"{c:{w}}" for c, w in zip(cells, WIDTHS.values(), strict=True)).rstrip()


def short(row: dict) -> list[str]:
    """A claim in one line, and a second one where there is a note."""
    name = row["id"].removeprefix(f"{row['figure']}_").replace("_", " ")
    beyond = BEYOND if row["certainty"] in ("follow-up", "replication") else ""
    lines = [line(name + beyond, *numbers(row), row["verdict"])]
    if not pd.isna(row["note"]):
        lines.append(f"    ({textwrap.shorten(row['note'], COLUMNS - 6, placeholder=' ...')})")
    return lines


def full(row: dict) -> list[str]:
    """Everything about a claim: its numbers, its sentence, the note, how sure we are and whence it is."""
    texts = [row["claim"], *([] if pd.isna(row["note"]) else [f"Note: {row['note']}"])]
    texts.append(f"{row['certainty']}: {row['origin']}")
    wrapped = [part for text in texts for part in textwrap.wrap(text, COLUMNS - 4)]
    return [short(row)[0], *(f"    {part}" for part in wrapped)]


def heading(rows: pd.DataFrame) -> str:
    """ "Figure 1b: MNIST, conv11 width 0.125, ..."."""
    scale = rows["tested_on"].iloc[0]
    return f"Figure {rows['figure'].iloc[0].removeprefix('fig')}: {'no table' if pd.isna(scale) else scale}"


def show(results: pd.DataFrame, complete: bool) -> str:
    """The table as text, at most 110 columns wide, by figure, with the count of each verdict at the end."""
    parts = [line(*WIDTHS)]
    for figure in sorted(results["figure"].unique(), key=place):
        rows = results[results["figure"] == figure]
        parts += ["", heading(rows)]
        for row in rows.to_dict("records"):
            parts += full(row) if complete else short(row)
    counts = results["verdict"].value_counts()
    parts += ["", f"{BEYOND} not the paper's: an independent replication, or a question of follow-up work"]
    parts.append(" · ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS))
    return "\n".join(parts)


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("csv", help="the claims table, e.g. results/quick/tables/claims.csv")
    options.add_argument("--figure", nargs="+", default=[], help="only these, in full, e.g. fig4c figA3a")
    args = options.parse_args(argv)
    path = Path(args.csv)
    if path.suffix != ".csv":
        raise InputError(
            f"{path} is no CSV file: give the claims table, e.g. results/quick/tables/claims.csv"
        )
    table = require(
        read(path.parent, [path.stem]),
        path.stem,
        *("id", "figure", "claim", "direction", "verdict", "certainty", "origin"),
        may_be_empty=("tested_on", "estimate", "low", "high", "paper_value", "bound", "note"),
    )
    for figure in args.figure:
        if figure not in set(table["figure"]):
            known = ", ".join(sorted(table["figure"].unique(), key=place))
            raise InputError(f"{path} has no claim about {figure!r}: it has claims about {known}")
    chosen = table[table["figure"].isin(args.figure)] if args.figure else table
    print(show(chosen, complete=bool(args.figure)))


if __name__ == "__main__":
    start(main)
