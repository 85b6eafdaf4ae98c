"""Print the layers of your own network that have units, by the names that `layers` takes in a config."""

from directions.command import layers
from directions.core import cli


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    layers.declare(parser)
    layers.run(parser.parse_args(argv))


if __name__ == "__main__":
    cli.start(main)
