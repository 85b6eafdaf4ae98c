"""Exit with an error if a study is not current, that is, if Snakemake would make or remake any product."""

import logging
from pathlib import Path

from directions.core import cli
from directions.core.errors import InputError
from directions.workflow.dvc.tools import Snakemake

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("studies", nargs="+", help="names of studies")
    parser.add_argument("--figures", default="all", help="figures to check: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="only warn, and continue")
    args = parser.parse_args(argv)
    for study in args.studies:
        jobs = Snakemake(Path.cwd(), study, args.figures).plan(["all"])
        if not jobs:
            continue
        left = f"study {study} is not current, {sum(jobs.values())} jobs are left ({', '.join(jobs)})"
        if not args.stale:
            raise InputError(
                f"{left}: run `snakemake --cores all --config study={study} figures={args.figures} -- all`,"
                " or check only some figures with FIGURES=..., or use the files as they are with STALE=1"
            )
        log.warning("warning: %s; using its files as they are", left)


if __name__ == "__main__":
    cli.start(main)
