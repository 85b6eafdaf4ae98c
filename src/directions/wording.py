"""Rows of a claims table in words, as pages show them."""

import pandas as pd

SIDE = {"above": ">", "below": "<"}


def claimed(row: pd.Series) -> str:
    """The side and the number that are claimed, those that there are: "> 0, 0.095"."""
    side = f"{SIDE[row['direction']]} {row['bound']:g}" if row["direction"] in SIDE else ""
    number = "" if pd.isna(row["paper_value"]) else f"{row['paper_value']:g}"
    return ", ".join(filter(None, [side, number]))


def found(row: pd.Series) -> str:
    """Our value, interval, fewest networks of a condition, where known: "0.310 [0.280, 0.340], n = 3"."""
    if pd.isna(row["estimate"]):
        return ""
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
    networks = "" if pd.isna(row["networks"]) else f", n = {int(row['networks'])}"
    return f"{row['estimate']:.3f}{interval}{networks}"
