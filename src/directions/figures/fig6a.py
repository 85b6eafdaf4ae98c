"""Figure 6a: how class selectivity is spread over feature maps, with and without batch norm."""

from matplotlib.figure import Figure

from directions.figures import spread
from directions.figures.dots import SELECTIVITY
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """Share of live feature maps per bin, pooled over networks; dead ones counted (section 3.3).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    return spread.by_batch_norm(tables, study, SELECTIVITY)
