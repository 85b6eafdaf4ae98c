"""Python commands of tests, and jobs of their studies, as forks of processes that imported what is slow.

A module (`-m snakemake`) is a fork made by forked_commands.py. For scripts, which Snakemake starts beside
each other, `quick_python` is a folder with a `python` that hands them to a server of forks.py.

A bare start is what `make` and every test that kills a command see.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from directions.workflow import forks
from directions.workflow.dvc import forked_commands

PYTHON = """\
#!/bin/sh
[ "$1" != -u ] || shift  # torchrun wants no buffers
{variables} exec {python} -IS {forks} "$@"
"""


def run(
    command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with captured text; Snakemake and DVC get `quick_python` for what they start."""
    if command[1] == "-m" and command[2] in forked_commands.NEEDS:
        return forked_commands.run(command, cwd or Path.cwd(), quick_python(env or os.environ))
    quick = [f"{_forks()}/python", *map(str, command[1:])]
    return subprocess.run(quick, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def quick_python(env: Mapping[str, str]) -> dict[str, str]:
    """These variables, with a `python` on the PATH, and for torchrun, that starts a script fast."""
    path = f"{_forks()}:{env.get('PATH', '')}"
    return {**env, "PATH": path, "PYTHON_EXEC": f"{_forks()}/python", "DIRECTIONS_COLD": "1"}


@cache
def _forks() -> str:
    variables = {forks.ADDRESS: forks.start(*forks.LIBRARIES)} | dict.fromkeys(forks.THREADS, "1")
    python = Path(tempfile.mkdtemp(), "python")
    text = " ".join(f"{name}={value}" for name, value in variables.items())
    python.write_text(PYTHON.format(variables=text, python=sys.executable, forks=forks.__file__))
    python.chmod(0o755)
    return str(python.parent)
