"""Ablate each unit of a network on its own; write its effect on loss and accuracy (Figures 7 and A4)."""

from directions import cli
from directions.observations.ablate_single import observe
from directions.trained import analyse


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
