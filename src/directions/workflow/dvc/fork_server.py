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
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

NEEDS = {  # module run by `python -m`: its third-party imports
    "snakemake": ("snakemake.cli", "snakemake.storage", "snakemake.report.html_reporter", "jsonschema"),
    "dvc": ("dvc.cli.parser", "dvc.repo.reproduce", "dvc_data.index.checkout"),
}


class Done(subprocess.CompletedProcess):
    """A finished command, with the processor seconds that it and its child processes used."""

    seconds: float


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> Done:
    """Run [sys.executable, "-m", MODULE, ...] or [.., SCRIPT, ...] like `subprocess.run`, capturing text."""
    python, *arguments = map(str, command)
    assert python == sys.executable
    needs = NEEDS[arguments[1]] if arguments[0] == "-m" else ()
    with tempfile.TemporaryDirectory() as place:
        said = [os.path.join(place, name) for name in ("stdout", "stderr")]
        asked = {"arguments": arguments, "folder": str(cwd), "env": dict(env or os.environ)}
        server = _server()
        print(json.dumps({"needs": needs, "said": said, "asked": asked}), file=server.stdin, flush=True)
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
            for number, path in enumerate((os.devnull, *request["said"])):
                os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
            become(**request["asked"], search=search)
        _, status, used = os.wait4(process, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


def become(arguments: list[str], folder: str, env: dict[str, str], search: list[str]) -> NoReturn:
    """Turn this process into the command: its working directory, environment and arguments.

    It ends as a command does, but frees no memory: what is shared with other forks would be copied first.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    module = arguments[0] == "-m"
    first = folder if module else os.path.dirname(os.path.abspath(arguments[0]))
    sys.path[:] = [first, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), *search]
    sys.argv[:] = arguments[1:] if module else arguments
    code: object = None
    try:
        if module:
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as asked:
        code = asked.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)  # as sys.exit("words") does
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what Python does at the end, and multiprocessing
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    serve()
