"""`make estimate` in a clone where nothing has run."""

import runpy

import pandas as pd
import pytest
from checkouts import ROOT

estimate = runpy.run_path(str(ROOT / "tools/estimate.py"), run_name="estimate")


def test_every_rule_of_the_paper_has_a_recorded_pace(tmp_path, capsys):
    estimate["main"](["--benchmarks", str(tmp_path)])
    said = capsys.readouterr().out
    assert "not measured" not in said
    assert "bench/paces.csv" in said
    [cmi] = [line.split() for line in said.splitlines() if line.split()[:1] == ["mnist_cmi"]]
    assert float(cmi[-2]) > 10  # hours: it retrains networks, which quick does at a size too small to time


def test_measured_run_times_come_before_the_recorded_ones(tmp_path, capsys):
    job, computed = estimate["every_work"](estimate["study"]("quick"))[0]
    assert job.rule == "train"
    (tmp_path / job.name).parent.mkdir(parents=True)
    pd.DataFrame({"s": [7.0]}).to_csv(tmp_path / f"{job.name}.tsv", sep="\t")
    estimate["main"](["--benchmarks", str(tmp_path)])
    said = capsys.readouterr().out
    assert "not measured" in said
    assert "from the run times of quick" in said
    paces = estimate["measured"]("quick", tmp_path)
    assert list(paces) == ["train"]
    assert paces["train"].seconds(computed) == pytest.approx(7)


def test_a_rule_without_a_pace_of_its_own_is_not_free_however_much_it_computes():
    pace = estimate["Pace"]
    found = estimate["floored"]({"train": pace(4.0, 1e-4, 1e-11), "measure_cmi": pace(5.0, 0.0, 0.0)})
    assert found["train"] == pace(4.0, 1e-4, 1e-11)
    assert found["measure_cmi"] == pace(5.0, 1e-4, 1e-11)
