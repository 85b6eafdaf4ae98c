"""Figure 6b: distribution of mutual information over feature maps, with and without batch norm."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import spread
from directions.figures.dots import INFORMATION


def draw(tables: Tables, study: str) -> Figure:
    """Draw the share of live feature maps per bin, pooled over networks; counts dead ones (section 3.3).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    return spread.by_batch_norm(tables, study, INFORMATION)
