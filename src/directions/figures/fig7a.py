"""Figure 7a: change in test loss when a unit of an MLP is ablated, against its class selectivity."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per unit of the network with the lowest seed; Spearman with its interval (section 3.4).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.scatter(tables, study, "fig7a", dots.SELECTIVITY)
