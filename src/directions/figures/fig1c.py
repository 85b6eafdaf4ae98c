"""Figure 1c: accuracy, on ImageNet top-5, against feature maps ablated in a ResNet-50."""

from matplotlib.figure import Figure

from directions.figures import curves
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over orderings and networks; areas in the legend (paper, section 3.1).

    A second panel shows where the curves part. Reads tables runs, ablation, areas and, where given, paper.
    Raises InputError naming a table or column that is missing or empty.
    """
    return curves.corruption(tables, study, "fig1c")
