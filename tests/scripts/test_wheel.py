"""The package alone, as a wheel in an environment of its own, in a folder without this repository."""

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from checkouts import ROOT

import directions

ANALYSE = """
import torch
import directions
from directions import analyse, show_layers
from torch import nn

torch.manual_seed(0)
network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
images, labels = torch.rand(60, 1, 4, 4), torch.arange(60) % 3
show_layers(network, (1, 4, 4))
found = analyse(network, ["2"], (images, labels), orderings=2, noise=[1.0], progress=False)
print(directions.__file__, directions.__version__, sorted(found.tables))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """Python of a fresh environment with the wheel, which finds its dependencies among those of the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # as setuptools writes beside what it builds
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source]
    subprocess.run([*pip, *build], check=True, cwd=folder)
    venv.create(folder / "environment", with_pip=False)
    [site] = (folder / "environment").glob("lib/python*/site-packages")
    [wheel] = folder.glob("directions-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True, cwd=folder)
    (site / "lock.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "environment/bin/python"


def test_it_analyses_a_network_in_an_empty_folder(python, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    done = subprocess.run([python, "-c", ANALYSE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *listed, last = done.stdout.splitlines()
    assert any(line.split() == ["2", "relu", "8", "8"] for line in listed), listed
    assert last.startswith(f"{python.parents[1]}/lib/")
    assert last.endswith(
        f"{directions.__version__} ['ablation', 'areas', 'noise', 'runs', 'single', 'units']"
    )
    assert list(tmp_path.iterdir()) == []


def test_it_says_that_it_has_types(python):
    [marker] = python.parents[1].glob("lib/python*/site-packages/directions/py.typed")
    assert marker.is_file()


def test_the_version_is_one():
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.M)[1]
    assert directions.__version__ == cited
