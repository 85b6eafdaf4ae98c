"""Figure 2a: accuracy against the scale of noise on all units of an MLP, by fraction of labels corrupted."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import noise


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band over noise repeats and networks, log x; ratio 0 at the left (section 3.1).

    Reads tables runs, noise. Raises InputError naming a table or column that is missing or empty.
    """
    return noise.corruption(tables, study)
