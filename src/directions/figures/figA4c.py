"""Figure A4c: as Figure 7c, with mutual information between activity and class on the x axis."""

from matplotlib.figure import Figure

from directions.figures import dots
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """A line, and Spearman with its interval, for each layer (section A.5).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.by_layer(tables, study, "figA4c", dots.INFORMATION)
