"""The package alone: sdist, wheel from it, an environment of its own, a folder without this repository."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import nbformat
import pytest
from checkouts import ROOT

import directions
from directions.core.source_files import code_of

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
torch.save(network.state_dict(), "weights.pt")
torch.save((255 * images).byte(), "images.pt")
torch.save(labels, "labels.pt")
"""
NETS = """
from torch import nn


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
"""
SETTINGS = "ablate_cumulative: {orderings: 2, points: 3}\nanalyses: [ablate_cumulative, measure_units]\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist and the wheel that pip builds from it."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"  # as setuptools writes beside what it builds
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    sdist = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", sdist, folder], check=True, cwd=source, capture_output=True)
    [packed] = folder.glob("directions-*.tar.gz")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, packed]
    pip(*build, cwd=folder)
    return folder


def pip(*words: str | Path, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True, cwd=cwd)


@pytest.fixture(scope="module")
def python(built, tmp_path_factory) -> Path:
    """Python of a fresh environment with the wheel, which finds its dependencies among those of the lock."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    [wheel] = built.glob("directions-*.whl")
    pip("--python", folder / "bin/python", "install", "--no-deps", "--no-compile", wheel, cwd=built)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "lock.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin/python"


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("empty")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command that must find the wheel and nothing of this checkout."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_it_analyses_a_network_in_an_empty_folder(python, empty):
    done = run(python, "-c", ANALYSE, cwd=empty)
    assert done.returncode == 0, done.stderr
    *listed, last = done.stdout.splitlines()
    assert any(line.split() == ["2", "relu", "8", "8"] for line in listed), listed
    assert last.startswith(f"{python.parents[1]}/lib/")
    assert last.endswith(
        f"{directions.__version__} ['ablation', 'areas', 'noise', 'runs', 'single', 'units']"
    )
    written = {path.name for path in empty.iterdir()} - {".cache", ".config"}  # of matplotlib
    assert written == {"weights.pt", "images.pt", "labels.pt"}

    (empty / "nets.py").write_text(NETS)
    (empty / "few.yaml").write_text(SETTINGS)
    command = python.with_name("directions")
    data = ["--train", "images.pt", "labels.pt", "--weights", "weights.pt", "--settings", "few.yaml"]
    done = run(command, "analyse", "nets.py:build", *data, "--output", "mine", "--threads", "1", cwd=empty)
    assert done.returncode == 0, done.stderr
    tables = ["ablation.csv", "areas.csv", "runs.csv", "units.csv"]
    names = [f"mine/{name}" for name in sorted([*tables, "figure.pdf", "figure.png"])]
    assert done.stdout.split() == names
    assert sorted(str(path.relative_to(empty)) for path in (empty / "mine").iterdir()) == names
    assert (empty / "mine/figure.png").read_bytes().startswith(b"\x89PNG")


def test_the_notebook_on_a_network_of_one_s_own_needs_no_checkout(python, tmp_path):
    notebook = nbformat.read(ROOT / "examples/your_network.ipynb", as_version=4)
    whose = "import directions\nprint('site-packages' in directions.__file__)"
    notebook.cells.append(nbformat.v4.new_code_cell(whose))
    nbformat.write(notebook, tmp_path / "mine.ipynb")
    done = run(python, ROOT / "tools/run_notebooks.py", "mine.ipynb", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, last = nbformat.read(tmp_path / "mine.ipynb", as_version=4).cells
    assert [output.text for output in last.outputs] == ["True\n"]


def test_it_draws_a_published_study_with_the_paper_s_curves_and_prints_its_claims(python, tmp_path):
    study = shutil.copytree(ROOT / "docs/results/quick/tables", tmp_path / "quick/tables").parent
    command = python.with_name("directions")
    done = run(command, "figure", "fig4b", study, "--output", "drawn", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["drawn.pdf", "drawn.png"]), done.stderr
    done = run(command, "claims", study / "tables/claims.csv", "--figure", "fig4b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Figure 4b: " in done.stdout


def test_a_reader_that_has_gone_is_no_error(python, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)  # as of `directions claims ... | head`, once head has its lines
    claims = ROOT / "docs/results/quick/tables/claims.csv"
    command = [python.with_name("directions"), "claims", claims]
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_needs_the_workflow_says_so_in_one_line(python, tmp_path):
    done = run(python.with_name("directions"), "pull", "fig1a", cwd=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(r"error: `directions pull` needs the project's workflow, .*\n", done.stderr)
    done = run(python.with_name("directions"), "--version", cwd=tmp_path)
    assert done.stdout == f"directions {directions.__version__}\n"


def test_it_says_that_it_has_types_and_brings_its_data(python):
    [package] = python.parents[1].glob("lib/python*/site-packages/directions")
    assert (package / "py.typed").is_file()
    assert (package / "study/config.json").is_file()
    curves = sorted(path.name for path in (ROOT / "data/paper/figures").glob("*.csv"))
    assert sorted(path.name for path in (package / "paper").iterdir()) == curves


def test_the_sdist_has_what_the_wheel_is_built_from(built):
    [packed] = built.glob("directions-*.tar.gz")
    with tarfile.open(packed) as archive:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "src/directions/paper/fig1a.csv", "src/directions/py.typed"} <= names


def test_the_version_is_one():
    cited = re.findall(
        r"^(?:version|date-released): \"?([^\"\n]*)", (ROOT / "CITATION.cff").read_text(), re.M
    )
    [first, *_] = re.findall(r"^## \[(\d.*)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert [directions.__version__, first[1]] == cited
    assert directions.__version__ == first[0]


def test_no_result_depends_on_the_version():
    for script in (ROOT / "scripts").glob("*.py"):
        assert "src/directions/version.py" not in code_of(script, ROOT), script
