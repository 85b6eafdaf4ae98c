"""Figure A4a: like Figure 7a, with mutual information between activity and class on the x axis."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per unit of the network with the lowest seed; dashed: shuffled labels (section A.5).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.scatter(tables, study, "figA4a", dots.INFORMATION)
