"""A study that Snakemake would still work on is not published, unless that is asked for."""

import logging
import runpy
from types import SimpleNamespace

import pytest
from checkouts import ROOT

from directions.core.errors import InputError
from directions.workflow.dvc.tools import Snakemake

DRY_RUN = """\
Building DAG of jobs...
[Sun Nov 29 07:15:13 2026]
rule collect:
    input: a.csv, b.csv
    output: tables/a.csv
    jobid: 1
    reason: Forced execution
    resources: tmpdir=/tmp
[Sun Nov 29 07:15:13 2026]
rule fig1a:
    input: tables/a.csv
    output: fig1a.pdf, fig1a.png
    jobid: 0
    reason: Input files updated by another job: tables/a.csv
"""


@pytest.fixture
def check(monkeypatch):
    """The script's main, with Snakemake's answer set by its attribute `left` {study: {rule: jobs}}."""
    found = SimpleNamespace(left={}, main=runpy.run_path(str(ROOT / "tools/check_current.py"))["main"])
    plan = lambda self, _targets: found.left.get(self._config[0].removeprefix("study="), {})  # noqa: E731
    monkeypatch.setattr(Snakemake, "plan", plan)
    return found


def test_current_studies_pass_and_a_stale_one_is_named_with_the_way_out(check):
    check.main(["quick", "laptop"])
    check.left = {"laptop": {"add_noise": 2, "fig2a": 1}}
    check.main(["quick"])
    with pytest.raises(
        InputError, match=r"study laptop is not current, 3 jobs are left \(add_noise, fig2a\)"
    ) as e:
        check.main(["quick", "laptop", "--figures", "fig2a"])
    assert "`snakemake --cores all --config study=laptop figures=fig2a -- all`" in str(e.value)


def test_stale_files_are_taken_on_demand_and_that_is_said(check, caplog):
    check.left = {"quick": {"fig1a": 1}}
    with caplog.at_level(logging.WARNING):
        check.main(["--stale", "quick"])
    assert "study quick is not current, 1 jobs are left (fig1a); using its files as they are" in caplog.text


def test_what_a_dry_run_would_make_is_read_with_the_reason(monkeypatch, tmp_path):
    said = SimpleNamespace(stdout=DRY_RUN, stderr="", returncode=0)
    monkeypatch.setattr(Snakemake, "_call", lambda *_, **__: said)
    updated = "Input files updated by another job: tables/a.csv"
    assert Snakemake(tmp_path, "quick").pending(["all"]) == {
        "tables/a.csv": "Forced execution", "fig1a.pdf": updated, "fig1a.png": updated
    }  # fmt: skip
