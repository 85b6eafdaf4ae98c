"""Print how long each stage of a finished study took, from the benchmark files of its jobs."""

from pathlib import Path

from directions.core import cli
from directions.workflow.run_times import times


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("study", nargs="?", default="quick", help="name of the study")
    args = parser.parse_args(argv)
    found = times(Path("benchmarks") / args.study)
    print(found.to_string(na_rep="-"))
    print(f"\n{found['total'].sum():.0f} seconds in total, over jobs that run in parallel, one per core")


if __name__ == "__main__":
    cli.start(main)
