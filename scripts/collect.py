"""Join the tables or records of all networks of an experiment, with columns for what was varied.

@FILE stands for the arguments in that file, one per line.
"""

import json
from pathlib import Path

import pandas as pd

from directions.core import cli
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.suggest import rebuild
from directions.study.tables import COLLECTED


def read(path: Path) -> pd.DataFrame:
    """Read a run's CSV table, or its JSON record as a one-row table; raises InputError if unreadable."""
    try:
        return (
            pd.DataFrame([json.loads(path.read_text())]) if path.suffix == ".json" else table_files.csv(path)
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): {rebuild(path)}") from error


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.fromfile_prefix_chars = "@"
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--table", required=True, help="CSV to write")
    parser.add_argument("files", nargs="+", type=Path, help="one file per run, in the order of the settings")
    args = parser.parse_args(argv)
    settings = cli.settings(args.asked)
    parts = []
    for (run, varied), path in zip(settings["runs"].items(), args.files, strict=True):
        if run not in (path.stem, path.parent.name):
            raise InputError(f"{path} does not belong to run {run}: list files in the order of the settings")
        keys = {"experiment": settings["experiment"], "run": run, **varied}
        found = read(path)
        observed = found.drop(columns=[name for name in keys if name in found])
        parts.append(pd.concat([pd.DataFrame([keys] * len(found)), observed], axis=1))
    joined = pd.concat(parts)
    if settings["table"] in COLLECTED:  # the others were checked for every network
        COLLECTED[settings["table"]].check(joined)
    with atomic(args.table) as partial:
        joined.to_csv(partial, index=False)


if __name__ == "__main__":
    cli.start(main)
