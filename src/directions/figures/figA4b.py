"""Figure A4b: like Figure 7b, with mutual information between activity and class on the x axis."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per feature map, coloured by layer; dashed: shuffled labels (section A.5).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.scatter(tables, study, "figA4b", dots.INFORMATION)
