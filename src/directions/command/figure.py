"""Redraw a figure from the tables of a finished study, or of networks that `directions analyse` wrote."""

import argparse
from pathlib import Path

OWN = "own"  # the figure of the user's own networks


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions figure`."""
    parser.add_argument(
        "figure", help=f"fig1a, ..., figA4e, limit, ...; or {OWN}: your networks, two or more are compared"
    )
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="a study (docs/results/laptop), the tables of an experiment, or, for own, what analyse wrote",
    )
    parser.add_argument("--output", type=Path, required=True, help="file to write, as .pdf and as .png")
    parser.add_argument("--no-paper", action="store_true", help="leave out the paper's own curves and dots")


def run(args: argparse.Namespace) -> None:
    """Write the figure, and print the names of its files. Raises InputError as `redraw.draw` does."""
    from directions.core.errors import InputError
    from directions.figures import redraw, style

    if args.figure == OWN:
        figure = _own(args.folders)
    elif len(args.folders) > 1:
        raise InputError(f"{args.figure} shows one study: give one folder, not {len(args.folders)}")
    else:
        figure = redraw.draw(args.figure, args.folders[0].resolve(), not args.no_paper)
    stem = args.output.with_suffix("") if args.output.suffix in (".pdf", ".png") else args.output
    pdf, png = (stem.with_name(f"{stem.name}{suffix}") for suffix in (".pdf", ".png"))
    style.save(figure, pdf, png)
    print(pdf, png, sep="\n")


def _own(folders: list[Path]):
    """Draw one network, or several side by side."""
    from directions.analyses import invariants
    from directions.core.tables import read
    from directions.result import Analysis

    found = []
    for folder in folders:
        tables = read(folder, dict.fromkeys(["runs", *sorted(path.stem for path in folder.glob("*.csv"))]))
        invariants.check(tables)
        found.append(Analysis(tables))
    first, *others = found
    return first.compare(*others) if others else first.figure()
