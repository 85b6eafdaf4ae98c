"""Write a study's claims table as a Markdown page: one section per figure, counts of the verdicts on top."""

from pathlib import Path

import pandas as pd

from directions import cli, tidy
from directions.claims import VERDICTS, place
from directions.errors import InputError
from directions.files import atomic

SIDE = {"above": ">", "below": "<"}
HEAD = """\
# The paper's claims: results of the {study} study

This page is generated: `make results STUDY={study}` writes it with `scripts/write_results.py` from
`{claims}`. Do not edit it by hand.

What the verdicts mean stands at the top of `src/directions/claims.py`, what the words of certainty mean in
`data/paper/README.md`, which bounds and tolerances are ours in `docs/DEVIATIONS.md` (D13). In brackets: 95 %
intervals.

| verdict | claims |
|---|---|
"""


def claimed(row: dict) -> str:
    """The side and the number that are claimed, those that there are: "> 0, 0.095"."""
    side = f"{SIDE[row['direction']]} {row['bound']:g}" if row["direction"] in SIDE else ""
    number = "" if pd.isna(row["paper_value"]) else f"{row['paper_value']:g}"
    return ", ".join(filter(None, [side, number]))


def ours(row: dict) -> str:
    """Our value with its interval, those that there are: "0.312 [0.280, 0.340]"."""
    if pd.isna(row["estimate"]):
        return "-"
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['estimate']:.3f}{interval}"


def section(rows: pd.DataFrame) -> str:
    """A figure's heading, where it was tested, a table with a row per claim, and the notes below it."""
    figure = rows["figure"].iloc[0]
    tested = rows["tested_on"].dropna().unique()
    lines = [f"## Figure {figure.removeprefix('fig')}", ""]
    lines += [f"Tested on: {'; '.join(tested)}." if len(tested) else "This study has no tables for it.", ""]
    lines += ["| claim | claimed | ours | verdict | certainty |", "|---|---|---|---|---|"]
    notes = []
    for row in rows.to_dict("records"):
        name = row["id"].removeprefix(f"{figure}_")
        cells = [f"`{name}`: {row['claim']}", claimed(row), ours(row), row["verdict"], row["certainty"]]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        if not pd.isna(row["note"]):
            notes.append(f"- `{name}`: {row['note']}")
    return "\n".join([*lines, *(["", "Notes:", "", *notes] if notes else [])]) + "\n"


def page(table: pd.DataFrame, study: str, claims: str) -> str:
    """The whole page, figures in the paper's order."""
    counts = table["verdict"].value_counts()
    top = HEAD.format(study=study, claims=claims)
    top += "".join(f"| {verdict} | {counts.get(verdict, 0)} |\n" for verdict in VERDICTS)
    top += f"| all | {len(table)} |\n"
    figures = sorted(table["figure"].unique(), key=place)
    return "\n".join([top, *(section(table[table["figure"] == figure]) for figure in figures)])


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--claims", required=True, help="the claims table that check_claims.py wrote")
    parser.add_argument("--study", required=True, help="name of the study, for the title")
    parser.add_argument("--output", required=True, help="to write: the page, e.g. docs/RESULTS.md")
    args = parser.parse_args(argv)
    path = Path(args.claims)
    if path.suffix != ".csv":
        raise InputError(
            f"{path} is no CSV file: give the claims table, e.g. results/quick/tables/claims.csv"
        )
    table = tidy.require(
        tidy.read(path.parent, [path.stem]),
        path.stem,
        *("id", "figure", "claim", "direction", "verdict", "certainty"),
        may_be_empty=("tested_on", "estimate", "low", "high", "paper_value", "bound", "note"),
    )
    with atomic(args.output) as written:
        written.write_text(page(table, args.study, args.claims), encoding="utf-8")


if __name__ == "__main__":
    cli.start(main)
