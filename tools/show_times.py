"""Print how long each stage of a finished study took, from the benchmark files of its jobs."""

from pathlib import Path

from directions.core import cli
from directions.study import config
from directions.workflow.run_times import times

ROOT = Path(__file__).parents[1]


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("study", nargs="?", default="quick", help="name of the study")
    args = parser.parse_args(argv)
    folder = Path("benchmarks") / args.study
    if not folder.exists():
        config.find(args.study, ROOT, Path.cwd())  # an error names the studies that there are
    found = times(folder)
    print(found.to_string(na_rep="-"))
    print(f"\n{found['total'].sum():.0f} seconds in total, over jobs that run in parallel, one per core")


if __name__ == "__main__":
    cli.start(main)
