"""A process with PyTorch and the like, and a copy of it for each script handed to its socket (pythons.py)."""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

sys.path[0] = str(Path(sys.argv[2]).parent)
from fork_server import become  # noqa: E402  (not from the package: a copy imports that of its own checkout)

del sys.path[0]
SEARCH = list(sys.path)
IMPORTS = ("matplotlib.backends.backend_pdf", "matplotlib.pyplot", "pandas", "scipy.stats")


def serve(address: str) -> None:
    """Listen until the input is closed."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("listening", flush=True)
    for needed in IMPORTS:
        importlib.import_module(needed)
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # the first imports more than torch does
    gc.freeze()  # keeps untouched memory shared with the copies
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        asked, _ = listener.accept()
        if not os.fork():
            listener.close()
            answer(asked)
        asked.close()
        with suppress(ChildProcessError):  # when there is none
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def answer(client: socket.socket) -> NoReturn:
    """Be the script that the client asks for; a copy between the two tells the client how it ended."""
    _, outlets, *_ = socket.recv_fds(client, 1, 3)
    asked = json.loads(client.makefile().read())
    script = os.fork()
    if script:
        for outlet in outlets:
            os.close(outlet)
        _, status = os.waitpid(script, 0)
        with suppress(BrokenPipeError):  # the client was killed
            client.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    client.close()
    for number, outlet in enumerate(outlets):
        os.dup2(outlet, number)
        os.close(outlet)
    become(**asked, search=SEARCH)


if __name__ == "__main__":
    serve(sys.argv[1])
