"""Write docs/TABLES.md from what tables and analyses declare of their columns and settings."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from directions.core import cli
from directions.core.columns import Column, Table
from directions.core.files import atomic
from directions.study.analysis_spec import AnalysisSpec
from directions.study.catalogue import SPECS
from directions.study.settings import settings_of
from directions.study.tables import AREAS, CLAIMS, EXPERIMENT, HISTORY, KEYS, RUN, RUNS, SELECTION, VARIED

log = logging.getLogger(__name__)

INTRODUCTION = """\
# Tables and their columns

Figures and claims are computed from these tables and nothing else. There is one set of tables

- per experiment, in `results/{study}/tables/{experiment}/{table}.csv`, which combines the tables of all its networks;
- per network of your own, in `results/own/tables/{network}/{table}.csv`, or in `found.tables` from Python;
- per published study, in `docs/results/{study}/tables/`.

All tables except `selection` and `claims` have the column `run`. Use it to join them:

```python
from pathlib import Path
import pandas as pd

files = Path("results/own/tables").glob("*/areas.csv")
areas = pd.concat(map(pd.read_csv, files))
print(areas.groupby(["run", "clamp"])["auc"].agg(["mean", "std"]))
```

With no unit ablated and no noise, loss and accuracy must equal those in `runs`. Tables that break this rule are refused
(`src/directions/analyses/invariants.py`), and so are tables with other columns or values than those below
(`src/directions/core/columns.py`). Accuracies are fractions from 0 to 1; losses are mean cross-entropies in nats. An
empty field means that the number does not exist. D5 and the like are entries of [DEVIATIONS.md](DEVIATIONS.md), and
`configs/paper.yaml` explains the training settings.

This page is written by `make tables` from `src/directions/study/tables.py` and the files of the analyses.
"""  # noqa: E501


def row(column: Column) -> str:
    """Return the row of the page's table about a column."""
    names = ", ".join(f"`{name}`" for name in column.each)
    notes = [column.allowed, *["may be empty"] * column.empty, *["not in all tables"] * column.optional]
    return f"| {names} | {column.meaning} | {'; '.join(notes)} |"


def section(heading: str, columns: list[Column]) -> Iterator[str]:
    """Yield the lines about some columns."""
    yield from ("", f"## {heading}", "", "| column | meaning | values |", "|---|---|---|")
    yield from map(row, columns)


def settings(name: str, spec: AnalysisSpec) -> Iterator[str]:
    """Yield the lines about the settings of an analysis."""
    yield from ("", f"Settings of `{name}`:", "")
    for key, one in settings_of(spec.settings).items():
        default = f"; for your own networks: {json.dumps(spec.defaults[key])}" if key in spec.defaults else ""
        yield f"- `{key}`: {one.metadata['help']} ({one.metadata['values']['description']}{default})"


def of_table(table: Table) -> Iterator[str]:
    """Yield the section about a table, without its key columns."""
    keys = (EXPERIMENT, RUN) if table is RUNS else KEYS
    yield from section(
        f"{table.table}: {table.rows}", [column for column in table.columns if column not in keys]
    )


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield from INTRODUCTION.splitlines()
    varied = ", ".join(f"`{column.names}`" for column in VARIED)
    yield from section("In most tables", [EXPERIMENT, RUN])
    yield f"| {varied} | what the experiment varies, so no table has them all | as in `runs` |"
    yield from of_table(RUNS)
    yield from of_table(HISTORY)
    for name, spec in SPECS.items():
        yield from of_table(spec)
        yield from settings(name, spec)
    for table in (AREAS, SELECTION, CLAIMS):
        yield from of_table(table)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--page", type=Path, default=Path("docs/TABLES.md"), help="file to write")
    args = parser.parse_args(argv)
    with atomic(args.page) as partial:
        partial.write_text("\n".join([*page(), ""]), encoding="utf-8")
    log.info("written: %s", args.page)


if __name__ == "__main__":
    cli.start(main)
