"""Main findings in a study's claims, verdicts counted in words, and on how few networks intervals rest."""

import pandas as pd
import pytest
from checkouts import ROOT

from directions.claims import counts, headlines
from directions.core.errors import InputError


def claims(*rows: tuple) -> pd.DataFrame:
    """Claims with (networks, whether there is an interval)."""
    made = pd.DataFrame(rows, columns=["networks", "known"])
    low = made["known"].map({True: 0.1, False: None}).astype(float)
    return pd.DataFrame({"networks": made["networks"].astype("Int64"), "low": low})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(4, True), (48, True)], ""),
        ([(2, True)], "The interval rests on 2 networks per group: too narrow."),
        ([(2, True)] * 4, "All 4 intervals rest on 2 networks per group: too narrow."),
        ([(3, True), (4, True)], "1 of 2 intervals rests on 3 networks per group: too narrow."),
        (
            [(2, True)] * 2 + [(3, True)] * 3 + [(4, True)] + [(1, False)] + [(None, False)],
            "2 of 6 intervals rest on 2 networks per group, 3 on 3: too narrow."
            " 1 number comes from a single network per group, without an interval.",
        ),
        ([(1, False)] * 2, "2 numbers come from a single network per group, without an interval."),
    ],
)
def test_intervals_of_two_or_three_networks_are_counted_and_called_too_narrow(rows, said):
    assert headlines.caution(claims(*rows)) == said


def test_too_few_are_those_with_an_interval_only():
    table = claims((2, True), (3, True), (4, True), (2, False), (None, False))
    assert headlines.too_few(table).tolist() == [True, True, False, False, False]


def test_verdicts_are_counted_in_words_in_their_own_order():
    verdicts = ["not reproduced", "reproduced", "reproduced", "direction only"]
    said = headlines.counted(pd.DataFrame({"verdict": verdicts}))
    assert said == "2 reproduced, 1 direction only and 1 not reproduced"
    assert headlines.counted(pd.DataFrame({"verdict": ["reproduced"]})) == "1 reproduced"


def test_findings_keep_their_order_and_those_that_a_study_does_not_test_are_left_out():
    table = counts.read(ROOT / "docs/results/laptop/tables/claims.csv").iloc[::-1]
    listed = headlines.read(ROOT / "data/paper/headlines.csv")
    assert list(headlines.of_study(table, listed)["id"]) == list(listed["id"])
    part = headlines.of_study(table[table["figure"] == "fig2a"], listed)
    assert list(part["id"]) == ["fig2a_clean_above_corrupted"]
    assert part["quantity"].iloc[0] == "mean accuracy over noise, true minus random labels"


def test_a_list_without_a_quantity_is_refused(tmp_path):
    (tmp_path / "headlines.csv").write_text("id,finding\na,b\n")
    with pytest.raises(InputError, match="no column 'quantity'"):
        headlines.read(tmp_path / "headlines.csv")
