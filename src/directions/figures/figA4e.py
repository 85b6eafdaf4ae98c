"""Figure A4e: like Figure 7e, with mutual information between activity and class."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw Spearman with its interval for each layer, against depth (section A.5).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.by_layer(tables, study, "figA4e", dots.INFORMATION)
