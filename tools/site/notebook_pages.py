"""Notebooks as Markdown, for the site of the documentation: their texts, code and stored outputs."""

import base64
from pathlib import Path

import nbformat
from github_markdown import widened
from nbformat import NotebookNode

from directions.core.errors import InputError

EXAMPLES = Path("examples")


def names() -> list[str]:
    """List the notebooks, by name without suffix."""
    return sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))


def pages() -> dict[str, str | bytes]:
    """Return a page per notebook and its pictures, {path in the site: content}.

    Raises InputError for a notebook whose outputs are not stored.
    """
    made: dict[str, str | bytes] = {}
    for name in names():
        path = EXAMPLES / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if not any(cell.outputs for cell in code):
            raise InputError(f"{path} has no outputs: run `make notebooks`, which stores them")
        lines: list[str] = []
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                lines += fenced(cell.source, "python")
                for number, output in enumerate(cell.outputs):
                    said, picture = shown(output, f"{name}_{place}_{number}.png")
                    lines += said
                    made |= {str(EXAMPLES / name): content for name, content in picture.items()}
            else:
                lines.append(widened(cell.source))
        lines += [f"To run it: [{path.name}]({path.name}).", ""]
        made[str(path.with_suffix(".md"))] = "\n".join(lines)
    return made


def shown(output: NotebookNode, name: str) -> tuple[list[str], dict[str, bytes]]:
    """Return an output as lines, and its picture as {name: PNG} if it is one."""
    if output.output_type == "stream":
        return fenced(output.text, "text"), {}
    if picture := output.data.get("image/png"):
        return [f"![output]({name})", ""], {name: base64.b64decode(picture)}
    return fenced(output.data["text/plain"], "text"), {}


def fenced(text: str, language: str) -> list[str]:
    """Return a block of code."""
    return [f"````{language}", text.rstrip("\n"), "````", ""]
