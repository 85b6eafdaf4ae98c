"""Claims tables counted: whose claims, and how far curves are from the paper's."""

import pandas as pd
import pytest

from directions.claims.counts import distances, origins

LARGEST, MEAN = "curve_largest_distance", "curve_mean_distance"


def shapes(*rows: tuple[str, float | None]) -> pd.DataFrame:
    """Claims of kind shape about Figure 1a, of (statistic, estimate)."""
    table = pd.DataFrame(rows, columns=["statistic", "estimate"]).astype({"estimate": float})
    return table.assign(kind="shape", figure="fig1a")


def test_means_are_averaged_and_the_largest_is_taken_from_its_own_claim():
    found = distances(shapes((MEAN, 0.1), (MEAN, 0.3), (LARGEST, 0.25))).loc["fig1a"]
    assert found[["mean", "largest"]].tolist() == pytest.approx([0.2, 0.25])
    assert (found["known"], found["curves"]) == (2, 2)


@pytest.mark.parametrize("lacking", [[], [(LARGEST, None)]])
def test_a_largest_distance_that_is_not_known_is_not_that_of_the_means(lacking):
    found = distances(shapes((MEAN, 0.1), (MEAN, None), *lacking)).loc["fig1a"]
    assert pd.isna(found["largest"])
    assert (found["mean"], found["known"], found["curves"]) == (0.1, 1, 2)


def test_claims_of_other_kinds_have_no_distance_here():
    assert distances(shapes((MEAN, 0.1)).assign(kind="value")).empty


def test_nothing_is_said_to_be_from_memory_where_nothing_is():
    rows = {"figure": ["fig1a", "fig2a"], "certainty": "read from the figure", "source": "the paper"}
    assert origins(pd.DataFrame(rows)) == [
        "Of the 2 claims tested here 2 are the paper's.",
        "Of the paper's, 2 are read from its printed figures (1a and 2a).",
    ]
