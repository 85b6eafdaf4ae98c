"""The standard error of an area over orderings, and the number of them that would make it small."""

import numpy as np
import pandas as pd
import pytest

from directions.analyses import auc_error


def areas(*values: float, clamp: str = "zero", run: str = "mine") -> pd.DataFrame:
    return pd.DataFrame({"run": run, "clamp": clamp, "ordering": range(len(values)), "auc": values})


def test_the_error_of_an_area_is_that_of_its_mean_over_the_orderings_of_a_clamp():
    found = auc_error.with_errors(pd.concat([areas(0.7, 0.8, 0.9), areas(0.2, 0.2, clamp="mean")]))
    assert found["auc_se"].to_numpy() == pytest.approx([0.1 / np.sqrt(3)] * 3 + [0] * 2)
    two = auc_error.with_errors(pd.concat([areas(0.7, 0.8, 0.9), areas(0.1, 0.3, run="other")]))
    assert two.loc[two["run"] == "other", "auc_se"].to_numpy() == pytest.approx([0.1] * 2)


def test_the_line_says_how_many_orderings_would_do():
    deviations = np.array([-1, 1] * 5) * 0.045  # SE 0.015
    found = auc_error.with_errors(pd.concat([areas(*(0.7 + deviations)), areas(0.3, 0.31, clamp="mean")]))
    assert list(auc_error.told(found)) == [
        "area 0.700, units clamped to zero: SE 0.015 with 10 orderings; 23 would give 0.01",
        "area 0.305, units clamped to mean: SE 0.005 with 2 orderings; 2 would do for 0.01",
    ]
    [alone] = auc_error.told(auc_error.with_errors(areas(0.7)))
    assert "no standard error from 1 ordering" in alone
