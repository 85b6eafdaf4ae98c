"""Snakemake's choice of the next jobs, which takes no longer the more jobs wait.

Whenever a job ends, Snakemake looks at all inputs of all jobs that could start, though it knows their sizes:
with n jobs waiting, a run costs in proportion to n squared.
"""

import asyncio
from collections.abc import Iterable

import snakemake.api  # before workflow, which imports it in a circle  # noqa: F401
import snakemake.workflow
from snakemake.io import _IOFile
from snakemake.jobs import AbstractJob
from snakemake.scheduling.job_scheduler import JobScheduler


class Scheduler(JobScheduler):
    """Asks for the sizes of a job's inputs once: they do not change any more when it could start.

    `install` makes Snakemake use this class.
    """

    def __init__(self, *args, **kwargs):
        self._asked: set[AbstractJob] = set()
        super().__init__(*args, **kwargs)

    async def update_input_sizes(self, jobs: Iterable[AbstractJob]) -> None:
        """Add the sizes in bytes of the inputs of `jobs` to those known; None for one that does not exist."""
        fresh = set(jobs) - self._asked
        self._asked |= fresh
        paths = {path for job in fresh for path in job.input} - self._input_sizes.keys()
        self._input_sizes.update(zip(paths, await asyncio.gather(*map(_size, paths)), strict=True))


async def _size(path: _IOFile) -> int | None:
    return await path.size() if await path.exists() else None


def install() -> None:
    """Make Snakemake use `Scheduler`."""
    snakemake.workflow.JobScheduler = Scheduler
