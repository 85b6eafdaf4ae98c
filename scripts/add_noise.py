"""Add noise of increasing scale to all units of a network; write loss and accuracy (Figure 2)."""

from directions.analyses.add_noise import observe
from directions.analyses.network import analyse
from directions.core import cli


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
