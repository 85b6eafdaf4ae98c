"""Check the paper's claims against a study's tables: for each, our number, its interval and a verdict."""

import json
import logging
from functools import cache
from pathlib import Path

from directions.claims import verdicts
from directions.claims.statistics import Untestable
from directions.core import tables as table_files
from directions.core.cli import parser, start
from directions.core.errors import InputError
from directions.core.files import atomic
from directions.study import paper_curves
from directions.study.tables import CLAIMS

log = logging.getLogger(__name__)


def experiments(text: str) -> dict[str, str]:
    """Parse {figure: experiment} from JSON. Raises InputError for anything else."""
    try:
        chosen = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f'--experiments is not JSON ({error}): write e.g. \'{{"fig1a": "mnist_corruption"}}\''
        ) from error
    if not isinstance(chosen, dict) or not all(isinstance(name, str) for name in chosen.values()):
        raise InputError(f"--experiments must map figures to experiments, got {text}")
    return chosen


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("--study", required=True, help="name of the study, for the log")
    options.add_argument("--claims", default="data/paper/claims.csv", help="the paper's claims")
    options.add_argument(
        "--paper", default="data/paper/figures", help="folder of the paper's curves, {figure}.csv"
    )
    options.add_argument("--tables", required=True, help="folder that holds {experiment}/{table}.csv")
    options.add_argument(
        "--experiments", required=True, help="JSON: {figure: experiment}; only these are checked"
    )
    options.add_argument("--csv", required=True, help="CSV to write: one row per claim")
    options.add_argument(
        "--json", required=True, help="JSON: {claim: {estimate, low, high, paper, verdict, tested_on}}"
    )
    args = options.parse_args(argv)

    @cache
    def table(experiment: str, name: str):
        folder = Path(args.tables) / experiment
        if not (folder / f"{name}.csv").is_file():
            raise Untestable(f"this study has no table {experiment}/{name}.csv")
        return table_files.read(folder, [name])[name]

    @cache
    def curves(figure: str):
        return paper_curves.read(Path(args.paper) / f"{figure}.csv")

    results = verdicts.check(verdicts.load(args.claims), experiments(args.experiments), table, curves)
    CLAIMS.check(results)
    with atomic(args.csv) as path:
        results.to_csv(path, index=False, float_format="%.6g")
    with atomic(args.json) as path:
        path.write_text(json.dumps(verdicts.metrics(results), indent=2) + "\n", encoding="utf-8")
    for row in results.itertuples():
        log.info("%s study, %s: %s%s", args.study, row.id, row.verdict, f" ({row.note})" if row.note else "")


if __name__ == "__main__":
    start(main)
