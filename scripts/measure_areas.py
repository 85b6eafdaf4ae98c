"""Compute the area under every cumulative ablation curve of an experiment (Figures 1, 3 and 4)."""

import logging

from directions import areas, cli, laws, tidy
from directions.files import atomic
from directions.own import sampling


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--ablation", required=True, help="table of curves, from collect.py")
    parser.add_argument("--runs", required=True, help="table of networks, from collect.py")
    parser.add_argument("--table", required=True, help="CSV to write, one row per curve")
    parser.add_argument("--errors", action="store_true", help="add the standard error over orderings")
    args = parser.parse_args(argv)
    curves = tidy.csv(args.ablation)
    runs = tidy.csv(args.runs)
    laws.check({"runs": runs, "ablation": curves})
    found = areas.of_curves(curves, runs.set_index("run")["classes"])
    if args.errors:
        found = sampling.with_errors(found)
        for line in sampling.told(found):
            logging.info("%s", line)
    with atomic(args.table) as partial:
        found.to_csv(partial, index=False)


if __name__ == "__main__":
    cli.start(main)
