"""Print how long each stage of a finished study took, from the benchmark files of its jobs."""

from pathlib import Path

import pandas as pd

from directions import cli
from directions.errors import InputError


def times(folder: Path) -> pd.DataFrame:
    """Per stage: number of jobs, median and total seconds, largest memory in MiB.

    Raises InputError when no job of the study was measured.
    """
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        measured = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rows.append(
            (path.relative_to(folder).parts[0].removesuffix(".tsv"), measured["s"], measured["max_rss"])
        )
    if not rows:
        raise InputError(f"no benchmark files in {folder}: run the study first")
    table = pd.DataFrame(rows, columns=["stage", "seconds", "memory_mib"])
    stages = table.groupby("stage", sort=False)
    summary = stages["seconds"].agg(jobs="count", median="median", total="sum")
    return summary.assign(memory_mib=stages["memory_mib"].max()).round(1)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("study", nargs="?", default="quick", help="name of the study")
    args = parser.parse_args(argv)
    found = times(Path("benchmarks") / args.study)
    print(found.to_string())
    print(f"\n{found['total'].sum():.0f} seconds of jobs in all; jobs run beside each other, one per core")


if __name__ == "__main__":
    cli.start(main)
