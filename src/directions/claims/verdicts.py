"""The paper's claims against a study's tables: our number, its interval, and a verdict by a fixed rule.

`data/paper/claims.csv` holds one claim per row, of one of three kinds. A direction has a side (`direction`
above or below its `bound`). A value has the paper's number with `paper_error`, half of its own 95 %
interval, and our `tolerance`. A shape has curves of the paper: the distance of our mean curve from them must
lie below a bound we set.

The first row that applies decides:

| kind | verdict | when |
|---|---|---|
| all | not testable at this scale | `needs` not met; networks or tables missing |
| value | not testable at this scale | networks trained on a lossy copy, with exceptions (lossy_copies.py) |
| all | too few networks | too few for an interval, such as one per condition |
| value | reproduced | our 95 % interval and the paper's overlap once ours is widened by the tolerance |
| value | not reproduced | otherwise |
| direction, shape | not reproduced | our estimate is on the other side of the bound, or on it |
| direction, shape | reproduced | our whole interval is on the claimed side |
| direction, shape | direction only | our estimate is on the claimed side, our interval crosses the bound |
"""

import re
from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from directions.claims.claims_file import CERTAINTIES, KINDS, Claim, load
from directions.claims.statistics import STATISTICS, Estimate, Untestable, estimate
from directions.claims.statistics.conditions import written
from directions.core import tables as table_files
from directions.core.display_names import DATASETS
from directions.core.errors import InputError
from directions.core.types import present
from directions.study.lossy_copies import COPIES, judged, original
from directions.study.tables import CLAIMS
from directions.study.training_settings import VARIABLE

__all__ = ["CERTAINTIES", "KINDS", "Claim", "VERDICTS", "check", "judge", "load", "metrics", "place"]

REPRODUCED = "reproduced"
DIRECTION_ONLY = "direction only"
NOT_REPRODUCED = "not reproduced"
TOO_FEW = "too few networks"
NOT_TESTABLE = "not testable at this scale"
VERDICTS = (REPRODUCED, DIRECTION_ONLY, NOT_REPRODUCED, TOO_FEW, NOT_TESTABLE)
TablesOf = Callable[[str, str], pd.DataFrame]
PaperOf = Callable[[str], pd.DataFrame]
_FIGURE = re.compile(r"fig(A?)(\d+)([a-z]?)")


def unmet(claim: Claim, runs: pd.DataFrame) -> list[str]:
    """List the claim's needs that the runs table does not meet, as phrases; empty if it meets all.

    Besides columns of the runs table, a claim may need a number of `networks`, or of `settings`: networks
    that differ in more than the seed. A copy of a data set will do, but for most values (see
    lossy_copies.py).
    """
    phrases = []
    if copied(runs) and not judged(claim.kind, claim.id):
        originals = " and ".join(DATASETS[original(name)] for name in copied(runs))
        phrases.append(f"a value of {originals} is not tested on a copy of it")
    known = [column for column in VARIABLE if column in runs.columns and column != "seed"]
    counts = {"networks": len(runs), "settings": len(runs[known].drop_duplicates())}
    for column, sign, wanted in claim.needs:
        if column not in counts and column not in runs.columns:
            raise InputError(f"{claim.where}: needs {column!r}, which is not a column of the runs table")
        values = [str(counts[column])] if column in counts else sorted(set(runs[column].map(str)))
        if not all(_holds(original(value), sign, wanted) for value in values):
            shown = f"{values[0]} to {values[-1]}" if len(values) > 2 else " and ".join(values)
            phrases.append(f"needs {column}{sign}{wanted}, here {shown}")
    return phrases


def copied(runs: pd.DataFrame) -> list[str]:
    """List the data sets of a runs table that are copies of others (`study.lossy_copies`), sorted."""
    return sorted(set(runs["dataset"]) & set(COPIES)) if "dataset" in runs.columns else []


def _holds(value: str, sign: str, wanted: str) -> bool:
    try:
        a, b = float(value), float(wanted)
    except ValueError:
        return sign == "=" and value == wanted
    return {"=": abs(a - b) <= 1e-9 * abs(b), ">=": a >= b, "<=": a <= b}[sign]


