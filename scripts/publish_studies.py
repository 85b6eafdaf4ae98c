"""Copy tables and figures of finished studies to where they are kept with the code."""

import shutil
from pathlib import Path

from directions import cli
from directions.errors import InputError


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder with the results of all studies")
    parser.add_argument("--published", required=True, type=Path, help="folder to copy to")
    parser.add_argument("study", nargs="+", help="names of studies")
    args = parser.parse_args(argv)
    for study in args.study:
        if not (args.results / study / "tables/claims.csv").exists():
            raise InputError(
                f"{args.results / study} has no claims table: finish the study first,"
                f" snakemake --cores all --config study={study} -- all"
            )
    for study in args.study:
        shutil.rmtree(args.published / study, ignore_errors=True)
        for folder, kind in (("tables", "**/*.csv"), ("figures", "*.png")):
            for path in sorted((args.results / study / folder).glob(kind)):
                copy = args.published / path.relative_to(args.results)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


if __name__ == "__main__":
    cli.start(main)
