"""Claims in words: whose they are, which are from memory, numbers with their errors and distances."""

import pandas as pd
import pytest

from directions.claims.format import claimed, distance, found, from_memory, number, plain, source, whose
from directions.claims.verdicts import CERTAINTIES
from directions.core.errors import InputError

EMPTY = {"direction": "equal", "bound": None, "paper_value": None, "paper_error": None}
OURS = {"kind": "direction", "estimate": None, "low": None, "high": None, "networks": None}


def row(**values) -> pd.Series:
    return pd.Series(EMPTY | OURS | values)


@pytest.mark.parametrize("certainty", CERTAINTIES)
def test_every_certainty_of_the_claims_file_has_a_source(certainty):
    expected = {"replication": "a replication", "follow-up": "follow-ups"}.get(certainty, "the paper")
    assert source(certainty) == expected
    assert whose(certainty).startswith(expected)


@pytest.mark.parametrize(
    ("certainty", "memory"),
    [
        *((word, True) for word in ("corroborated", "remembered", "unsure")),
        *((word, False) for word in ("verified", "read from the figure", "inferred", "replication")),
        ("follow-up", False),
    ],
)
def test_what_nobody_read_in_the_paper_is_from_memory(certainty, memory):
    assert from_memory(certainty) is memory
    assert ("from memory" in whose(certainty)) is memory


def test_what_needs_an_inference_of_ours_says_so_and_is_not_plain():
    assert whose("inferred") == "the paper, by our inference"
    assert [plain(word) for word in ("verified", "read from the figure", "inferred", "remembered")] == [
        True,
        True,
        False,
        False,
    ]
    assert not plain("replication")


def test_a_word_that_is_no_certainty_is_not_counted_as_the_paper_s():
    with pytest.raises(InputError, match="'follow up'.*verified.*follow-up"):
        source("follow up")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"direction": "above", "bound": 0.0}, "> 0"),
        ({"direction": "below", "bound": 0.25, "paper_value": 0.1}, "< 0.25, 0.1"),
        ({"paper_value": 0.801, "paper_error": 0.006}, "0.801 ± 0.006"),
        ({"paper_value": 0.095, "paper_error": 0.1734}, "0.095 ± 0.173"),
        ({"paper_value": -0.6839, "paper_error": 0.00588}, "-0.684 ± 0.006"),
        ({"paper_value": 0.8003, "paper_error": 0.01176}, "0.800 ± 0.012"),
        ({"paper_value": 0.0115, "paper_error": 0.0002}, "0.01150 ± 0.00020"),
        ({"paper_value": 0.735, "paper_error": 0.0}, "0.735"),
    ],
)
def test_a_claim_is_its_side_and_its_number_with_the_error(values, words):
    assert number(row(**values)) == words
    assert claimed(row(kind="value", **values)) == f"value {words}"


def test_ours_stands_with_its_distance_where_a_number_or_a_shape_is_claimed():
    ours = {"estimate": 0.74, "low": 0.7, "high": 0.76, "networks": 2, "paper_value": 0.801}
    assert found(row(kind="value", **ours)) == "0.740 [0.700, 0.760], n = 2; distance -0.061"
    assert found(row(kind="shape", **ours)) == "distance 0.740 [0.700, 0.760], n = 2"
    assert found(row(kind="direction", **ours)) == "0.740 [0.700, 0.760], n = 2"
    assert found(row(kind="value", paper_value=0.8)) == ""
    assert pd.isna(distance(row(kind="direction", **ours)))
