"""Figure 7e: correlation of class selectivity and importance within each layer of a ResNet-50."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import dots


def draw(tables: Tables, study: str) -> Figure:
    """Draw Spearman with its interval for each layer, against depth (section 3.4).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return dots.by_layer(tables, study, "fig7e", dots.SELECTIVITY)
