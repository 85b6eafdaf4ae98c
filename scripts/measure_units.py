"""Measure class selectivity and mutual information of every unit of a network (Figures 6, 7 and A2-A4)."""

from directions.analyses.measure_units import observe
from directions.analyses.network import analyse
from directions.core import cli


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv, resumes=False)


if __name__ == "__main__":
    cli.start(main)
