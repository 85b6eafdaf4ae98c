"""Print the layers of your own network that have units, by the names that `analyse` and a config take."""

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions layers`."""
    parser.add_argument("build", help="factory of the network, file.py:function")
    parser.add_argument(
        "--shape", type=int, nargs="+", required=True, help="shape of an image, channels first: 3 32 32"
    )


def run(args: argparse.Namespace) -> None:
    """Print a table of all layers with units, and a line with all activations to paste."""
    from directions.interventions.layer_listing import text
    from directions.models.user import made

    print(text(made(args.build), args.shape)[0])
