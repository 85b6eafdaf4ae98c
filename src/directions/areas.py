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


def chance_corrected(area: np.ndarray, classes: int, guesses: int = 1) -> np.ndarray:
    """Area on a scale where always guessing the same of `classes` balanced classes is 0, never failing 1.

    guesses: how many may be given, 5 for top-5 accuracy.
    """
    chance = guesses / classes
    return (area - chance) / (1 - chance)


def variants(ablated: np.ndarray, accuracy: np.ndarray, classes: int, guesses: int = 1) -> dict:
    """Columns of a table: the area under curves (..., points), relative and corrected for chance (D9).

    With 5 `guesses`, that is for top-5 accuracy, the names of the columns end in _top5.
    """
    auc = area(ablated, accuracy)
    found = {
        "auc": auc,
        "auc_relative": relative(auc, accuracy[..., 0]),
        "auc_chance_corrected": chance_corrected(auc, classes, guesses),
    }
    return found if guesses == 1 else {f"{name}_top{guesses}": values for name, values in found.items()}
