"""Analyse a trained network: one analysis, one table.

An analysis is a module of this library (directions.analyses.ablate_single) or a file of your own.
"""

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from directions.analyses.network import write
from directions.core import cli, user_functions
from directions.core.errors import InputError


def found(analysis: str) -> Callable:
    """Return an analysis as a function of (trained, settings as plain data), or raise InputError."""
    if analysis.endswith(".py"):
        observe = partial(user_functions.call, f"{analysis}:observe")
        return partial(user_functions.load(f"{analysis}:SPEC").run, observe)
    try:
        module = importlib.import_module(analysis)
        return partial(module.SPEC.run, module.observe)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InputError(f"--analysis {analysis}: no such analysis ({error})") from error


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__, compute=True)
    parser.add_argument("--analysis", required=True, help="directions.analyses.ablate_single, or a file.py")
    parser.add_argument("--model", required=True, help="weights written by train.py")
    parser.add_argument("--checkpoints", help="weights kept during training, for analyses that read them")
    parser.add_argument("--data", required=True, help="data set that the network was trained on")
    parser.add_argument("--ledger", required=True, help="label ledger that the network was trained on")
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--table", required=True, help="CSV to write, one row per observation")
    parser.add_argument("--resume", type=Path, help="file for what an interrupted run needs to resume")
    parser.add_argument(
        "--snapshot-seconds", type=float, default=30, help="most work that an interruption costs"
    )
    args = parser.parse_args(argv)
    write(found(args.analysis), args)


if __name__ == "__main__":
    cli.start(main)
