"""Figure 7d: like Figure 7a, for the feature maps of a ResNet-50."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per feature map, coloured by layer; Spearman with its interval (section 3.4).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.scatter(tables, study, "fig7d", dots.SELECTIVITY)
