"""Python commands, run by copies (forks) of one process that has imported what takes them long to import.

DVC and Snakemake import other people's code for a second or two at every start, and a pull starts each of
them several times. A copy is a process of its own: own folder, environment, search path and output, and it
imports this project's code itself, of which the process that is copied has nothing.
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

NEEDS = {  # what `python -m` runs: what it imports of other people's
    "snakemake": ("snakemake.cli", "snakemake.storage", "snakemake.report.html_reporter", "jsonschema"),
    "dvc": ("dvc.cli.parser", "dvc.repo.reproduce", "dvc_data.index.checkout"),
}


class Done(subprocess.CompletedProcess):
    """A command that ended, and the processor seconds that it took, with all that it waited for."""

    seconds: float


def run(
    command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None, needs: Sequence[str] = ()
) -> Done:
    """As `subprocess.run` with captured text: [sys.executable, "-m", MODULE, ...] or [.., SCRIPT, ...].

    `needs` names modules of other people's to import before, for this command and those after it.
    """
    python, *arguments = map(str, command)
    assert python == sys.executable
    needs = [*(NEEDS[arguments[1]] if arguments[0] == "-m" else ()), *needs]
    with tempfile.TemporaryDirectory() as place:
        said = [os.path.join(place, name) for name in ("stdout", "stderr")]
        asked = {"arguments": arguments, "folder": str(cwd), "said": said, "env": dict(env or os.environ)}
        server = _server()
        print(json.dumps({"needs": needs, "asked": asked}), file=server.stdin, flush=True)
        code, seconds = server.stdout.readline().split()
        done = Done(command, int(code), *(Path(path).read_text() for path in said))
    done.seconds = float(seconds)
    return done


@cache
def _server() -> subprocess.Popen:
    """The process that is copied; it ends with its input, which closes however this one ends."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, __file__], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)  # close and wait
    return server


def serve() -> None:
    """Run what each line of the input asks for, one after another; print exit codes and processor seconds."""
    del sys.path[0]  # the folder of this file
    search = list(sys.path)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, and for whoever asked for it
    for line in sys.stdin:
        request = json.loads(line)
        for needed in request["needs"]:
            with suppress(ImportError):  # which the command will report
                importlib.import_module(needed)
        gc.freeze()  # a copy shares the memory that it does not touch
        process = os.fork()
        if not process:
            become(**request["asked"], search=search)
            return
        _, status, used = os.wait4(process, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


def become(
    arguments: list[str], folder: str, said: list[str], env: dict[str, str], search: list[str]
) -> None:
    """Turn this process into the command."""
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
