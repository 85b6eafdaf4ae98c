"""Read and check data/paper/claims.csv, one claim per row; every error names its row and column."""

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

from directions.claims.statistics import SHAPES, STATISTICS
from directions.claims.statistics.conditions import Condition, parse
from directions.core.errors import InputError
from directions.core.suggest import nearest

KINDS = (
    "direction",  # which side of a bound our number lies on
    "value",  # our number against the paper's
    "shape",  # the distance of our curve from the paper's, below a bound we set
)
CERTAINTIES = (
    "read from the figure",  # read off the paper's printed figure: data/paper/figures
    "verified",  # read in the paper's abstract or its public review thread
    "corroborated",  # remembered, and confirmed by an independent source
    "remembered",  # remembered only
    "unsure",  # remembered, but in doubt
    "inferred",
    "replication",  # a number from somebody else's replication, not the paper's
    "follow-up",  # beyond the paper: raised by later work, or by us because of it
)
COLUMNS = (
    *("id", "figure", "claim", "kind", "statistic", "condition", "direction", "bound"),
    *("paper_value", "paper_error", "tolerance", "certainty", "needs", "origin"),
)
NUMBERS = ("bound", "paper_value", "paper_error", "tolerance")
_NAME = re.compile(r"\w+")
_NEEDED = re.compile(r"(\w+)\s*(>=|<=|=)\s*(\S+)")


@dataclass(frozen=True)
class Claim:
    """One row of claims.csv, checked. `needs` holds (column of the runs table, =|>=|<=, value)."""

    id: str
    figure: str
    claim: str
    kind: str
    statistic: str
    condition: Condition
    direction: str
    bound: float | None
    paper_value: float | None
    paper_error: float | None  # half of a 95 % interval
    tolerance: float | None
    certainty: str
    needs: tuple[tuple[str, str, str], ...]
    origin: str
    where: str  # file and line, for messages


def load(path: Path | str) -> list[Claim]:
    """Read every claim of a CSV file. Raises InputError naming the row and column at fault."""
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"claims file {path} does not exist: the repository keeps one at data/paper/claims.csv"
        )
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{path}: the header must be {','.join(COLUMNS)}, found {reader.fieldnames}")
        claims = [_parse(row, f"{path}, row {row['id']!r} (line {reader.line_num})") for row in reader]
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise InputError(f"{claim.where}: another claim above has the same id: ids must differ")
        seen.add(claim.id)
    return claims


def _parse(row: dict, where: str) -> Claim:
    if None in row or None in row.values():
        raise InputError(f"{where}: it must have {len(COLUMNS)} fields (a comma in a sentence needs quotes)")
    for column in ("id", "figure", "claim", "kind", "statistic", "direction", "certainty", "origin"):
        if not row[column].strip():
            raise InputError(f"{where}: column {column!r} is empty")
    if not _NAME.fullmatch(row["figure"]):
        raise InputError(f"{where}: {row['figure']!r} is no figure: write fig1a, figA4e or a name of yours")
    _one_of(row["kind"], KINDS, "kind", where)
    _one_of(row["statistic"], STATISTICS, "statistic", where)
    _one_of(row["direction"], ("above", "below", "equal"), "direction", where)
    _one_of(row["certainty"], CERTAINTIES, "certainty", where)
    numbers = {name: _number(row[name], name, where) for name in NUMBERS}
    _agree(row["kind"], row["direction"], row["statistic"], numbers, where)
    condition = _condition(row["condition"], row["statistic"], where)
    needs = _needs(row["needs"], where)
    return Claim(**{**row, **numbers, "condition": condition, "needs": needs}, where=where)


def _agree(kind: str, direction: str, statistic: str, numbers: dict, where: str) -> None:
    """Refuse a row whose numbers do not fit its kind."""
    for name in ("paper_error", "tolerance"):
        if (numbers[name] or 0) < 0:
            raise InputError(f"{where}: {name} is below 0")
    if kind == "value":
        if direction != "equal" or numbers["bound"] is not None:
            raise InputError(f"{where}: kind value has direction equal and no bound")
        if None in (numbers["paper_value"], numbers["paper_error"], numbers["tolerance"]):
            raise InputError(f"{where}: kind value needs paper_value, paper_error, tolerance (0 will do)")
        return
    if direction == "equal" or numbers["bound"] is None:
        raise InputError(f"{where}: kind {kind} needs direction above or below and a bound")
    if numbers["tolerance"] is not None:
        raise InputError(f"{where}: kind {kind} takes no tolerance, only kind value does")
    if numbers["paper_error"] is not None and numbers["paper_value"] is None:
        raise InputError(f"{where}: paper_error needs a paper_value")
    if (kind == "shape") != (statistic in SHAPES):
        raise InputError(f"{where}: kind shape goes with the statistics {', '.join(SHAPES)} and no others")


def _one_of(value: str, allowed, column: str, where: str) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise InputError(f"{where}: unknown {column} {value!r}{nearest(value, allowed)} (there are {known})")


def _number(text: str, column: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: column {column!r} holds {text!r}, which is not a number")
    return value


def _condition(text: str, statistic: str, where: str) -> Condition:
    """Parse "corrupt=1;dropout=0.1" to {"corrupt": 1.0, "dropout": 0.1}; check it against the statistic."""
    try:
        condition = parse(text)
    except ValueError as error:
        raise InputError(f"{where}: column 'condition': {error}") from None
    asks = STATISTICS[statistic].asks
    if set(condition) not in map(set, asks):
        choices = " or ".join("; ".join(names) or "none" for names in asks)
        raise InputError(f"{where}: statistic {statistic} takes the condition {choices}, got {text!r}")
    return condition


def _needs(text: str, where: str) -> tuple[tuple[str, str, str], ...]:
    """Parse "hidden=512x512;epochs>=640" to (("hidden", "=", "512x512"), ("epochs", ">=", "640"))."""
    conditions = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = _NEEDED.fullmatch(part)
        if match is None:
            raise InputError(
                f"{where}: column 'needs' holds {part!r}: write name=value, name>=value or name<=value"
            )
        name, sign, wanted = match.groups()
        conditions.append((name, sign, wanted))
    return tuple(conditions)
