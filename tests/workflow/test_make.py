"""What the Makefile hands to the scripts."""

import os
import shutil
import subprocess

import pytest
from checkouts import ROOT


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        ([], ""),
        (["STUDY=paper"], "paper"),
        (["STUDY=paper", "FIGURES=fig1a,fig2a"], "paper --figures fig1a,fig2a"),
    ],
)
def test_progress_is_of_the_study_of_the_config_unless_one_is_named(given, handed):
    said = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/ready", *given, "progress"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    [line] = [line for line in said.replace("\\\n", " ").splitlines() if "show_progress" in line]
    assert " ".join(line.split()).removeprefix("python tools/show_progress.py").strip() == handed


def test_python_takes_the_library_of_this_checkout_and_no_other(tmp_path):
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    show = ["make", "--silent", "--eval=path: ; @printf '[%s]' \"$$PYTHONPATH\"", "path"]
    said = subprocess.run(show, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == f"[{tmp_path}/src]"


def test_python_keeps_what_it_compiles_though_the_container_forbids_it(tmp_path):
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    asked = '--eval=kept: ; @python3 -c "import sys; print(sys.dont_write_bytecode)"'
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    show = ["make", "--silent", asked, "kept"]
    said = subprocess.run(show, cwd=tmp_path, capture_output=True, text=True, check=True, env=env).stdout
    assert said == "False\n"


@pytest.mark.parametrize(
    ("given", "called"),
    [
        (["STUDY=mine", "report"], "write_report.py --study mine --figures all"),
        (
            ["STUDY=mine", "FIGURES=fig1a", "STALE=1", "report"],
            "write_report.py --study mine --figures fig1a --stale",
        ),
        (["STUDIES=quick laptop", "results"], "check_current.py --figures all quick laptop"),
        (["STUDIES=quick", "STALE=1", "results"], "check_current.py --figures all --stale quick"),
    ],
)
def test_only_current_studies_are_published_unless_stale_ones_are_asked_for(given, called):
    said = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/ready", *given],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.replace("\\\n", " ")  # fmt: skip
    first, *_ = [" ".join(line.split()) for line in said.splitlines() if "python tools/" in line]
    assert first == f"python tools/{called}"


def test_an_environment_of_the_same_versions_is_taken_whatever_its_time(tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/ready").touch()
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    (tmp_path / "requirements.lock").write_text("torch==2\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")

    def planned():
        plan = ["make", "--dry-run", "setup"]
        return subprocess.run(plan, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    os.utime(tmp_path / ".venv/ready", (0, 0))  # a link to what another checkout made is older than this one
    (tmp_path / ".venv/made-from").write_text("torch==2\n[project]\n")
    assert "pip install" not in planned()
    (tmp_path / "requirements.lock").write_text("torch==3\n")
    assert "pip install" in planned()
