"""Commands of tests as copies of one process (fork_server.py), which are started hundreds of times.

A bare start is what `make`, every job of a study and every test that kills a command see.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from directions.workflow.dvc import fork_server

IMPORTS = ("pandas", "scipy.stats", "torch")  # of scripts


def run(
    command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> fork_server.Done:
    """As `subprocess.run` with captured text."""
    needs = () if command[1] == "-m" else IMPORTS
    return fork_server.run(command, cwd or Path.cwd(), env or os.environ, needs)
