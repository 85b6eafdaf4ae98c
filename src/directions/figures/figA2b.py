"""Figure A2b: class selectivity in every layer of a ResNet-50."""

from matplotlib.figure import Figure

from directions.figures import spread
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """A box per layer, in forward order; dead feature maps counted (section A.2).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    return spread.by_depth(tables, study)
