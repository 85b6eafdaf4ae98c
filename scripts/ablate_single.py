"""Ablate each unit of a network on its own; write its effect on loss and accuracy (Figures 7 and A4)."""

from directions.analyses.ablate_single import observe
from directions.analyses.network import analyse
from directions.core import cli


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
