"""Preemption: batch systems send a signal before they end a job, and training then saves a snapshot."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # what Slurm sends before a time limit, at preemption, at scancel
AGAIN = 75  # exit code EX_TEMPFAIL of sysexits.h: nothing is wrong, run it again


class Stopped(Exception):
    """Training was told to stop and kept all it did so far: the same command resumes it."""


@dataclass
class Request:
    """Return whether this process has been told to stop."""

    made: bool = False


@contextmanager
def noticed() -> Iterator[Request]:
    """Record SIGTERM and SIGUSR1 in the yielded request, instead of ending, while the context is open.

    After a request, the process keeps ignoring both while it shuts down: Slurm may send its signal twice.
    Processes forked meanwhile, such as image decoders, also only record it and end with this one.
    Only the main thread can handle signals; elsewhere this raises ValueError.
    """
    request = Request()

    def note(*_):
        request.made = True

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if request.made else handler)
