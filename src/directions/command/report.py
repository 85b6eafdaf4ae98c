"""In a checkout: write a finished study that is current as one HTML file."""

import argparse

from directions.command import checkout


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions report`."""
    parser.add_argument("study", nargs="?", default="quick", help="name of the study (default: quick)")
    parser.add_argument("--figures", default="all", help="figures to check: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="use the files as they are, and say so")


def run(args: argparse.Namespace) -> None:
    """Call tools/check_current.py and tools/write_report.py, as `make report`; InputError elsewhere."""
    folder, stale = checkout.root("report"), ["--stale"] if args.stale else []
    checkout.tool(folder, "check_current", "--figures", args.figures, *stale, args.study)
    results, page = f"results/{args.study}", f"results/{args.study}/report.html"
    places = ["--results", results, "--benchmarks", f"benchmarks/{args.study}", "--captions", "report"]
    checkout.tool(folder, "write_report", "--study", args.study, *places, "--output", page, *stale)
    print(f"Report: {folder / page}")
