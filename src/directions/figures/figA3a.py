"""Figure A3a: class selectivity against the L1 norm of the incoming weights, in a conv net."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import norms


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per live feature map, coloured by layer; Spearman pooled and per layer (section A.3).

    Reads tables runs, units. Raises InputError naming a table or column that is missing or empty.
    """
    return norms.scatter(tables, study, "figA3a")
