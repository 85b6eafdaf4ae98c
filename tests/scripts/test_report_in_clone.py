"""`make report` in a bare clone: a published study, or the name of the step that is missing."""

import shutil
import sys
from pathlib import Path

import pytest
import pythons
from checkouts import ROOT
from report_page import Page

PUBLISHED = ("tables/claims.csv", "figures/fig1a.png", "figures/fig1a.pdf")


@pytest.fixture
def clone(tmp_path) -> Path:
    """A bare clone: captions, configs, and of laptop the published claims and a figure without its tables."""
    for name in ("report", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("data/paper/headlines.csv", *(f"docs/results/laptop/{path}" for path in PUBLISHED)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_in_a_bare_clone_the_published_study_is_taken_and_that_is_said(clone):
    command = [sys.executable, ROOT / "tools/write_report.py", "--study", "laptop"]
    done = pythons.run(command, clone)
    assert done.returncode == 0, done.stderr
    assert "Report: results/laptop/report.html" in done.stdout
    page = (clone / "results/laptop/report.html").read_text("utf-8")
    assert "the published copy, docs/results/laptop" in page
    [alt] = [picture["alt"] for picture in Page(page).pictures if len(picture["alt"]) > 9]
    assert alt.startswith("Figure 1a: accuracy as units are ablated"), "no axes without tables"
    assert "Training accuracy against" not in alt
    assert "Here 0.472 [0.459, 0.486], n = 2: reproduced." in alt


@pytest.mark.parametrize(
    ("study", "way_out"),
    [("quick", "run `snakemake --cores all --config study=quick"), ("qick", "did you mean quick?")],
)
def test_without_results_the_missing_step_is_named_and_nothing_is_left(clone, study, way_out):
    done = pythons.run([sys.executable, ROOT / "tools/write_report.py", "--study", study], clone)
    assert done.returncode == 2
    assert way_out in done.stderr
    assert not (clone / "results").exists()
