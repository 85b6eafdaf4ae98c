"""Measure the area under every cumulative ablation curve of an experiment (Figures 1, 3 and 4)."""

import pandas as pd

from directions import areas, cli
from directions.files import atomic

CURVE = ["clamp", "ordering"]
GUESSES = {"accuracy": 1, "accuracy_top5": 5}  # the latter where there are many classes


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--ablation", required=True, help="table of curves written by collect.py")
    parser.add_argument("--runs", required=True, help="table of networks written by collect.py")
    parser.add_argument("--table", required=True, help="CSV to write, one row per curve")
    args = parser.parse_args(argv)
    curves = pd.read_csv(args.ablation)
    classes = pd.read_csv(args.runs).set_index("run")["classes"]
    keys = [*curves.columns[: curves.columns.get_loc("clamp")], *CURVE]
    rows = []
    for key, curve in curves.groupby(keys, sort=False):
        found = dict(zip(keys, key, strict=True))
        for column, guesses in GUESSES.items():
            if column in curve:
                points = curve["ablated"].to_numpy(), curve[column].to_numpy()
                found |= areas.variants(*points, classes[found["run"]], guesses)
        rows.append(found)
    with atomic(args.table) as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)


if __name__ == "__main__":
    cli.start(main)
