"""The server behind forks.py: a process that loads libraries, and forks itself for each command handed to it.

Run as a script, so that nothing of this project is loaded: a fork must see the code of its checkout, as it
is when the command starts.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

# Signals that commands handle, and those who asked for them.
HANDLED = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


class Server:
    """Forks a process per command; `forks` holds its number by the connection to who asked for it."""

    def __init__(self, address: str):
        # A fork keeps a signal that comes before it is ready, which it would lose if they were ignored.
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
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
        try:
            connection.settimeout(10)  # one that has been stopped while it asks would stop all
            needs, asked, outputs = received(connection)
            connection.settimeout(None)
            load(needs)
            fork = os.fork()  # OSError: too many processes, or too little memory
        except (OSError, ValueError):
            connection.close()
            return
        if fork == 0:
            connection.close()
            self.forget()
            for place, descriptor in enumerate(outputs):
                os.dup2(descriptor, place)
                os.close(descriptor)
            become(**asked, search=self.search)
        for descriptor in outputs:
            os.close(descriptor)
        self.forks[connection] = fork
        self.events.register(connection, selectors.EVENT_READ, lambda: self.signal(connection))
        with suppress(OSError):  # who asked is dead: `signal` hears of it
            connection.send(b"+")

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
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        signal.set_wakeup_fd(-1)
        for connection in [*self.forks, self.listener, self.ended, self.wake]:
            connection.close()
        self.events.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)


def received(connection: socket.socket) -> tuple[list[str], dict, list[int]]:
    """Read a request: needs, what is asked, outputs. Raises ValueError or OSError if it is not whole."""
    size, outputs, *_ = socket.recv_fds(connection, 8, 3)
    request = b""
    while len(request) < int.from_bytes(size, "big"):
        if not (more := connection.recv(int.from_bytes(size, "big") - len(request))):  # not a signal after it
            break
        request += more
    found = json.loads(request)
    if len(outputs) < 3:
        raise ValueError("outputs are missing")
    return found["needs"], found["asked"], outputs


def load(libraries: Sequence[str]) -> None:
    """Import what has not been imported yet, in memory that forks share as long as nobody writes there."""
    for library in libraries:
        with suppress(Exception):  # the command itself will report it
            importlib.import_module(library)
    gc.freeze()


def become(command: list[str], folder: str, environment: dict[str, str], search: list[str]) -> NoReturn:
    """Turn this process into the command.

    It ends as a command does, but frees no memory: what is shared with other forks would be copied first, and
    PyTorch's compiler would print what it leaks.
    """
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    module = command[0] == "-m"
    first = folder if module else os.path.dirname(os.path.abspath(command[0]))
    given = environment.get("PYTHONPATH")
    sys.path[:] = [first, *(map(os.path.abspath, given.split(os.pathsep)) if given else ()), *search]
    tempfile.tempdir = None
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # who forgets to seed has other numbers in each process
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    sys.argv[:] = command[1:] if module else command
    code: object = None
    try:
        if module:
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(os.path.abspath(command[0]), run_name="__main__")
    except SystemExit as asked:
        code = asked.code
    except BaseException as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)  # as sys.exit("words") does
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what Python does at the end, and multiprocessing
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit((code or 0) & 0xFF)


def main(address: str, *libraries: str) -> None:
    """Listen at `address` until the standard input is closed and the last command has ended."""
    del sys.path[0]  # the folder of this file
    server = Server(address)
    print("ready", flush=True)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    load(libraries)
    server.serve()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
