"""Print a study's claims table: one line per claim, or all details of some with --figure."""

from directions.command import claims
from directions.core.cli import parser, start


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    claims.declare(options)
    claims.run(options.parse_args(argv))


if __name__ == "__main__":
    start(main)
