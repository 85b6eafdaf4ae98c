"""Figure A2b: class selectivity in every layer of a ResNet-50."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import spread


def draw(tables: Tables, study: str) -> Figure:
    """Draw one box per layer, in forward order; counts dead feature maps (section A.2).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    return spread.by_depth(tables, study)
