"""`directions claims`: what it prints, and what it says to a file that is no claims table."""

import pytest
from checkouts import ROOT

from directions.command.main import main

TABLE = ROOT / "docs/results/quick/tables/claims.csv"


def test_the_table_is_printed_by_figure(capsys):
    assert main(["claims", str(TABLE)]) == 0
    said = capsys.readouterr().out
    assert "Figure 1a: MNIST" in said
    assert "follow-ups" in said


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("gone.csv", "there is no file gone.csv: give a study's claims table"),
        ("areas.csv", "areas.csv is no claims table: give tables/claims.csv of a study"),
        ("claims.png", "claims.png is not a CSV file: give the claims table"),
    ],
)
def test_another_file_is_refused_with_the_way_out(file, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "areas.csv").write_text("experiment,run,auc\nmine,seed-0,0.5\n")
    assert main(["claims", file]) == 2
    assert f"error: {said}" in capsys.readouterr().err
