"""Format rows of a claims table for display: source, claim and our result."""

import pandas as pd

from directions.core.errors import InputError

PAPER, REPLICATION, FOLLOW_UPS = SOURCES = ("the paper", "a replication", "follow-ups")
FIGURE, VERIFIED, INFERRED = "read from the figure", "verified", "inferred"
_READ = {FIGURE: FIGURE, VERIFIED: VERIFIED, INFERRED: "by our inference"}
_BEYOND = {"replication": REPLICATION, "follow-up": FOLLOW_UPS}
_MEMORY = {  # claims not checked in the paper -> what to add to "from memory"
    "remembered": "",
    "corroborated": ", and another source agrees",
    "unsure": ", in doubt",
}
_SIDE = {"above": ">", "below": "<"}


def source(certainty: str) -> str:
    """Name the source of a claim, one of `SOURCES`. Raises InputError for an unknown certainty."""
    if certainty in _BEYOND:
        return _BEYOND[certainty]
    if certainty in _READ or certainty in _MEMORY:
        return PAPER
    known = ", ".join((*_READ, *_MEMORY, *_BEYOND))
    raise InputError(f"{certainty!r} does not say whose claim it is: a certainty is one of {known}")


def from_memory(certainty: str) -> bool:
    """Return whether a paper's claim is from memory: its number must be checked there before it is cited."""
    return source(certainty) == PAPER and certainty in _MEMORY


def whose(certainty: str) -> str:
    """Format source and certainty: "the paper, from memory", "the paper, read from the figure"."""
    if source(certainty) != PAPER:
        return source(certainty)
    how = f"from memory{_MEMORY[certainty]}" if from_memory(certainty) else _READ[certainty]
    return f"{PAPER}, {how}"


def plain(certainty: str) -> bool:
    """Return whether a claim was read in the paper, so that no remark is needed."""
    return certainty in (FIGURE, VERIFIED)


def number(row: pd.Series) -> str:
    """Format side, number and 95 % error, as far as they exist and are not 0: "> 0", "0.801 ± 0.006"."""
    side = f"{_SIDE[row['direction']]} {row['bound']:g}" if row["direction"] in _SIDE else ""
    value, error = row["paper_value"], row["paper_error"]
    if pd.isna(value):
        return side
    exact = pd.isna(error) or error == 0
    digits = 3 if exact or error >= 0.001 else 5  # as many as ours have
    text = f"{round(value, digits):g}" if exact else f"{value:.{digits}f} ± {error:.{digits}f}"
    return ", ".join(filter(None, [side, text]))


def claimed(row: pd.Series) -> str:
    """Format a claim, its kind first: "direction > 0", "value 0.801 ± 0.006"."""
    return f"{row['kind']} {number(row)}"


def distance(row: pd.Series) -> float:
    """Compute the distance from the claim: ours minus the number, or a shape's estimate; otherwise NaN."""
    if row["kind"] == "shape":
        return row["estimate"]
    return row["estimate"] - row["paper_value"] if row["kind"] == "value" else float("nan")


def found(row: pd.Series) -> str:
    """Format our value, interval, fewest networks per condition and distance from the claim, if known.

    "0.310 [0.280, 0.340], n = 3", for a value "...; distance -0.034", for a shape "distance 0.034 [...]".
    """
    if pd.isna(row["estimate"]):
        return ""
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
    networks = "" if pd.isna(row["networks"]) else f", n = {int(row['networks'])}"
    value = f"{row['estimate']:.3f}{interval}{networks}"
    if row["kind"] == "shape":
        return f"distance {value}"
    return value if pd.isna(distance(row)) else f"{value}; distance {distance(row):+.3f}"
