"""Stricter bookkeeping where Snakemake's own records would let an outdated file pass as current.

Snakemake compares a product without a record (`.snakemake` lost, files copied here) by its time alone, takes
one that was edited by hand for the job's own, and records the new settings even of a failed job, so that its
old output, put back, looks like their result. Here such a product counts as incomplete.
"""

import json
import logging
from pathlib import Path

import snakemake.api  # before workflow, which imports it in a circle
import snakemake.workflow
from snakemake.exceptions import WorkflowError
from snakemake.io import _IOFile
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.persistence.file import FilePersistence
from snakemake_interface_executor_plugins.settings import ExecMode
from snakemake_interface_logger_plugins.common import LogEvent

from directions.core.suggest import chosen, few

# Products up to this many bytes are read whatever their time, as a disk may flip a bit without changing it.
# Larger ones (networks and data) hold digests that are checked whenever they are read.
SMALL = 10**6


class Records(FilePersistence):
    """Snakemake's records of one run of the workflow, with stricter checks.

    unrecorded: existing products without a record; edited: products whose content is not what their job
    wrote. `install` makes Snakemake use this class.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.unrecorded: list[str] = []
        self.edited: list[str] = []
        self._failed = _Failed()
        logger.addHandler(self._failed)

    def _input(self, job: Job) -> list[str]:
        """List the inputs that Snakemake records and compares.

        A pass in which a network was trained with others is none of them: it is the same without (train.smk).
        """
        passed = job.input.get("passed")
        return [path for path in super()._input(job) if path != passed]

    async def incomplete(self, job: Job) -> list[_IOFile]:
        """Return the outputs of a job that cannot be trusted; Snakemake runs the job again."""
        found = await super().incomplete(job)
        if self.dag.workflow.exec_mode != ExecMode.DEFAULT:
            return found  # a submitted job: the main process has checked it
        for path in job.output:
            if path in found or job.params.get("asked") is None or not await path.exists():
                continue  # a rule without `asked` belongs to a workflow that uses this one as a module
            if self.metadata(path) is None:
                doubted, unlike = self.unrecorded, not tells_its_settings(job)
            else:
                doubted, unlike = self.edited, await self._edited(job, path)
            if unlike:
                doubted.append(str(path))
                found.append(path)
        return found

    async def _edited(self, job: Job, path: _IOFile) -> bool:
        """Return whether the file's content differs from when its job ended, as far as is known."""
        same_time = (await path.mtime()).local_or_storage() == self.metadata(path).endtime
        if same_time and await path.size() > SMALL:
            return False
        readers = [reader for reader, files in self.dag.depending[job].items() if path in files]
        known = self.input_checksums(job, path) - {None}
        if not known:  # a record from before `finished` stored digests of outputs
            known = {digest for reader in readers for digest in self.input_checksums(reader, path)} - {None}
        same = [await path.is_same_checksum(digest, self.max_checksum_file_size) for digest in known]
        return bool(known) and not any(same)

    async def finished(self, job: Job) -> None:
        """Record a job with digests of its outputs; a failed job stays marked as incomplete."""
        await super().finished(job)
        self._clear_cache()
        for path in job.output:
            record = self.metadata(path)
            if record and await path.exists():
                record.input_checksums[str(path)] = await path.checksum(self.max_checksum_file_size)
                self._write_record(str(path), record)
        if self.dag.jobid(job) in self._failed.jobs:
            self._failed.jobs.discard(self.dag.jobid(job))  # it may be retried
            self.started(job)


class _Failed(logging.Handler):
    """Collects failed jobs before they are recorded; `jobs` holds their numbers."""

    def __init__(self):
        super().__init__()
        self.jobs: set[int] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) == LogEvent.JOB_ERROR:
            self.jobs.add(vars(record)["jobid"])


def install() -> None:
    """Make Snakemake use `Records`; call before it reads the first record."""
    snakemake.workflow.FilePersistence = Records


def check(records: Records) -> None:
    """Report products without a record before the first job starts.

    Raises WorkflowError for products that were edited by hand, because Snakemake would delete them.
    """
    if records.edited:
        first = min(records.edited)
        raise WorkflowError(
            f"{few(records.edited)}: not what its job wrote: edited by hand, damaged, or copied in by dvc."
            " To rebuild it, delete it and run again, or `make pull`; to keep your version:"
            f" `snakemake --cores 1 {chosen(first)} --touch --force -- {first}`, then run again"
        )
    if records.unrecorded:
        logger.warning(
            f"{few(records.unrecorded)}: exists, but no record says which settings and code made it, so its"
            " job runs again. Was .snakemake deleted, were files copied? `make pull` declares what dvc.lock"
            " has"
        )


def tells_its_settings(job: Job) -> bool:
    """Return whether a product without a record matches its job's settings, by its name or header."""
    asked = json.loads(job.params["asked"])
    stage = asked.get("stage")  # not the rule's name, which may be another where this workflow is a module
    if stage == "data":
        return asked["settings"].keys() == {"dataset"}  # built in: its bytes are checked against a digest
    if stage == "train":
        header = header_of(Path(job.output.model))
        return all(header.get(key) == asked[key] for key in ("settings", "recipe"))
    return stage == "labels"  # its file name holds its settings


def header_of(path: Path) -> dict:
    """Read the header that `files.save` stored beside the tensors, without torch; {} if there is none."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            found = json.loads(json.loads(file.read(min(size, 10**8)))["__metadata__"]["header"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    header = found[0] if isinstance(found, list) and found else found
    return header if isinstance(header, dict) else {}
