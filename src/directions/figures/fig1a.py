"""Figure 1a: accuracy against the number of units ablated in an MLP, by fraction of labels corrupted."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import curves


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band over orderings and networks, with areas in the legend (section 3.1).

    Reads tables runs, ablation, areas and, if given, paper. Raises InputError naming a table or column that
    is missing or empty.
    """
    return curves.corruption(tables, study, "fig1a")
