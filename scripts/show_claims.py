"""Print a study's claims table for a terminal: claim, paper's number, ours with its interval, verdict."""

import textwrap
from pathlib import Path

import pandas as pd

from directions.claims import VERDICTS
from directions.cli import parser, start
from directions.errors import InputError
from directions.tidy import read, require

WIDTHS = {"figure": 6, "claim": 48, "paper": 7, "ours": 24, "verdict": 16}  # 109 with two blanks between


def cells(row: dict) -> list[list[str]]:
    """The lines of each cell of one claim, in the order of WIDTHS."""
    ours = "-"
    if not pd.isna(row["estimate"]):
        interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
        ours = f"{row['estimate']:.3f}{interval}"
    if not pd.isna(row["paper_value"]):
        paper = f"{row['paper_value']:g}"
    else:
        paper = {"above": ">", "below": "<"}[row["direction"]] + f" {row['bound']:g}"
    claim = textwrap.wrap(row["claim"], WIDTHS["claim"])
    if not pd.isna(row["note"]):
        claim += textwrap.wrap(f"({row['note']})", WIDTHS["claim"])
    return [[row["figure"]], claim, [paper], [ours], textwrap.wrap(row["verdict"], WIDTHS["verdict"])]


def layout(columns: list[list[str]]) -> str:
    """Cells side by side, each padded to its width."""
    height = max(map(len, columns))
    padded = [lines + [""] * (height - len(lines)) for lines in columns]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, WIDTHS.values(), strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    )
    return "\n".join(lines)


def show(results: pd.DataFrame) -> str:
    """The whole table as text, at most 110 columns wide, with the count of each verdict at the end."""
    parts = [layout([[name] for name in WIDTHS]), layout([["-" * width] for width in WIDTHS.values()])]
    parts += [layout(cells(row)) for row in results.to_dict("records")]
    counts = results["verdict"].value_counts()
    parts.append("\n" + " · ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS))
    return "\n".join(parts)


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("csv", help="the claims table, e.g. results/quick/tables/claims.csv")
    path = Path(options.parse_args(argv).csv)
    if path.suffix != ".csv":
        raise InputError(
            f"{path} is no CSV file: give the claims table, e.g. results/quick/tables/claims.csv"
        )
    tables = read(path.parent, [path.stem])
    numbers = ("estimate", "low", "high", "paper_value", "bound", "note")
    print(show(require(tables, path.stem, "figure", "claim", "direction", "verdict", may_be_empty=numbers)))


if __name__ == "__main__":
    start(main)
