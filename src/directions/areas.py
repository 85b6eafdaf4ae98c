"""Areas under cumulative ablation curves (paper, section 3.2)."""

import numpy as np


def area(ablated: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Normalised area under curves (..., points) over the share of units ablated (points,), by trapezoids.

    1 for a network that never loses accuracy; a constant curve a gives a (docs/DEVIATIONS.md, D9).
    """
    return np.trapezoid(accuracy, ablated / ablated[-1], axis=-1)


def relative(area: np.ndarray, unablated: np.ndarray) -> np.ndarray:
    """Area divided by the accuracy with nothing ablated, lest poor training pass for fragility."""
    return area / unablated


def chance_corrected(area: np.ndarray, classes: int) -> np.ndarray:
    """Area on a scale where always guessing one of `classes` balanced classes is 0 and never failing is 1."""
    chance = 1 / classes
    return (area - chance) / (1 - chance)
