"""In a checkout: fetch recorded products of all figures, or some, instead of computing them."""

import argparse

from directions.command import checkout


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions pull`."""
    parser.add_argument("figures", nargs="*", help="fig1a, ... or claims; by default everything")
    parser.add_argument("--study", help="name of the study, by default that of config.yaml")
    parser.add_argument("--sizes", action="store_true", help="only print the download size of each figure")


def run(args: argparse.Namespace) -> None:
    """Call tools/pull.py. Raises InputError outside a checkout."""
    study = ["--study", args.study] if args.study else []
    sizes = ["--sizes"] if args.sizes else []
    checkout.tool(checkout.root("pull"), "pull", *study, *sizes, "--", *args.figures)
