"""Collect the warnings of an analysis; print its log to stderr if logging is not configured."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PREFIX = "warning: "  # marks log lines that the workflow repeats at the end of a run


class _Heard(logging.Handler):
    def __init__(self, shown: int):
        super().__init__()
        self.shown = shown
        self.doubts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.doubts.append(said.removeprefix(PREFIX))
        if record.levelno >= self.shown:
            print(said, file=sys.stderr)


@contextmanager
def heard(progress: bool) -> Iterator[list[str]]:
    """Collect logged warnings in the list yielded, until the context ends.

    If logging is not configured, they are also printed to stderr, as is progress with `progress`.
    """
    logger = logging.getLogger("directions")
    configured, level = logger.hasHandlers(), logger.level
    handler = _Heard(100 if configured else logging.INFO if progress else logging.WARNING)
    logger.addHandler(handler)
    if not configured and progress:
        logger.setLevel(logging.INFO)
    try:
        yield handler.doubts
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
