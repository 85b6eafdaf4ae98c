"""Print a study's claims table: one line per claim, or all details of some with --figure."""

import argparse
from pathlib import Path

EXAMPLE = "results/quick/tables/claims.csv"
HEADER = "id,figure,claim,"  # how every claims table begins


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions claims`."""
    parser.add_argument("csv", type=Path, help=f"the claims table, e.g. {EXAMPLE}")
    parser.add_argument("--figure", nargs="+", default=[], help="only these, in detail: fig4c figA3a")


def run(args: argparse.Namespace) -> None:
    """Print the table. Raises InputError for another file, and for a figure without claims."""
    from directions.claims import listing
    from directions.claims.counts import read
    from directions.claims.verdicts import place
    from directions.core.errors import InputError

    if args.csv.suffix != ".csv":
        raise InputError(f"{args.csv} is not a CSV file: give the claims table, e.g. {EXAMPLE}")
    if not args.csv.is_file():
        raise InputError(f"there is no file {args.csv}: give a study's claims table, e.g. {EXAMPLE}")
    if not args.csv.read_bytes().startswith(HEADER.encode()):
        raise InputError(f"{args.csv} is no claims table: give tables/claims.csv of a study, e.g. {EXAMPLE}")
    table = read(args.csv)
    for figure in args.figure:
        if figure not in set(table["figure"]):
            known = ", ".join(sorted(table["figure"].unique(), key=place))
            raise InputError(f"{args.csv} has no claim about {figure!r}: it has claims about {known}")
    chosen = table[table["figure"].isin(args.figure)] if args.figure else table
    print(listing.show(chosen, complete=bool(args.figure)))
