"""Where a report takes a study from: its results, checked; what git has; or an error with the way out."""

import subprocess

import pytest

from directions.core.errors import InputError
from directions.report import source
from directions.workflow.dvc.tools import Snakemake


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with configs of two studies, of which git has one, and Snakemake's answer in `left`."""
    for study in ("quick", "laptop"):
        (tmp_path / f"configs/{study}.yaml").parent.mkdir(exist_ok=True)
        (tmp_path / f"configs/{study}.yaml").touch()
    claims = tmp_path / "docs/results/laptop/tables/claims.csv"
    claims.parent.mkdir(parents=True)
    claims.touch()
    monkeypatch.setattr(Snakemake, "plan", lambda *_: checkout_left)
    checkout_left.clear()
    return tmp_path


checkout_left: dict[str, int] = {}


def finish(root, study):
    claims = root / "results" / study / "tables/claims.csv"
    claims.parent.mkdir(parents=True)
    claims.touch()


def test_a_study_of_which_nothing_is_here_is_taken_from_git_with_its_commit(checkout):
    found = source.find(checkout, "laptop", "all", stale=False)
    assert (found.folder, found.said) == (checkout / "docs/results/laptop", "docs/results/laptop")
    commands = ["init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm x"]
    for command in commands:
        subprocess.run(["git", *command.split()], cwd=checkout, check=True)
    (checkout / "results/laptop").mkdir(parents=True)
    (checkout / "results/laptop/report.html").touch()  # of an earlier call
    found = source.find(checkout, "laptop", "all", stale=False)
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h of %cs"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert found.said == f"docs/results/laptop, of commit {commit.stdout.strip()}"


def test_figures_of_a_published_study_cannot_be_left_out(checkout):
    with pytest.raises(InputError, match="leave out FIGURES=fig1a"):
        source.find(checkout, "laptop", "fig1a", stale=False)


def test_own_results_come_first_and_must_be_current(checkout):
    finish(checkout, "laptop")
    assert source.find(checkout, "laptop", "all", stale=False).folder == checkout / "results/laptop"
    checkout_left["train"] = 2
    with pytest.raises(InputError, match=r"study laptop is not current, 2 jobs are left \(train\)"):
        source.find(checkout, "laptop", "all", stale=False)
    assert source.find(checkout, "laptop", "all", stale=True).said == ""


def test_a_study_that_has_begun_is_finished_first_whatever_git_has(checkout):
    (checkout / "results/laptop/models").mkdir(parents=True)
    checkout_left["check_claims"] = 1
    with pytest.raises(InputError, match="config study=laptop figures=fig1a -- all"):
        source.find(checkout, "laptop", "fig1a", stale=False)
    with pytest.raises(InputError, match="has no claims table: finish the study first"):
        source.find(checkout, "laptop", "fig1a", stale=True)


def test_a_study_that_never_ran_and_one_that_does_not_exist_are_told_apart(checkout):
    with pytest.raises(
        InputError, match="run `snakemake --cores all --config study=quick figures=all -- all`"
    ):
        source.find(checkout, "quick", "all", stale=True)
    with pytest.raises(
        InputError, match=r"'labtop' is unknown.* did you mean laptop\?.*configs/ has laptop, quick"
    ):
        source.find(checkout, "labtop", "all", stale=False)
    assert not (checkout / "results").exists()
