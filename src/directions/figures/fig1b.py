"""Figure 1b: accuracy against feature maps ablated in a convolutional net, by labels corrupted."""

from matplotlib.figure import Figure

from directions.figures import curves
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over orderings and networks; areas in the legend (paper, section 3.1).

    Reads tables runs, ablation, areas and, where given, paper. Raises InputError naming a table or column
    that is missing or empty.
    """
    return curves.corruption(tables, study, "fig1b")
