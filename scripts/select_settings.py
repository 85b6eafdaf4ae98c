"""Select settings by area in random halves of a sweep; write how well the selected ones rank (Figure 4c)."""

import pandas as pd

from directions.analyses.selection import selection, settings_table
from directions.core import cli
from directions.core.files import atomic
from directions.study.tables import SELECTION


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--areas", required=True, help="table of areas, from measure_areas.py")
    parser.add_argument("--runs", required=True, help="table of networks, from collect.py")
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--table", required=True, help="CSV to write, one row per subset")
    args = parser.parse_args(argv)
    areas = pd.read_csv(args.areas)
    keys = list(areas.columns[2 : areas.columns.get_loc("clamp")])  # after experiment and run
    settings = settings_table(areas, pd.read_csv(args.runs), keys)
    found = selection(settings, cli.settings(args.asked)["subsets"])
    found.insert(0, "experiment", areas["experiment"].iloc[0])
    SELECTION.check(found)
    with atomic(args.table) as partial:
        found.to_csv(partial, index=False)


if __name__ == "__main__":
    cli.start(main)
