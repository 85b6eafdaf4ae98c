"""The paper's claims against a study's tables: our number, its interval, and a verdict by a fixed rule.

`data/paper/claims.csv` holds one claim per row. A claim has a side (`direction` above or below its `bound`),
a number (`paper_value`, to be met within `tolerance`), or both; `direction` equal is a number and no side.

The rule, first line that applies:

| verdict | when |
|---|---|
| not testable at this scale | `needs` not met; networks or tables lacking |
| too few networks | for an interval: one per condition, say |
| not reproduced | our estimate lies on the other side of the bound (or on it) |
| reproduced | whole interval on the claimed side; the paper's number, if any, in [low - tol, high + tol] |
| direction only | anything else that has a side |
| not reproduced | anything else: a number without a side was missed |
"""

import csv
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from directions import tidy
from directions.errors import InputError
from directions.hints import nearest
from directions.runs import VARIABLE
from directions.statistics import STATISTICS, Estimate, Untestable, estimate
from directions.titles import DATASETS

REPRODUCED = "reproduced"
DIRECTION_ONLY = "direction only"
NOT_REPRODUCED = "not reproduced"
TOO_FEW = "too few networks"
NOT_TESTABLE = "not testable at this scale"
VERDICTS = (REPRODUCED, DIRECTION_ONLY, NOT_REPRODUCED, TOO_FEW, NOT_TESTABLE)

CERTAINTIES = (
    "verified",  # read in the paper's abstract or its public review thread
    "corroborated",  # remembered, and said by an independent source as well
    "remembered",  # remembered only
    "unsure",  # remembered, with doubt
    "inferred",
    "replication",  # a number of somebody else's replication, not the paper's
    "follow-up",  # beyond the paper: asked by later work, or by us because of it
)
COLUMNS = (
    *("id", "figure", "claim", "statistic", "corrupt", "direction", "bound", "paper_value", "tolerance"),
    *("certainty", "needs", "origin"),
)
_NAME = re.compile(r"\w+")
_FIGURE = re.compile(r"fig(A?)(\d+)([a-z]?)")
_CONDITION = re.compile(r"(\w+)\s*(>=|<=|=)\s*(\S+)")


@dataclass(frozen=True)
class Claim:
    """One row of claims.csv, checked. `needs` holds (column of the runs table, =|>=|<=, value)."""

    id: str
    figure: str
    claim: str
    statistic: str
    corrupt: float | None
    direction: str
    bound: float | None
    paper_value: float | None
    tolerance: float
    certainty: str
    needs: tuple[tuple[str, str, str], ...]
    origin: str
    where: str  # file and line, for messages


# --- reading ---


def load(path: Path | str) -> list[Claim]:
    """Every claim in the CSV file `path`. Raises InputError naming the row and the column that is wrong."""
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
            raise InputError(f"{claim.where}: a claim with this id stands further up: ids must differ")
        seen.add(claim.id)
    return claims


def _parse(row: dict, where: str) -> Claim:
    if None in row or None in row.values():
        raise InputError(f"{where}: it must have {len(COLUMNS)} fields (a comma in a sentence needs quotes)")
    for column in ("id", "figure", "claim", "statistic", "direction", "certainty", "origin"):
        if not row[column].strip():
            raise InputError(f"{where}: column {column!r} is empty")
    if not _NAME.fullmatch(row["figure"]):
        raise InputError(f"{where}: {row['figure']!r} is no figure: write fig1a, figA4e or a name of yours")
    _one_of(row["statistic"], STATISTICS, "statistic", where)
    _one_of(row["direction"], ("above", "below", "equal"), "direction", where)
    _one_of(row["certainty"], CERTAINTIES, "certainty", where)
    numbers = {
        name: _number(row[name], name, where) for name in ("corrupt", "bound", "paper_value", "tolerance")
    }
    if (row["direction"] == "equal") != (numbers["bound"] is None):
        raise InputError(f"{where}: direction above or below needs a bound, direction equal must have none")
    if row["direction"] == "equal" and numbers["paper_value"] is None:
        raise InputError(f"{where}: direction equal needs a paper_value")
    if (numbers["paper_value"] is None) != (numbers["tolerance"] is None):
        raise InputError(f"{where}: paper_value and tolerance go together (a tolerance may be 0)")
    if (numbers["tolerance"] or 0) < 0:
        raise InputError(f"{where}: tolerance is below 0")
    if (row["statistic"] == "auc") != (numbers["corrupt"] is not None):
        raise InputError(f"{where}: statistic auc needs `corrupt`, the others have none")
    numbers["tolerance"] = numbers["tolerance"] or 0.0
    return Claim(**{**row, **numbers, "needs": _conditions(row["needs"], where)}, where=where)


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
        raise InputError(f"{where}: column {column!r} holds {text!r}, which is no number")
    return value


def _conditions(text: str, where: str) -> tuple[tuple[str, str, str], ...]:
    """ "hidden=512x512;epochs>=640" -> (("hidden", "=", "512x512"), ("epochs", ">=", "640"))."""
    conditions = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise InputError(
                f"{where}: column 'needs' holds {part!r}: write name=value, name>=value or name<=value"
            )
        conditions.append(match.groups())
    return tuple(conditions)


# --- judging ---


def unmet(claim: Claim, runs: pd.DataFrame) -> list[str]:
    """What the claim needs and not every network in the runs table offers, as phrases; empty if all is.

    Besides columns of the runs table a claim may need a number of `networks`, and of `settings`: networks
    that differ in more than the seed.
    """
    phrases = []
    known = [column for column in VARIABLE if column in runs.columns and column != "seed"]
    counts = {"networks": len(runs), "settings": len(runs[known].drop_duplicates())}
    for column, sign, wanted in claim.needs:
        if column not in counts and column not in runs.columns:
            raise InputError(f"{claim.where}: needs {column!r}, which is no column of the runs table")
        values = [str(counts[column])] if column in counts else sorted(set(runs[column].map(str)))
        if not all(_holds(value, sign, wanted) for value in values):
            shown = f"{values[0]} to {values[-1]}" if len(values) > 2 else " and ".join(values)
            phrases.append(f"needs {column}{sign}{wanted}, here {shown}")
    return phrases


