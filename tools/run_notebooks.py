"""Execute notebooks and store their outputs, without what differs between runs or tells of this machine."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from traitlets.config import Config

import directions
from directions.core import cli
from directions.core.errors import InputError
from directions.core.files import atomic

log = logging.getLogger(__name__)

EXAMPLES = Path(__file__).parents[1] / "examples"
SECONDS = 300  # for one cell


def executed(path: Path) -> NotebookNode:
    """Run a notebook in its folder.

    Raises InputError for another file, if a cell fails, and if an output names a path of this machine.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, NotJSONError) as error:
        raise InputError(
            f"{path} is no notebook that can be read: give one, such as examples/own_labels.ipynb"
        ) from error
    place = {"metadata": {"path": str(path.resolve().parent)}}
    sockets = {"transport": "ipc", "ip": f"{os.environ['JUPYTER_RUNTIME_DIR']}/kernel"}  # files, not ports
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        resources=place,
        record_timing=False,
        coalesce_streams=True,
        config=Config(KernelManager=sockets),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise InputError(f"{path}: a cell failed:\n{error}") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                output.update({"execution_count": None} if "execution_count" in output else {})
    notebook.metadata["language_info"] = {"name": "python"}  # without its version
    here = {str(folder) for folder in (Path.cwd(), Path.home(), sys.prefix, tempfile.gettempdir())} - {"/"}
    for text in texts(notebook):
        if found := [folder for folder in here if folder in text]:
            raise InputError(f"{path}: an output names {found[0]}, a path of this machine: {text}")
    return notebook


def texts(notebook: NotebookNode) -> Iterator[str]:
    """Yield all outputs that are text."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        yield from [output.text] if output.output_type == "stream" else ()
        yield from (text for kind, text in output.get("data", {}).items() if kind.startswith("text/"))


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default those in examples/")
    parser.add_argument("--output", type=Path, help="folder for what was executed, instead of the notebooks")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as own:  # neither kernels nor settings of this user
        os.environ |= dict.fromkeys(("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), own)
        os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(directions.__file__).parents[1])}
        for path in args.notebooks or sorted(EXAMPLES.glob("*.ipynb")):
            notebook = executed(path)
            target = args.output / path.name if args.output else path
            with atomic(target) as partial:
                nbformat.write(notebook, partial)
            log.info("written: %s", target)


if __name__ == "__main__":
    cli.start(main)
