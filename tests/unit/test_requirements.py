"""requirements.lock, and all else that says what is installed: conda, container, CI."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from checkouts import ROOT

CONDA = shutil.which("micromamba") or shutil.which("mamba") or shutil.which("conda")

LOCK = (ROOT / "requirements.lock").read_text()
ENTRY = r"[a-z][a-z0-9.-]*==\S+(?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"


def test_every_package_has_a_version_and_hashes_and_no_line_says_else():
    assert re.fullmatch(f"(?:{ENTRY})+", LOCK)
    assert re.search(r"^setuptools==", LOCK, re.MULTILINE)  # which builds those that come as source


def test_conda_gets_the_same_versions():
    pinned: dict[str, str] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", LOCK, re.MULTILINE):
        pinned.setdefault(name, version)  # the first of several is that of Python 3.11
    *_, last = yaml.safe_load((ROOT / "environment.yaml").read_text())["dependencies"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["workflow"]]
    names = [re.match(r"[A-Za-z0-9-]+(\[[^]]*\])?", line)[0] for line in needed]
    assert last["pip"] == [f"{name}=={pinned[name.partition('[')[0]]}" for name in names]


@pytest.mark.skipif(CONDA is None, reason="there is no micromamba, mamba or conda here")
def test_conda_can_resolve_the_environment(tmp_path):
    command = [CONDA, "env", "create", "--dry-run", "--yes", "--prefix", tmp_path / "env"]
    if Path(CONDA).name == "micromamba":
        command = [CONDA, "create", "--dry-run", "--yes", "--prefix", tmp_path / "env"]
    done = subprocess.run([*command, "--file", ROOT / "environment.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_python_that_is_named_is_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)]
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"
    assert jobs["quick"]["needs"] == "test"


def test_the_container_is_built_from_files_that_exist_and_installs_what_the_lock_says():
    lines = (ROOT / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert any(line.startswith("RUN make setup") for line in lines)
    [start] = [
        json.loads(line.removeprefix("ENTRYPOINT ")) for line in lines if line.startswith("ENTRYPOINT")
    ]
    assert start == ["snakemake", "--snakefile", "/opt/directions/Snakefile"]


def test_the_catalogue_is_told_a_way_to_run_the_workflow():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"] == {"conda": True}
    flags = usage["mandatory-flags"]["flags"]
    assert flags in (ROOT / "docs/MODULE.md").read_text()
