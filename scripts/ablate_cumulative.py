"""Ablate more and more units of a network in random orders; write loss and accuracy (Figures 1, 3-5, A1)."""

from directions.analyses.ablate_cumulative import observe
from directions.analyses.network import analyse
from directions.core import cli


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
