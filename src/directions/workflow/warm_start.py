"""Warm starts: jobs begin with PyTorch loaded, which would take 1.4 s of each, and 2.4 s of a training.

The main process of Snakemake calls `begin`. It starts a server, which loads `LIBRARIES` but nothing of this
project, then forks a process per job. Bash calls this file in the place of Python (rules/common.smk), without
site-packages, so that it starts in 20 ms: it hands script, environment and outputs over to the server, passes
signals on, and ends as the job does. Nothing else differs from `python SCRIPT ...`. That is what happens
while no server answers, and for jobs of several threads, as BLAS learns their number when it is loaded.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

ADDRESS = "DIRECTIONS_WARM"  # environment variable: path of the server's socket
LIBRARIES = (
    "torch",
    "torch._dynamo",  # PyTorch's compiler, which its optimizers load
    "torch.func",
    "torch.fx",
    "safetensors.torch",
    "pandas",
    "scipy.stats",
    "yaml",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # which Snakemake sets for a job
STOPS = (signal.SIGTERM, signal.SIGUSR1)
DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def begin() -> None:
    """Start the server for the jobs of this process; it ends some time after this process does.

    Where it cannot work (not Linux; `DIRECTIONS_COLD` is set), jobs start as ever.
    """
    import subprocess
    import tempfile

    if sys.platform != "linux" or os.environ.get("DIRECTIONS_COLD"):
        return
    address = Path(tempfile.mkdtemp(prefix="directions-")) / "jobs"  # of this user alone
    alive, _ = os.pipe()  # read by the server: its other end is closed by the end of this process
    environment = os.environ | dict.fromkeys(THREADS, "1")
    command = ["python", "-P", __file__, "--serve", str(address)]
    subprocess.Popen(command, stdin=alive, env=environment)
    os.close(alive)
    os.environ[ADDRESS] = str(address)


def hand_over(arguments: list[str]) -> int | None:
    """Let the server run a script with its arguments; return its exit code, negative if a signal ended it.

    Returns None if no server answers: nothing has run then.
    """
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(os.environ[ADDRESS])
        except OSError:
            return None
        request = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()
        socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(request)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the job, too
        for number in STOPS:
            signal.signal(number, lambda number, _: server.send(bytes([number])))
        answer = server.recv(8)
    if not answer:
        print("error: the process that starts jobs has ended: run again", file=sys.stderr)
        return 1
    return int.from_bytes(answer, "big", signed=True)


class Server:
    """Forks a process per job; `jobs` holds the number of each, by the connection of who asked for it."""

    def __init__(self, address: str):
        import selectors

        self.jobs: dict[socket.socket, int] = {}
        self.address = Path(address)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.events = selectors.DefaultSelector()
        self.events.register(sys.stdin, selectors.EVENT_READ, self.close)
        self.events.register(self.listener, selectors.EVENT_READ, self.start)

    def run(self) -> list[str]:
        """Serve until Snakemake and the last job have ended, then exit; in each job, return its arguments."""
        while self.events.get_map():
            for found, _ in self.events.select():
                if arguments := found.data():
                    return arguments
        os._exit(0)  # without the farewells of libraries

    def close(self) -> None:
        """Accept no more jobs: Snakemake has ended."""
        self.events.unregister(sys.stdin)
        self.events.unregister(self.listener)
        self.listener.close()
        self.address.unlink()
        self.address.parent.rmdir()

    def start(self) -> list[str] | None:
        """Fork a process for the next job; return, in it, the script with its arguments."""
        connection, _ = self.listener.accept()
        size, outputs, *_ = socket.recv_fds(connection, 8, 3)
        length = int.from_bytes(size, "big")
        with connection.makefile("rb") as sent:
            request = sent.read(length)
        if len(request) < length or not length:  # killed while it asked
            connection.close()
            return None
        if (job := os.fork()) == 0:
            return self.become(request, outputs)
        for descriptor in outputs:
            os.close(descriptor)
        self.jobs[connection] = job
        ended = os.pidfd_open(job)
        self.events.register(connection, 1, lambda: self.signal(connection))
        self.events.register(ended, 1, lambda: self.end(connection, ended))
        return None

    def signal(self, connection: socket.socket) -> None:
        """Pass a signal on to a job, or kill it if who asked for it is dead."""
        if connection not in self.jobs:
            return  # it ended at this moment
        try:
            number = connection.recv(1)
        except ConnectionResetError:
            number = b""
        os.kill(self.jobs[connection], number[0] if number else signal.SIGKILL)
        if not number:
            self.events.unregister(connection)

    def end(self, connection: socket.socket, ended: int) -> None:
        """Tell who asked how a job has ended."""
        _, status = os.waitpid(self.jobs.pop(connection), 0)
        self.events.unregister(ended)
        os.close(ended)
        if connection in self.events.get_map():
            self.events.unregister(connection)
            code = os.waitstatus_to_exitcode(status)
            with suppress(BrokenPipeError):  # killed at this moment
                connection.send(code.to_bytes(8, "big", signed=True))
        connection.close()

    def become(self, request: bytes, outputs: list[int]) -> list[str]:
        """Make this forked process what the new one of a job would be; return its script and arguments."""
        import ctypes

        ctypes.CDLL(None).prctl(DEATH_OF_PARENT, signal.SIGKILL)
        for connection in [*self.jobs, self.listener]:
            connection.close()
        self.events.close()
        for number in (*STOPS, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for place, descriptor in enumerate(outputs):
            os.dup2(descriptor, place)
            os.close(descriptor)
        arguments, folder, environment = json.loads(request)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        places = [str(Path(arguments[0]).parent), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        sys.path[:0] = [os.path.abspath(place) for place in places if place]
        sys.argv = arguments
        return arguments


def serve(address: str) -> str:
    """Be the server; return in the process of each job, with its script."""
    import gc
    import importlib

    for number in (*STOPS, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it lives as long as Snakemake and the jobs
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # jobs would copy all pages that the collector touches
    return Server(address).run()[0]


def run(script: str) -> NoReturn:
    """Run a script as Python does, then end without freeing memory, as `leave` does (directions/core/cli.py).

    PyTorch's compiler would also print what it leaks.
    """
    import atexit
    import runpy
    import threading

    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as in `leave`
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: list[str]) -> None:
    """Be the server (`--serve ADDRESS`), or start a job: a script and its arguments."""
    if arguments[0] == "--serve":
        run(serve(arguments[1]))
    warm = {os.environ.get(name) for name in THREADS} == {"1"} and not arguments[0].startswith("-")
    code = hand_over(arguments) if warm else None
    if code is None:
        os.execvp("python", ["python", *arguments])
    sys.exit(code if code >= 0 else 128 - code)  # as bash says it


if __name__ == "__main__":
    main(sys.argv[1:])
