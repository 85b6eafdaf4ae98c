"""Measure class selectivity and mutual information of every unit of a network (Figures 6, 7 and A2-A4)."""

from directions import cli
from directions.observations.measure_units import observe
from directions.trained import analyse


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv, resumes=False)


if __name__ == "__main__":
    cli.start(main)
