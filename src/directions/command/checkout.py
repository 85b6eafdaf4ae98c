"""Run the tools of a checkout of this project: its workflow and its recorded products are only there."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from directions.core.errors import InputError

NEEDED = ("snakemake", "dvc")  # by the tools, which the package alone does not install


def root(command: str) -> Path:
    """Return the checkout around the current folder. Raises InputError if there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "src/directions/command").is_dir():
            return folder
    raise InputError(
        f"`directions {command}` needs the project's workflow, and {here} is in no checkout of it: clone the"
        " repository, run `make setup` there, and call it in that folder"
    )


def tool(folder: Path, name: str, *arguments: str) -> None:
    """Run tools/{name}.py of a checkout with its own Python and library; if it fails, exit as it does.

    Raises InputError if the checkout is not set up.
    """
    own = folder / ".venv/bin/python"
    if not own.exists() and not all(map(find_spec, NEEDED)):
        raise InputError(f"{folder} is not set up: run `make setup` there, which installs Snakemake and DVC")
    python = str(own) if own.exists() else sys.executable
    bins = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "PATH": bins}
    done = subprocess.run([python, f"tools/{name}.py", *arguments], cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)
