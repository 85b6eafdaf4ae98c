"""Commands run in forks of a process that has already loaded their libraries.

PyTorch takes 1.4 s of each job, and 2.4 s of a training; DVC and Snakemake take one or two, and a pull starts
them several times. A `Server` has loaded them once, but nothing of this project. The fork that it makes for a
command has that command's arguments, working directory, environment, search path and outputs, and ends as it.

Jobs: Snakemake's main process calls `begin`. Bash then calls this file in the place of Python
(rules/common.smk), without site-packages, so that it starts in 20 ms, hands the job over, passes signals on,
and ends as the job. While no server answers, and for jobs of several threads, as BLAS learns their number
when it is loaded, it starts Python after all.
"""

import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

ADDRESS = "DIRECTIONS_FORKS"  # environment variable: path of the socket of the server for jobs
LIBRARIES = (  # of jobs
    "pandas",
    "scipy.stats",
    "torch",
    "torch._dynamo",  # PyTorch's compiler, which its optimizers load
    "torch.func",
    "safetensors.torch",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # Snakemake sets them for a job
STOPS = (signal.SIGTERM, signal.SIGUSR1)


def begin() -> None:
    """Start a server for the jobs that this process starts; both may end in any order.

    Jobs start as ever where forks cannot be made to die with their server (not on Linux), where they find
    another Python than this one, if DIRECTIONS_COLD is set, and, with a warning, if no server starts.
    """
    import logging
    import shutil

    found = shutil.which("python") or ""
    ours, theirs = (os.path.realpath(os.path.dirname(path)) for path in (sys.executable, found))
    if sys.platform != "linux" or ours != theirs or os.environ.get("DIRECTIONS_COLD"):
        return
    try:
        os.environ[ADDRESS] = start(*LIBRARIES)
    except (OSError, RuntimeError) as error:
        logging.getLogger("snakemake.logging").warning(f"every job will load PyTorch anew: {error}")


def start(*libraries: str) -> str:
    """Start a server, which ends with this process and the last command; return the path of its socket.

    It loads `libraries` at once; commands wait for that. Raises RuntimeError if it cannot start.
    """
    import subprocess
    import tempfile

    folder = tempfile.mkdtemp(prefix="directions-", dir="/tmp")  # this user's alone; sockets need short paths
    address = f"{folder}/socket"
    alive, _ = os.pipe()  # the server reads it, and its other end is closed by the end of this process
    environment = os.environ | dict.fromkeys(THREADS, "1")
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, __file__, "--serve", address, *libraries]
    server = subprocess.Popen(command, stdin=alive, stdout=subprocess.PIPE, env=environment)
    os.close(alive)
    assert server.stdout is not None
    with server.stdout:
        if not server.stdout.readline():
            os.rmdir(folder)
            raise RuntimeError(f"no server could be started that listens at {address}")
    return address


class Fork:
    """A command that runs in a fork of the server. Raises OSError if the server does not answer.

    command: as after `python`: [SCRIPT, ...] or ["-m", MODULE, ...]. needs: libraries to load first, once.
    outputs: file descriptors of its standard input, output and error. It dies with the process that made it.
    """

    def __init__(
        self, address: str, command: Sequence[str], folder: str, environment: Mapping[str, str],
        needs: Sequence[str] = (), outputs: Sequence[int] = (0, 1, 2),
    ):  # fmt: skip
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(address)
        asked = {"command": command, "folder": folder, "environment": dict(environment)}
        request = json.dumps({"needs": needs, "asked": asked}).encode()
        socket.send_fds(self.server, [len(request).to_bytes(8, "big")], outputs)
        self.server.sendall(request)

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.server.send(bytes([number]))

    def wait(self) -> int:
        """Return its exit code, negative if a signal ended it."""
        answer = self.server.recv(9)  # b"" if the server is dead, and so is the fork
        self.server.close()
        return int(answer or -signal.SIGKILL)


