"""Figure limit: LIMIT and the absolute error against cross-entropy stopped early; MLP (docs/BEYOND.md)."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import memorizing


def draw(tables: Tables, study: str) -> Figure:
    """Draw one line per way of learning, by epochs of training: area kept, test accuracy, bits held.

    Reads tables runs, areas, memorization. Raises InputError naming a table or column that is missing or
    empty.
    """
    return memorizing.by_way(tables, study, "limit")
