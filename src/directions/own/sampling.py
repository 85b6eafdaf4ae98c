"""How sure an area is: random orderings of the units are a sample of all orderings there are."""

import math
from collections.abc import Iterator

import pandas as pd

WANTED = 0.01  # a standard error that lets areas be told apart in a figure; a bound of ours


def with_errors(areas: pd.DataFrame) -> pd.DataFrame:
    """Add the column `auc_se`: the standard error of the mean `auc` over the orderings of a clamp.

    areas: as `areas.of_curves` makes it, of one network or several. NaN where there is one ordering.
    """
    groups = areas.groupby(["run", "clamp"], sort=False)["auc"]
    return areas.assign(auc_se=groups.transform("sem"))


def told(areas: pd.DataFrame) -> Iterator[str]:
    """Sentences on the area of each clamp, its standard error, and how many orderings would give `WANTED`."""
    for clamp, some in areas.groupby("clamp", sort=False):
        error, orderings = some["auc_se"].iloc[0], len(some)
        area = f"area {some['auc'].mean():.3f}, units clamped to {clamp}"
        if math.isnan(error):
            yield f"{area}: no standard error from 1 ordering (ablate_cumulative: {{orderings: 10}})"
            continue
        needed = max(2, math.ceil(orderings * (error / WANTED) ** 2))
        way = "would give" if needed > orderings else "would do for"
        yield f"{area}: SE {error:.3f} with {orderings} orderings; {needed} {way} {WANTED}"
