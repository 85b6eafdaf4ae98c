"""What stands in the tables of the report: claims, the study's tables, run times."""

from pathlib import Path

import pandas as pd

from directions.claims import headlines
from directions.claims.format import claimed, found, number, plain, whose
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.report.numbers import column, minus, rounded
from directions.workflow.run_times import times

ROWS = 400  # longer tables are listed without their rows, which would dominate the file size


def table(frame: pd.DataFrame) -> dict:
    """Return columns and cells, each cell with its sort key (the value itself).

    Columns with the same value in all rows are stated once, above the table.
    """
    many = len(frame) > 1
    same = [name for name in frame if many and len(frame[name].unique()) == 1]
    rest = frame.drop(columns=same)
    stated = ((name, column(frame[name])[0]) for name in same)
    keys = rest.astype(object).where(rest.notna(), "")
    shown = pd.DataFrame({name: column(rest[name]) for name in rest}, dtype=object)
    return {
        "columns": [(str(name), pd.api.types.is_numeric_dtype(rest[name])) for name in rest],
        "rows": [list(zip(*both, strict=True)) for both in zip(keys.values, shown.values, strict=True)],
        "same": [(name, value) for name, value in stated if value],
    }


def tables(folder: Path) -> list[dict]:
    """Return every table of the study, {experiment, name, rows, table}, long ones without their cells."""
    listed = []
    for path in sorted(folder.glob("*/*.csv")):
        frame = table_files.csv(path)
        cells = table(frame.drop(columns="experiment", errors="ignore")) if len(frame) <= ROWS else None
        listed.append({"experiment": path.parent.name, "name": path.stem, "rows": len(frame), "table": cells})
    return listed


def answers(claims: pd.DataFrame) -> list[dict]:
    """Return the claims as dicts of the page's texts."""
    narrow = headlines.too_few(claims)
    return [
        row.to_dict()
        | {
            "panel": row["figure"].removeprefix("fig"),
            "claimed": minus(claimed(row)),
            "number": minus(number(row)),
            "whose": whose(row["certainty"]),
            "plain": plain(row["certainty"]),
            "found": parts(row),
            "narrow": narrow[place],
            "why": "" if pd.isna(row["note"]) else rounded(row["note"]),
            "on": "" if pd.isna(row["tested_on"]) else row["tested_on"],
        }
        for place, row in claims.iterrows()
    ]


def parts(row: pd.Series) -> dict:
    """Return our result in parts: `value` with its interval, `networks` ("n = 2"), `distance`; or ""."""
    said, _, distance = minus(found(row)).partition("; ")
    value, _, networks = said.partition(", n = ")
    return {"value": value, "networks": networks and f"n = {networks}", "distance": distance}


def run_times(folder: Path) -> dict | None:
    """Return {table, seconds} of the measured jobs; None: none ran here."""
    units = {"median": "median, s", "total": "total, s", "memory_mib": "memory, MiB"}
    try:
        measured = times(folder).reset_index().rename(columns=units)
    except InputError:
        return None
    return {"table": table(measured), "seconds": float(measured["total, s"].sum())}
