"""Run DVC and Snakemake in forks of one process that has loaded their libraries (forks.py)."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from directions.workflow import forks

NEEDS = {  # module run by `python -m`: its third-party imports
    "snakemake": ("snakemake.cli", "snakemake.storage", "snakemake.report.html_reporter", "jsonschema"),
    "dvc": ("dvc.cli.parser", "dvc.repo.reproduce", "dvc_data.index.checkout"),
}


def run(
    command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run [sys.executable, "-m", MODULE, ...] or [.., SCRIPT, ...] like `subprocess.run`, capturing text."""
    python, *arguments = map(str, command)
    assert python == sys.executable
    needs = NEEDS[arguments[1]] if arguments[0] == "-m" else ()
    with tempfile.TemporaryDirectory() as place, ExitStack() as files:
        said = [Path(place, name) for name in ("stdout", "stderr")]
        outputs = [files.enter_context(path.open("w")) for path in said]
        numbers = [file.fileno() for file in (files.enter_context(open(os.devnull)), *outputs)]
        code = forks.Fork(_server(), arguments, str(cwd), env or os.environ, needs, numbers).wait()
        return subprocess.CompletedProcess(command, code, *(path.read_text() for path in said))


@cache
def _server() -> str:
    return forks.start()
