"""In a checkout: write a finished study that is current, or a published one, as one HTML file."""

import argparse

from directions.command import checkout


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions report`."""
    parser.add_argument("study", nargs="?", default="quick", help="name of the study (default: quick)")
    parser.add_argument("--figures", default="all", help="figures to check: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="use the files as they are, and say so")


def run(args: argparse.Namespace) -> None:
    """Call tools/write_report.py, as `make report`; InputError elsewhere."""
    stale = ["--stale"] if args.stale else []
    folder = checkout.root("report")
    checkout.tool(folder, "write_report", "--study", args.study, "--figures", args.figures, *stale)
