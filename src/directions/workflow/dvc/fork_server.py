"""Run Python commands in forks of one process that has already imported their slow dependencies.

DVC and Snakemake spend a second or two on third-party imports at every start, and a pull starts each of them
several times. A fork has its own working directory, environment, search path and output. It imports this
project's code itself, as the parent process has none of it.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

NEEDS = {  # module run by `python -m`: its third-party imports
    "snakemake": ("snakemake.cli", "snakemake.storage", "snakemake.report.html_reporter", "jsonschema"),
    "dvc": ("dvc.cli.parser", "dvc.repo.reproduce", "dvc_data.index.checkout"),
}


class Done(subprocess.CompletedProcess):
    """A finished command, with the processor seconds that it and its child processes used."""

    seconds: float


def run(
    command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None, needs: Sequence[str] = ()
) -> Done:
    """Run [sys.executable, "-m", MODULE, ...] or [.., SCRIPT, ...] like `subprocess.run`, capturing text.

    `needs` names third-party modules to import first, for this command and later ones.
    """
    python, *arguments = map(str, command)
    assert python == sys.executable
    needs = [*(NEEDS[arguments[1]] if arguments[0] == "-m" else ()), *needs]
    with tempfile.TemporaryDirectory() as place:
        said = [os.path.join(place, name) for name in ("stdout", "stderr")]
        asked = {"arguments": arguments, "folder": str(cwd), "said": said, "env": dict(env or os.environ)}
        server = _server()
        print(json.dumps({"needs": needs, "asked": asked}), file=server.stdin, flush=True)
        assert server.stdout is not None
        code, seconds = server.stdout.readline().split()
        done = Done(command, int(code), *(Path(path).read_text() for path in said))
    done.seconds = float(seconds)
    return done


@cache
def _server() -> subprocess.Popen:
    """Start the process to fork; it ends when its input closes, however this process ends."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, __file__], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)  # close and wait
    return server


def serve() -> None:
    """Run the command on each line of the input in turn; print exit codes and processor seconds."""
    del sys.path[0]  # the folder of this file
    search = list(sys.path)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the command and by the caller
    for line in sys.stdin:
        request = json.loads(line)
        for needed in request["needs"]:
            with suppress(ImportError):  # the command itself will report it
                importlib.import_module(needed)
        gc.freeze()  # keeps untouched memory shared with the forks
        process = os.fork()
        if not process:
            become(**request["asked"], search=search)
            return
        _, status, used = os.wait4(process, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


def become(
    arguments: list[str], folder: str, said: list[str], env: dict[str, str], search: list[str]
) -> None:
    """Turn this process into the command: its working directory, environment, arguments and output."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path in enumerate((os.devnull, *said)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    module = arguments[0] == "-m"
    first = folder if module else os.path.dirname(os.path.abspath(arguments[0]))
    sys.path[:] = [first, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), *search]
    sys.argv[:] = arguments[1:] if module else arguments
    if module:
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    serve()
