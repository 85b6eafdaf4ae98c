"""Redraw a figure from the tables of a finished study, as published, without its config or a workflow."""

import importlib
from pathlib import Path

from matplotlib.figure import Figure

from directions.analyses import invariants
from directions.core.errors import InputError
from directions.core.suggest import nearest
from directions.core.tables import read, require
from directions.study import paper_curves
from directions.study.catalogue import FIGURES, IN_PAPER

PAPER = Path(__file__).parents[1] / "paper"  # the paper's own curves, one CSV file per panel


def draw(figure: str, folder: Path, with_paper: bool = True) -> Figure:
    """Draw one of `FIGURES` from a study's folder (results/quick), or from that of an experiment's tables.

    with_paper: whether to draw the paper's own curves behind. Raises InputError for an unknown figure, for a
    folder without the figure's tables, and as figures do.
    """
    if figure not in FIGURES:
        raise InputError(
            f"unknown figure {figure!r}{nearest(figure, FIGURES)} (known are {', '.join(FIGURES)})"
        )
    tables = read(_tables(figure, folder), FIGURES[figure])
    if with_paper and figure in IN_PAPER:
        tables["paper"] = paper_curves.read(PAPER / f"{figure}.csv")
    drawn: Figure = importlib.import_module(f"directions.figures.{figure}").draw(tables, folder.name)
    invariants.check(tables)
    return drawn


def _tables(figure: str, folder: Path) -> Path:
    """Find the folder of the figure's tables: of the experiment that the study's claims name, or this one."""
    if (folder / "runs.csv").is_file():
        return folder
    if (folder / "tables/claims.csv").is_file():
        return folder / "tables" / experiment(figure, folder)
    raise InputError(
        f"{folder} has neither tables/claims.csv nor runs.csv: give a study's folder, as docs/results/laptop,"
        " or the folder of an experiment's tables"
    )


def experiment(figure: str, folder: Path) -> str:
    """Return the experiment that a study's figure shows, as its claims table says.

    Raises InputError if no claim is about the figure.
    """
    claims = require(read(folder / "tables", ["claims"]), "claims", "figure", "experiment")
    shown = claims.loc[claims["figure"] == figure, "experiment"]
    if shown.empty:
        raise InputError(
            f"{folder / 'tables/claims.csv'} has no claim about {figure}, so its experiment is unknown"
        )
    return str(shown.iloc[0])
