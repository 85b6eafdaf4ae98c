"""The numbers that the paper's claims are about, each with a 95 % interval, computed from tables alone.

`registry.STATISTICS` names them and `bootstrap` computes intervals. The other modules (`networks`, `dropout`,
`checkpoints`, `units`) define what is observed on a network, what is measured on it, and how networks combine
into one number.
"""

from directions.claims.statistics.bootstrap import Estimate, Untestable
from directions.claims.statistics.ranks import spearman
from directions.claims.statistics.registry import SHAPES, STATISTICS, estimate
from directions.claims.statistics.units import joined_units, live_units

__all__ = [
    "SHAPES",
    "STATISTICS",
    "Estimate",
    "Untestable",
    "estimate",
    "joined_units",
    "live_units",
    "spearman",
]
