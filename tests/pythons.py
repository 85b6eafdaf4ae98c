"""Python commands of tests, and jobs of their studies, as copies of processes that imported what is slow.

A module (`-m snakemake`) is a copy made by fork_server.py, which takes one after another. For scripts, which
Snakemake starts beside each other, `quick_python` is a folder with a `python` that hands them to `forks.py`.

A bare start is what `make`, every job of a study and every test that kills a command see.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from directions.workflow.dvc import fork_server

PYTHON = """\
#!{python} -IS
import json, os, socket, sys
words = sys.argv[2:] if sys.argv[1] == "-u" else sys.argv[1:]  # torchrun wants no buffers
asked = {{"arguments": words, "folder": os.getcwd(), "env": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps(asked).encode())
    server.shutdown(socket.SHUT_WR)
    code = int(server.recv(9))
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def run(
    command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with captured text; Snakemake and DVC get `quick_python` for what they start."""
    if command[1] == "-m" and command[2] in fork_server.NEEDS:
        return fork_server.run(command, cwd or Path.cwd(), quick_python(env or os.environ))
    quick = [f"{_forks()}/python", *map(str, command[1:])]
    return subprocess.run(quick, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def quick_python(env: Mapping[str, str]) -> dict[str, str]:
    """These variables, with a `python` on the PATH, and for torchrun, that starts a script fast."""
    return {**env, "PATH": f"{_forks()}:{env.get('PATH', '')}", "PYTHON_EXEC": f"{_forks()}/python"}


@cache
def _forks() -> str:
    """Start the process to fork; it ends when its input closes, however this process ends."""
    place = tempfile.TemporaryDirectory()
    atexit.register(place.cleanup)
    address = f"{place.name}/socket"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    forks = [sys.executable, Path(__file__).with_name("forks.py"), address, fork_server.__file__]
    server = subprocess.Popen(forks, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(server.communicate)  # close and wait
    assert server.stdout.readline() == b"listening\n"
    python = Path(place.name, "python")
    python.write_text(PYTHON.format(python=sys.executable, address=address))
    python.chmod(0o755)
    return place.name
