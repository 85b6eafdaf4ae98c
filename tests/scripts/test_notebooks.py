"""The notebooks in examples/: they run, show what is stored in them, and say what is true."""

import base64
import hashlib
import io
import json
import re
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import nbformat
import numpy as np
import pandas as pd
import pytest
import pythons
from checkouts import ROOT
from nbformat import NotebookNode

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))


def execute(*words: str | Path):
    return pythons.run([sys.executable, ROOT / "tools/run_notebooks.py", *words])


def outputs(notebook: NotebookNode) -> list[tuple[str, str, str]]:
    """(cell, kind, content) of everything that a notebook shows."""
    found = [(cell.id, output) for cell in notebook.cells for output in cell.get("outputs", ())]
    return [
        (cell, kind, text)
        for cell, output in found
        for kind, text in sorted(output.get("data", {"printed": output.get("text")}).items())
    ]


def said(notebook: NotebookNode) -> str:
    """Everything that the cells print."""
    return "".join(text for _, kind, text in outputs(notebook) if kind == "printed")


def alike(notebook: NotebookNode) -> list[tuple[str, str, str]]:
    """What a notebook shows on every machine: no pictures, and # for numbers, which may be rounded."""
    return [
        (cell, kind, "" if "image" in kind else re.sub(r"\s+", " ", re.sub(r"-?\d+(\.\d+)?", "#", text)))
        for cell, kind, text in outputs(notebook)
    ]


@pytest.fixture(scope="module")
def again(fresh, tmp_path_factory):
    """`again(name)`: a notebook, executed once more in a checkout, of which no file may change."""
    done: dict[str, NotebookNode] = {}

    def run(name: str) -> NotebookNode:
        if name not in done:
            before, folder = content(fresh.folder), tmp_path_factory.mktemp(name)
            ran = execute(fresh.folder / f"examples/{name}.ipynb", "--output", folder)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            assert content(fresh.folder) == before
            done[name] = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        return done[name]

    return run


def content(folder: Path) -> dict[Path, str]:
    """{file: its digest}"""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: hashlib.blake2b(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_the_cells_show(name, again):
    stored = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    assert alike(stored) == alike(again(name))
    assert "image/png" in [kind for _, kind, _ in outputs(stored)]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_stored_that_differs_from_run_to_run(name):
    stored = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert {cell["execution_count"] for cell in cells} == {None}
    assert {output.get("execution_count") for cell in cells for output in cell["outputs"]} == {None}
    assert all(cell["metadata"] == {} for cell in cells)
    assert stored["metadata"]["language_info"] == {"name": "python"}


def test_together_they_are_small():
    assert sum((EXAMPLES / f"{name}.ipynb").stat().st_size for name in NAMES) < 400_000


def test_a_network_s_area_is_that_of_its_curves(again):
    [told, computed] = re.findall(r"^area (\S+)", said(again("your_network")), re.M)
    assert told == computed.rstrip(",")
    assert 0.125 < float(told) < 1


def test_a_figure_has_the_colours_asked_for_and_its_claim_the_recorded_verdict(again):
    notebook = again("redraw_figure")
    [png] = [text for _, kind, text in outputs(notebook) if kind == "image/png"]
    pixels = mpl.image.imread(io.BytesIO(base64.b64decode(png)))[..., :3]
    for colours, there in (("plasma", True), ("viridis", False)):
        dark = np.array(mpl.colormaps[colours](0.0))[:3]  # of the networks with true labels
        assert (np.abs(pixels - dark) < 0.01).all(axis=2).any() == there, colours

    claims = pd.read_csv(ROOT / "docs/results/laptop/tables/claims.csv", index_col="id")
    claim = claims.loc["fig1a_clean_above_corrupted"]
    assert re.findall("^verdict +(.*)$", said(notebook), re.M) == [claim["verdict"]]
    by_hand, recorded = re.findall(r"^(?:true minus shuffled:|ours) +(\S+)", said(notebook), re.M)
    assert by_hand == recorded == f"{claim['estimate']:.3f}"


def test_networks_that_learned_shuffled_labels_have_smaller_areas(again):
    rows = re.findall(r"^(0\.0|0\.5|1\.0) +(.*)$", said(again("own_labels")), re.M)
    found = {float(shuffled): [float(number) for number in numbers.split()] for shuffled, numbers in rows}
    accuracy, _, area, lowest, highest = zip(*(found[shuffled] for shuffled in (0, 0.5, 1)), strict=True)
    assert min(accuracy) > 0.99
    assert area[0] > max(area[1:])
    assert lowest[0] > max(highest[1:])


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import os\nos.getcwd()", "a path of this machine"),
    ],
)
def test_a_cell_that_fails_or_tells_of_this_machine_is_an_error_and_changes_nothing(cell, problem, tmp_path):
    path = tmp_path / "wrong.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)]), path)
    before = path.read_bytes()
    done = execute(path)
    assert done.returncode == 2
    assert problem in done.stderr
    assert path.read_bytes() == before


def test_another_file_is_refused_by_name(tmp_path):
    (tmp_path / "text.ipynb").write_text("no JSON")
    for name in ("text.ipynb", "missing.ipynb"):
        done = execute(tmp_path / name)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"{name} is no notebook" in done.stderr
