"""Area under a cumulative ablation curve (paper, section 3.2)."""

import numpy as np


def area(ablated: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Integrate curves (..., points) over the fraction of units ablated (points,) by the trapezoidal rule.

    1 for a network that never loses accuracy; a curve constant at a has area a (docs/DEVIATIONS.md, D9).

    Example:
        >>> float(area(np.array([0, 5, 10]), np.array([0.9, 0.5, 0.1])))
        0.5
    """
    return np.trapezoid(accuracy, ablated / ablated[-1], axis=-1)
