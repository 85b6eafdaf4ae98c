"""DVC runs a study through Snakemake and then has nothing to do."""

import shutil
import subprocess
import sys


def dvc(folder, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_repro_runs_a_study_and_then_has_nothing_to_do(built, tmp_path):
    folder = shutil.copytree(built.folder, tmp_path / "study", symlinks=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    assert "Running stage 'study'" in dvc(folder, "repro")
    assert "Data and pipelines are up to date" in dvc(folder, "repro")
    assert "fig1a_clean_above_corrupted" in dvc(folder, "metrics", "show")
    (folder / "configs/tiny.yaml").write_text(
        (folder / "configs/tiny.yaml").read_text().replace("repeats: 2", "repeats: 1")
    )
    said = dvc(folder, "repro")
    assert "Running stage 'study'" in said
    assert "rule add_noise" in said
    assert "rule train" not in said
