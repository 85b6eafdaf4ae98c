"""Print the layers of your own network that have units, by the names that `layers` takes in a config."""

from directions.core import cli
from directions.interventions.layer_listing import text
from directions.models.user import made


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("build", help="factory of the network, file.py:function")
    parser.add_argument(
        "--shape", type=int, nargs="+", required=True, help="shape of an image, channels first: 3 32 32"
    )
    args = parser.parse_args(argv)
    print(text(made(args.build), args.shape)[0])


if __name__ == "__main__":
    cli.start(main)