def _holds(value: str, sign: str, wanted: str) -> bool:
    try:
        a, b = float(value), float(wanted)
    except ValueError:
        return sign == "=" and value == wanted
    return {"=": abs(a - b) <= 1e-9 * abs(b), ">=": a >= b, "<=": a <= b}[sign]


def judge(claim: Claim, ours: Estimate) -> tuple[str, str]:
    """(verdict, note) by the rule at the top of this module, for a claim whose `needs` are met."""
    if ours.low is None or ours.high is None:
        return TOO_FEW, ours.note
    near = True
    missed = ""
    if claim.paper_value is not None:
        near = ours.low - claim.tolerance <= claim.paper_value <= ours.high + claim.tolerance
        missed = f"the number {claim.paper_value:g} is missed (tolerance {claim.tolerance:g})"
    if claim.direction == "equal":
        return (REPRODUCED, "") if near else (NOT_REPRODUCED, missed)
    sign = 1 if claim.direction == "above" else -1
    side = f"{claim.direction} {claim.bound:g}"
    if sign * (ours.value - claim.bound) <= 0:
        return NOT_REPRODUCED, f"our value is not {side}"
    clear = sign * (ours.low - claim.bound) > 0 and sign * (ours.high - claim.bound) > 0
    if clear and near:
        return REPRODUCED, ""
    return DIRECTION_ONLY, missed if clear else f"the interval is not wholly {side}"


def check(
    claims: list[Claim], experiments: dict[str, str], tables_of: Callable[[str, str], tidy.Tables]
) -> pd.DataFrame:
    """One row per claim about the figures in `experiments` ({figure: experiment}), sorted by figure.

    `tables_of(experiment, name)` reads one table, or raises Untestable where the study has none. Our value is
    shown where it can be computed, also when the study is too small to test the claim. Columns: `RESULT`.
    """
    rows = []
    for claim in sorted(claims, key=lambda claim: place(claim.figure)):
        if claim.figure not in experiments:
            continue
        experiment = experiments[claim.figure]
        scale, ours, verdict, note = _check_one(claim, experiment, tables_of)
        rows.append(
            (claim.id, claim.figure, claim.claim, claim.statistic, claim.corrupt, experiment, scale)
            + ((ours.value, ours.low, ours.high, ours.networks) if ours else (None,) * 4)
            + (claim.direction, claim.bound, claim.paper_value, claim.tolerance, verdict, note)
            + (claim.certainty, claim.origin)
        )
    return pd.DataFrame(rows, columns=RESULT).astype({"networks": "Int64"})


RESULT = [
    *("id", "figure", "claim", "statistic", "corrupt", "experiment", "tested_on", "estimate", "low", "high"),
    *("networks", "direction", "bound", "paper_value", "tolerance", "verdict", "note", "certainty", "origin"),
]


def place(figure: str) -> tuple[bool, int, str]:
    """Where a figure stands in the paper: fig2a before fig10a, then the appendix (figA1), then your own."""
    match = _FIGURE.fullmatch(figure)
    if match is None:
        return True, 1_000, figure
    appendix, number, panel = match.groups()
    return bool(appendix), int(number), panel


def _check_one(claim: Claim, experiment: str, tables_of) -> tuple[str, Estimate | None, str, str]:
    scale, ours, verdict, notes = "", None, NOT_TESTABLE, []
    try:
        runs = tidy.require({"runs": tables_of(experiment, "runs")}, "runs", "run")
        scale = tested_on(runs)
        notes = unmet(claim, runs)
        tables = {name: tables_of(experiment, name) for name in STATISTICS[claim.statistic].tables}
        ours = estimate(claim.statistic, tables, claim.id, claim.corrupt)
    except Untestable as lacking:
        notes.append(str(lacking))
    if ours is not None and not notes:
        verdict, note = judge(claim, ours)
        notes = [note]
    return scale, ours, verdict, "; ".join(filter(None, notes))


def tested_on(runs: pd.DataFrame) -> str:
    """The data and networks behind a verdict: "MNIST, conv11 width 0.125, 1,000 images, 20 epochs"."""

    def shown(column: str) -> str:
        values = runs[column].dropna().unique() if column in runs.columns else []
        if len(values) > 2 and pd.api.types.is_number(values[0]):
            return f"{min(values):,} to {max(values):,}"
        return " and ".join(f"{v:,}" if pd.api.types.is_number(v) else str(v) for v in values)

    dataset = " and ".join(DATASETS.get(name, name) for name in runs["dataset"].unique())
    width = f"width {shown('width')}" if shown("width") else shown("hidden")
    network = " ".join(filter(None, [shown("model"), width]))
    length = f"{shown('epochs')} epochs" if shown("epochs") else f"{shown('steps')} steps"
    return ", ".join([dataset, network, f"{shown('train_images')} images", length])


def metrics(results: pd.DataFrame) -> dict[str, dict]:
    """{claim id: {estimate, low, high, paper, verdict, tested_on}}, numbers to four places or null."""

    def short(value):
        return None if pd.isna(value) else round(float(value), 4)

    return {
        row["id"]: {
            **{name: short(row[name]) for name in ("estimate", "low", "high")},
            "paper": short(row["paper_value"]),
            "verdict": row["verdict"],
            "tested_on": row["tested_on"],
        }
        for row in results.to_dict("records")
    }
