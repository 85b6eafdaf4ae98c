"""Figure 7c: the dots of Figure 7b with a regression line per layer."""

from matplotlib.figure import Figure

from directions.figures import dots
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """A line, and Spearman with its interval, for each layer (section 3.4).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.by_layer(tables, study, "fig7c", dots.SELECTIVITY)
