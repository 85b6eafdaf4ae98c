"""Compute the area under every cumulative ablation curve of an experiment (Figures 1, 3 and 4)."""

import logging

from directions.analyses import auc, auc_error, invariants
from directions.core import cli
from directions.core import tables as table_files
from directions.core.files import atomic
from directions.study.tables import AREAS


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--ablation", required=True, help="table of curves, from collect.py")
    parser.add_argument("--runs", required=True, help="table of networks, from collect.py")
    parser.add_argument("--table", required=True, help="CSV to write, one row per curve")
    parser.add_argument("--errors", action="store_true", help="add the standard error over orderings")
    args = parser.parse_args(argv)
    curves = table_files.csv(args.ablation)
    runs = table_files.csv(args.runs)
    invariants.check({"runs": runs, "ablation": curves})
    found = auc.of_curves(curves, runs.set_index("run")["classes"])
    if args.errors:
        found = auc_error.with_errors(found)
        for line in auc_error.told(found):
            logging.info("%s", line)
    AREAS.check(found)
    with atomic(args.table) as partial:
        found.to_csv(partial, index=False)


if __name__ == "__main__":
    cli.start(main)
