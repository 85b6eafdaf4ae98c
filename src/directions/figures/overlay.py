"""The paper's own curves and dots behind ours, read off its printed figures (study.paper_curves).

They share one style: curves thin and dashed, dots small and hollow. Grey if a panel has only one of them,
otherwise in the colour of our curve for the same condition. Drawn if a figure is given the table `paper`.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from directions.core.tables import Tables, require
from directions.figures.style import Look

NAME = "paper, read from its figure"
GREY = "#555555"
LINE: Look = {"linestyle": (0, (3.2, 1.8)), "linewidth": 0.9, "zorder": 1.5, "label": f"_{NAME}"}
DOTS: Look = {"linestyle": "none", "marker": "o", "markersize": 2.6, "markerfacecolor": "none", "zorder": 1.4}
DOTS |= {"markeredgewidth": 0.45, "markeredgecolor": "#9a9a9a", "label": f"_{NAME}"}
UNITS = {  # units at the right end of the x axis in the paper's panels
    "fig1a": 1024, "fig1b": 1536, "fig1c": 6144, "fig3a": 2816, "fig5a": 4096, "fig5b": 1536
}  # fmt: skip
INFERRED = {  # totals that the paper's panels do not show
    "fig1c": "The paper does not say how many feature maps it ablated; 6,144 (three block outputs) is our"
    " inference.",
    "fig3a": "That the paper ablated all 2,816 feature maps is our inference: its curves run past the last"
    " three layers.",
}
SHOWN = {  # how many of the paper's dots could be read
    "fig3b": "Of the paper's 200 dots, 161 can be told apart.",
    "fig4b": "Of the paper's 190 dots, 179 can be told apart.",
    "fig4c": "Of the paper's 192 dots, 136 can be told apart.",
    "fig7a": "Of the paper's dots (about 127), 115 can be told apart.",
    "fig7b": "Of the paper's dots (2,816 feature maps), 241 can be told apart: its crowd near 0 is missing.",
    "fig7d": "Of the paper's dots (about 14,500), 621 can be told apart: its crowd near 0 is missing.",
}


def of(tables: Tables, *columns: str, **which: str | float) -> pd.DataFrame | None:
    """Select the rows of the paper's table with these values; None without such rows or such a table.

    Numbers match within rounding. Raises InputError for a table without `columns`.
    """
    if "paper" not in tables:
        return None
    found = require(tables, "paper", *which, may_be_empty=columns)
    for column, value in which.items():
        held = found[column]
        found = found[held == value if isinstance(value, str) else np.isclose(held.astype(float), value)]
    return None if found.empty else found


def line(axes: Axes, x, y, colour=GREY, **look) -> None:
    """Draw one of the paper's curves."""
    axes.plot(x, y, color=colour, **LINE | look)


def dots(axes: Axes, x, y) -> None:
    """Draw the paper's dots; if there are hundreds, a PDF stores them as a picture."""
    axes.plot(x, y, rasterized=len(x) > 500, **DOTS)


def steps(axes: Axes, edges, heights, colour) -> None:
    """Draw one of the paper's histograms as an outline."""
    axes.stairs(heights, edges, color=colour, fill=False, **LINE)


def handles(tables: Tables, dotted: bool = False) -> list[Line2D]:
    """Return the legend entry for the paper's curves; empty if they are not drawn."""
    if "paper" not in tables:
        return []
    if dotted:
        return [Line2D([], [], **DOTS | {"label": NAME})]
    return [Line2D([], [], color=GREY, **LINE | {"label": NAME})]


def units_notes(tables: Tables, figure: str, ours: int) -> tuple[str, ...]:
    """Write footnotes on the paper's x axis, for a panel over units; `ours`: most units ablated here."""
    if "paper" not in tables:
        return ()
    scaled = ("The paper's curves are scaled to our number of units.",) if ours != UNITS[figure] else ()
    return (*scaled, *((INFERRED[figure],) if figure in INFERRED else ()))
