"""Standard error of an area: random orderings of the units are a sample of all possible orderings."""

import math
from collections.abc import Iterator

import pandas as pd

WANTED = 0.01  # a standard error at which areas can be told apart in a figure; our own bound


def with_errors(areas: pd.DataFrame) -> pd.DataFrame:
    """Add the column `auc_se`: the standard error of the mean `auc` over the orderings of a clamp.

    areas: as `auc.of_curves` returns it, for one network or several. NaN where there is one ordering.
    """
    groups = areas.groupby(["run", "clamp"], sort=False)["auc"]
    return areas.assign(auc_se=groups.transform("sem"))


def told(areas: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence per clamp: its area, the standard error, and the orderings needed for `WANTED`."""
    for clamp, some in areas.groupby("clamp", sort=False):
        error, orderings = some["auc_se"].iloc[0], len(some)
        area = f"area {some['auc'].mean():.3f}, units clamped to {clamp}"
        if math.isnan(error):
            yield f"{area}: no standard error from 1 ordering (ablate_cumulative: {{orderings: 10}})"
            continue
        needed = max(2, math.ceil(orderings * (error / WANTED) ** 2))
        way = "would give" if needed > orderings else "would do for"
        yield f"{area}: SE {error:.3f} with {orderings} orderings; {needed} {way} {WANTED}"
