"""Add noise of increasing scale to all units of a network; write loss and accuracy (Figure 2)."""

from directions import cli
from directions.observations.add_noise import observe
from directions.trained import analyse


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
