"""Ablation, noise and units of your own networks; figures and claims of published studies."""

import argparse
import os
import sys
from collections.abc import Sequence

import directions
from directions.command import analyse, claims, figure, layers, pull, report
from directions.core.errors import InputError

COMMANDS = {
    "analyse": analyse,
    "layers": layers,
    "figure": figure,
    "claims": claims,
    "pull": pull,
    "report": report,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `directions ...`; print an InputError as one line. Returns the exit code, 2 for an error."""
    parser = argparse.ArgumentParser(prog="directions", description=__doc__)
    parser.add_argument("--version", action="version", version=f"directions {directions.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, module in COMMANDS.items():
        about = (module.__doc__ or "").partition("\n")[0]
        module.declare(commands.add_parser(name, description=module.__doc__, help=about))
    args = parser.parse_args(argv)
    try:
        COMMANDS[args.command].run(args)
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `directions claims ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush at the end
        return 1
    return 0
