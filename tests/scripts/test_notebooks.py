"""The notebooks in examples/: they run, show what is stored in them, and say what is true."""

import json
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import pythons
from checkouts import ROOT
from nbformat import NotebookNode

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))


def execute(*words: str | Path):
    return pythons.run([sys.executable, ROOT / "tools/run_notebooks.py", *words])


def shown(notebook: NotebookNode) -> list[list[tuple[str, str]]]:
    """(kind, content) of all outputs of each cell; # for a number, which machines may round differently."""
    cells = [[parts(output) for output in cell.get("outputs", ())] for cell in notebook.cells]
    return [
        [(kind, masked(text) if kind.startswith("text/") else "") for output in cell for kind, text in output]
        for cell in cells
    ]


def parts(output: NotebookNode) -> list[tuple[str, str]]:
    return [("text/stream", output.text)] if output.output_type == "stream" else sorted(output.data.items())


def masked(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"-?\d+(\.\d+)?", "#", text))


def said(notebook: NotebookNode) -> str:
    """Everything that the cells print."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """`again(name)`: a notebook, executed once more in a folder of its own."""
    done: dict[str, NotebookNode] = {}

    def run(name: str) -> NotebookNode:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            shutil.copy(EXAMPLES / f"{name}.ipynb", folder)
            ran = execute(folder / f"{name}.ipynb")
            assert ran.returncode == 0, ran.stdout + ran.stderr
            assert [path.name for path in folder.iterdir()] == [f"{name}.ipynb"]
            done[name] = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        return done[name]

    return run


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_the_cells_show(name, again):
    stored = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    assert shown(stored) == shown(again(name))
    assert any(kind == "image/png" for cell in shown(stored) for kind, _ in cell)


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