def judge(claim: Claim, ours: Estimate) -> tuple[str, str]:
    """Return (verdict, note) by the rule at the top of this module, for a claim whose `needs` are met."""
    if ours.low is None or ours.high is None:
        return TOO_FEW, ours.note
    if claim.kind == "value":
        theirs, error = present(claim.paper_value), present(claim.paper_error)
        reach = error + present(claim.tolerance)
        if ours.low - reach <= theirs <= ours.high + reach:
            return REPRODUCED, ""
        printed = f"{theirs:g} ± {error:.2g}" if error else f"{theirs:g}"
        return NOT_REPRODUCED, f"the number {printed} is missed (tolerance {claim.tolerance:g})"
    sign = 1 if claim.direction == "above" else -1
    bound = present(claim.bound)
    side = f"{claim.direction} {bound:g}"
    if sign * (ours.value - bound) <= 0:
        return NOT_REPRODUCED, f"our value is not {side}"
    if sign * (ours.low - bound) > 0 and sign * (ours.high - bound) > 0:
        return REPRODUCED, ""
    return DIRECTION_ONLY, f"the interval is not wholly {side}"


def check(
    claims: list[Claim], experiments: dict[str, str], tables_of: TablesOf, paper_of: PaperOf
) -> pd.DataFrame:
    """Check the claims about the figures in `experiments` ({figure: experiment}), sorted by figure.

    `tables_of(experiment, name)` reads one table, or raises Untestable if the study does not have it;
    `paper_of(figure)` reads the paper's panel (`study.paper_curves.read`) for statistics that compare with
    it. Our value is given whenever it can be computed, even if the study is too small to test the claim.
    Returns one row per claim, the table `CLAIMS`.
    """
    rows = []
    for claim in sorted(claims, key=lambda claim: place(claim.figure)):
        if claim.figure not in experiments:
            continue
        experiment = experiments[claim.figure]
        scale, ours, verdict, note = _check_one(claim, experiment, tables_of, paper_of)
        rows.append(
            (claim.id, claim.figure, claim.claim, claim.kind, claim.statistic, written(claim.condition))
            + (experiment, scale)
            + ((ours.value, ours.low, ours.high, ours.networks) if ours else (None,) * 4)
            + (claim.direction, claim.bound, claim.paper_value, claim.paper_error, claim.tolerance)
            + (verdict, note, claim.certainty, claim.origin)
        )
    return pd.DataFrame(rows, columns=CLAIMS.names).astype({"networks": "Int64"})


def place(figure: str) -> tuple[bool, int, str]:
    """Sort key of a figure: fig2a before fig10a, then the appendix (figA1), then your own."""
    match = _FIGURE.fullmatch(figure)
    if match is None:
        return True, 1_000, figure
    appendix, number, panel = match.groups()
    return bool(appendix), int(number), panel


def _check_one(
    claim: Claim, experiment: str, tables_of: TablesOf, paper_of: PaperOf
) -> tuple[str, Estimate | None, str, str]:
    scale, ours, verdict, notes = "", None, NOT_TESTABLE, []
    try:
        runs = table_files.require({"runs": tables_of(experiment, "runs")}, "runs", "run")
        scale = tested_on(runs)
        notes = unmet(claim, runs)
        tables = {
            name: paper_of(claim.figure) if name == "paper" else tables_of(experiment, name)
            for name in STATISTICS[claim.statistic].tables
        }
        ours = estimate(claim.statistic, tables, claim.id, claim.condition)
    except Untestable as lacking:
        notes.append(str(lacking))
    if ours is not None and not notes:
        verdict, note = judge(claim, ours)
        notes = [note, *(f"on a copy: {DATASETS[name]}" for name in copied(runs)), *_measured(tables)]
    return scale, ours, verdict, "; ".join(filter(None, notes))


def _measured(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yield how curves were measured, unless on all images (D12), by the statistics of training (D32)."""
    for column, said in (
        ("scored_images", "curves of {:,} images drawn at random"),
        ("norm_images", "batch norm by the statistics of {:,} ablated images"),
    ):
        counted = [table[column].dropna() for table in tables.values() if column in table]
        for count in sorted(set(pd.concat(counted))) if counted else ():
            yield said.format(int(count))


def tested_on(runs: pd.DataFrame) -> str:
    """Describe the data and networks of a verdict: "MNIST, conv11 width 0.125, 1,000 images, 20 epochs"."""

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
    """Map claim ids to {estimate, low, high, paper, verdict, tested_on}, numbers to four places or null."""

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
