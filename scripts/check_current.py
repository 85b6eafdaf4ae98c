"""Stop where a study is not current: where Snakemake would make any of its products, or make one again."""

import logging
from pathlib import Path

from directions import cli
from directions.errors import InputError
from directions.sharing.tools import Snakemake

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("studies", nargs="+", help="their names")
    parser.add_argument("--figures", default="all", help="those that were to be drawn: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="say so, and go on all the same")
    args = parser.parse_args(argv)
    for study in args.studies:
        jobs = Snakemake(Path.cwd(), study, args.figures).plan(["all"])
        if not jobs:
            continue
        left = f"study {study} is not current, {sum(jobs.values())} jobs are left ({', '.join(jobs)})"
        if not args.stale:
            raise InputError(
                f"{left}: `snakemake --cores all --config study={study} figures={args.figures} -- all` makes"
                " it so, FIGURES=... asks about some figures only, STALE=1 takes the files as they are"
            )
        log.warning("warning: %s; its files are taken as they are", left)


if __name__ == "__main__":
    cli.start(main)