class Server:
    """Forks a process per command; `forks` holds its number by the connection to who asked for it."""

    def __init__(self, address: str):
        every = (*STOPS, signal.SIGHUP, signal.SIGINT)  # handled by commands, and by who asked for them
        self.handlers = {number: signal.signal(number, signal.SIG_IGN) for number in every}
        self.forks: dict[socket.socket, int] = {}
        self.open = True
        self.ended, self.wake = socket.socketpair()  # something to read whenever a fork ends
        self.wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake.fileno())
        self.search = list(sys.path)
        self.address = address
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.events = selectors.DefaultSelector()
        self.events.register(sys.stdin, selectors.EVENT_READ, self.close)
        self.events.register(self.listener, selectors.EVENT_READ, self.fork)
        self.events.register(self.ended, selectors.EVENT_READ, self.answer)

    def serve(self) -> None:
        """Serve until the process that started it and the last command have ended."""
        while self.open or self.forks:
            for found, _ in self.events.select():
                found.data()

    def close(self) -> None:
        """Accept no more commands."""
        self.open = False
        self.events.unregister(sys.stdin)
        self.events.unregister(self.listener)
        self.listener.close()
        with suppress(OSError):
            os.remove(self.address)
            os.rmdir(os.path.dirname(self.address))

    def fork(self) -> None:
        """Load what the next command needs and fork a process for it."""
        connection, _ = self.listener.accept()
        size, outputs, *_ = socket.recv_fds(connection, 8, 3)
        length = int.from_bytes(size, "big")
        with connection.makefile("rb") as sent:
            received = sent.read(length)
        if length and len(received) == length and len(outputs) == 3:  # else killed while it asked
            request = json.loads(received)
            load(request["needs"])
            with suppress(OSError):  # too many processes, or too little memory
                self.forks[connection] = os.fork()
        if self.forks.get(connection) == 0:
            self.forget()
            for place, descriptor in enumerate(outputs):
                os.dup2(descriptor, place)
                os.close(descriptor)
            become(**request["asked"], search=self.search)
        if connection in self.forks:
            self.events.register(connection, selectors.EVENT_READ, lambda: self.signal(connection))
        else:
            connection.close()
        for descriptor in outputs:
            os.close(descriptor)

    def signal(self, connection: socket.socket) -> None:
        """Send a fork the signal that was asked for, or kill it if who asked for it is dead."""
        if connection not in self.forks:
            return  # it ended at this moment
        try:
            number = connection.recv(1)
        except ConnectionResetError:
            number = b""
        os.kill(self.forks[connection], number[0] if number else signal.SIGKILL)
        if not number:
            self.events.unregister(connection)

    def answer(self) -> None:
        """Tell those whose forks have ended how they did."""
        self.ended.recv(100)
        for connection, fork in list(self.forks.items()):
            done, status = os.waitpid(fork, os.WNOHANG)
            if not done:
                continue
            del self.forks[connection]
            if connection in self.events.get_map():
                self.events.unregister(connection)
            with suppress(OSError):  # who asked was killed
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()

    def forget(self) -> None:
        """Make this fork independent of the other commands, but let it die with the server.

        If it went on without, Snakemake would run a job again beside the first.
        """
        import ctypes

        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        signal.set_wakeup_fd(-1)
        for connection in [*self.forks, self.listener, self.ended, self.wake]:
            connection.close()
        self.events.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, handler in self.handlers.items():
            signal.signal(number, handler)


def load(libraries: Sequence[str]) -> None:
    """Import what has not been imported yet, in memory that forks share as long as nobody writes there."""
    import gc
    import importlib

    for library in libraries:
        with suppress(ImportError):  # the command itself will report it
            importlib.import_module(library)
    gc.freeze()


def become(command: list[str], folder: str, environment: dict[str, str], search: list[str]) -> NoReturn:
    """Turn this process into the command.

    It ends as a command does, but frees no memory: what is shared with other forks would be copied first, and
    PyTorch's compiler would print what it leaks.
    """
    import atexit
    import runpy
    import threading
    import traceback

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    module = command[0] == "-m"
    first = folder if module else os.path.dirname(os.path.abspath(command[0]))
    sys.path[:] = [first, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *search]
    sys.argv[:] = command[1:] if module else command
    code: object = None
    try:
        if module:
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(command[0], run_name="__main__")
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


def job(command: list[str]) -> int | None:
    """Run a job in a fork; return its exit code, negative after a signal, or None if no server answers."""
    environment = dict(os.environ)  # what the job starts itself, it starts as ever
    try:
        fork = Fork(environment.pop(ADDRESS, ""), command, os.getcwd(), environment)
    except OSError:
        return None
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the job, too
    for number in STOPS:
        signal.signal(number, lambda number, _: fork.send(number))
    return fork.wait()


def main(arguments: list[str]) -> None:
    if arguments[0] == "--serve":
        del sys.path[0]  # the folder of this file
        server = Server(arguments[1])
        print("ready", flush=True)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        load(arguments[2:])
        server.serve()
        os._exit(0)
    code = job(arguments) if {os.environ.get(name) for name in THREADS} == {"1"} else None
    if code is None:
        os.execv(sys.executable, [sys.executable, *arguments])
    if code < 0:
        with suppress(OSError):  # some signals cannot be handled, nor need it
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
