"""A batch system that wants a job to end sends it a signal first; training answers with a snapshot."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # what Slurm sends before a time limit, at preemption, at scancel
AGAIN = 75  # exit code, EX_TEMPFAIL of sysexits.h: nothing is wrong, run it again


class Stopped(Exception):
    """Training was asked to end, and all it did so far is kept: the same command goes on from there."""


@dataclass
class Request:
    """Has somebody asked this process to end?"""

    made: bool = False


@contextmanager
def noticed() -> Iterator[Request]:
    """While this lasts, SIGTERM and SIGUSR1 end nothing but are noted in the request that it gives.

    A process that was asked stays deaf afterwards, while it ends by itself: Slurm may send its signal twice.
    Processes that are forked meanwhile only note it, too: those that decode images end with this one.
    Signals can be handled in the main thread only; elsewhere this raises ValueError.
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
