"""Figure 1c: accuracy (top-5 on ImageNet) against feature maps ablated in a ResNet-50."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import curves


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band over orderings and networks, with areas in the legend (section 3.1).

    A second panel shows where the curves diverge. Reads tables runs, ablation, areas and, if given, paper.
    Raises InputError naming a table or column that is missing or empty.
    """
    return curves.corruption(tables, study, "fig1c")
