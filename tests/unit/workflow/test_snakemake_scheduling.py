import asyncio
from types import SimpleNamespace

from directions.workflow.snakemake_scheduling import Scheduler


class Input:
    """A file that counts how often its size was asked for; None if it does not exist."""

    def __init__(self, bytes_):
        self.bytes, self.asked = bytes_, 0

    async def exists(self):
        return self.bytes is not None

    async def size(self):
        self.asked += 1
        return self.bytes


class Job(SimpleNamespace):
    __hash__ = object.__hash__


def scheduler():
    made = Scheduler.__new__(Scheduler)
    made._asked, made._input_sizes = set(), {}
    return made


def test_sizes_are_asked_for_once_and_none_is_forgotten():
    shared, missing, own = Input(7), Input(None), Input(9)
    first, second = Job(input=[shared, missing]), Job(input=[shared, own])
    sizes = scheduler()
    for ready in ([first], [first, second], [second]):
        asyncio.run(sizes.update_input_sizes(ready))
    assert sizes._input_sizes == {shared: 7, missing: None, own: 9}
    assert (shared.asked, missing.asked, own.asked) == (1, 0, 1)
