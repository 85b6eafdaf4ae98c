"""Print which layers of a network of your own have units, by the names that `layers` takes in a config."""

import math

import yaml

from directions import cli
from directions.own.layers import catalogue
from directions.own.network import made


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("build", help="factory of the network, file.py:function")
    parser.add_argument(
        "--shape", type=int, nargs="+", required=True, help="of one image, such as 3 32 32: channels first"
    )
    args = parser.parse_args(argv)
    found = catalogue(made(args.build), args.shape)
    rows = [("layer", "module", "output", "units"), *found.drop(columns="activation").astype(str).to_numpy()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    activations = list(found.loc[found["activation"], "layer"])
    listed = yaml.safe_dump(activations, default_flow_style=True, width=math.inf).strip()
    print(f"\nall activations:\nlayers: {listed}" if activations else "\nnone of them is an activation")


if __name__ == "__main__":
    cli.start(main)
