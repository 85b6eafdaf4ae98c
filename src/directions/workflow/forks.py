"""Commands run in forks of a process that has already loaded their libraries.

PyTorch takes 1.4 s of each job, and 2.4 s of a training; DVC and Snakemake take one or two, and a pull
starts them several times. A server (fork_server.py) has loaded them once, but nothing of this project. The
fork that it makes for a command has that command's arguments, working directory, environment, search path
and outputs, and ends as it.

Jobs: Snakemake's main process calls `begin`. Bash then calls this file in the place of Python
(rules/common.smk), without site-packages, so that it starts in 20 ms, hands the job over, passes signals on,
and ends as the job. While no server answers, and for jobs of several threads, as BLAS learns their number
when it is loaded, it starts Python after all.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

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
KEPT = {  # environment variables of glibc, which then keeps freed memory for the next step of training
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "1000000000000",  # bytes
}
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fork_server.py")
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
        os.environ[ADDRESS] = start(*LIBRARIES, path=os.environ.get("PYTHONPATH", ""))
    except (OSError, RuntimeError) as error:
        logging.getLogger("snakemake.logging").warning(f"every job will load PyTorch anew: {error}")


def start(*libraries: str, path: str = "") -> str:
    """Start a server, which ends with this process and the last command; return the path of its socket.

    It loads `libraries` at once, found by the PYTHONPATH `path`; commands wait for that.
    Raises RuntimeError if it cannot start.
    """
    import subprocess
    import tempfile

    folder = tempfile.mkdtemp(prefix="directions-", dir="/tmp")  # this user's alone; sockets need short paths
    address = f"{folder}/socket"
    alive, _ = os.pipe()  # the server reads it, and its other end is closed by the end of this process
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": path}
    command = [sys.executable, SERVER, address, *libraries]
    server = subprocess.Popen(command, stdin=alive, stdout=subprocess.PIPE, env=environment)
    os.close(alive)
    assert server.stdout is not None
    with server.stdout:
        if not server.stdout.readline():
            os.rmdir(folder)
            raise RuntimeError(f"no server could be started that listens at {address}")
    return address


class Fork:
    """A command that runs in a fork of the server. Raises OSError, and nothing runs, if that does not answer.

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
        if not self.server.recv(1):
            raise ConnectionError("the server has ended")

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.server.send(bytes([number]))

    def wait(self) -> int:
        """Return its exit code, negative if a signal ended it."""
        try:
            answer = self.server.recv(9)
        except ConnectionResetError:
            answer = b""
        self.server.close()
        return int(answer or -signal.SIGKILL)  # no answer: the server is dead, and so is the fork


def job(command: list[str]) -> int | None:
    """Run a job in a fork; return its exit code, negative after a signal, or None if it must start Python."""
    if {os.environ.get(name) for name in THREADS} != {"1"} or not command or command[0].startswith("-"):
        return None
    environment = dict(os.environ)  # what the job starts itself, it starts as ever
    try:
        for output in (0, 1, 2):
            os.fstat(output)  # one that is closed cannot be handed over
        fork = Fork(environment.pop(ADDRESS, ""), command, os.getcwd(), environment)
    except OSError:
        return None
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the job, too
    for number in STOPS:
        signal.signal(number, lambda number, _: fork.send(number))
    return fork.wait()


def main(command: list[str]) -> None:
    """Start a job: a script and its arguments."""
    code = job(command)
    if code is None:
        os.execv(sys.executable, [sys.executable, *command])
    if code < 0:
        with suppress(OSError):  # some signals cannot be handled, nor need it
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
