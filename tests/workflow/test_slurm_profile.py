"""The profile for Slurm, as far as it goes without one; tests/slurm has the rest."""

import os
import subprocess
import sys

import pytest
import yaml
from checkouts import ROOT, counted

from directions.study.catalogue import ANALYSES, FIGURES

PROFILES = {
    name: yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("default", "slurm")
}


@pytest.mark.parametrize(
    "option", ["--profile=slurm", "--profile=profiles/slurm", "--workflow-profile=slurm"]
)
def test_it_is_found_in_a_fresh_clone_and_plans_where_slurm_is_not_installed(fresh, option, monkeypatch):
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable) + ":/bin")
    done = fresh.snakemake("--dry-run", option)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert counted(said) == fresh.jobs()
    training = said.split("\nrule train:")[1].split("\n[")[0]
    assert "mem_mb=8000" in training
    assert "slurm_partition=gpu" in training
    assert "gpu=1" in training


def test_what_profiles_default_says_holds_on_a_cluster_too():
    assert PROFILES["default"].items() <= PROFILES["slurm"].items()


def test_every_rule_of_many_jobs_is_in_a_group_but_training_and_claims_are_not():
    grouped = PROFILES["slurm"]["groups"]
    assert set(grouped) == {
        "corrupt_labels",
        "collect",
        "measure_areas",
        "select_settings",
        *ANALYSES,
        *FIGURES,
    }
    assert {grouped[analysis] for analysis in ANALYSES} == {"analyses-{experiment}-{run}"}
    assert {grouped[figure] for figure in FIGURES} == {"figures"}


def test_memory_and_time_grow_with_every_attempt():
    asked = [PROFILES["slurm"]["default-resources"], *PROFILES["slurm"]["set-resources"].values()]
    for sizes in asked:
        for key in ("mem_mb", "runtime"):
            assert str(sizes[key]).endswith("* attempt"), sizes


def test_planning_imports_no_torch(fresh):
    """Each job of a cluster starts Snakemake anew, twice."""
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "snakemake",
        "--dry-run",
        "--cores",
        "1",
        "--",
        "fig7a",
    ]
    done = subprocess.run(command, cwd=fresh.folder, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "import time:" in line}
    assert "directions.study.config" in imported
    assert not {"torch", "torchvision", "scipy", "matplotlib", "sklearn"} & imported
