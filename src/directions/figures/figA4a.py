"""Figure A4a: as Figure 7a, with mutual information between activity and class on the x axis."""

from matplotlib.figure import Figure

from directions.figures.fig7a import Measure, scatter
from directions.tidy import Tables

INFORMATION = Measure(
    "information_bits",
    "mutual information with the class (bits)",
    "information_correlation",
    "figA4a_rank_correlation",
    floor="information_null_bits",
)


def draw(tables: Tables, study: str) -> Figure:
    """One dot per unit of the network with the lowest seed; dashed: what shuffled labels give (section A.5).

    Reads tables runs, single, units. Raises InputError naming a table or column that is missing or empty.
    """
    return scatter(tables, study, INFORMATION)
