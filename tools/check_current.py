"""Exit with an error if a study is not current, that is, if Snakemake would make or remake any product."""

from pathlib import Path

from directions.core import cli
from directions.workflow.dvc import current


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("studies", nargs="+", help="names of studies")
    parser.add_argument("--figures", default="all", help="figures to check: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="only warn, and continue")
    args = parser.parse_args(argv)
    for study in args.studies:
        current.check(Path.cwd(), study, args.figures, args.stale)


if __name__ == "__main__":
    cli.start(main)
