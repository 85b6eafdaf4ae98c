"""Snakemake's `--logger stages`: a line per finished stage, with the time left, instead of a block per job.

Snakemake finds logger plugins by the name of their package, and imports all that are installed, in any
checkout: this one needs nothing else of this project, which may be older there. Snakemake's own log, in
.snakemake/log, still has every job.
"""

import logging
import sys
from threading import Event, Thread

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_stages.lines import StageLines


class LogHandler(LogHandlerBase):
    """Writes the lines to stderr, and Snakemake's own words for warnings and errors."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.lines = StageLines()
        self.closing = Event()
        self.clock = Thread(target=self.tick, daemon=True)
        self.clock.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(self.line(record))
        except Exception:  # one that escapes would end the thread that all messages pass through
            self.handleError(record)

    def line(self, record: logging.LogRecord) -> str | None:
        fields = vars(record)
        match fields.get("event"):
            case LogEvent.RESOURCES_INFO:
                return self.lines.machine(fields.get("cores"))
            case LogEvent.RUN_INFO:
                return self.lines.planned(fields["stats"])
            case LogEvent.JOB_INFO:
                return self.lines.started(fields["jobid"], fields["rule_name"], fields["log"])
            case LogEvent.JOB_FINISHED:
                return self.lines.finished(fields["job_id"])
            case LogEvent.JOB_ERROR | LogEvent.GROUP_ERROR:
                self.lines.failed(fields.get("jobid"))
                return self.format(record)
            case LogEvent.ERROR | None if self.lines.heard(record.getMessage()):
                return self.format(record)
        return None

    def tick(self) -> None:
        while not self.closing.wait(1):
            self.write(self.lines.beat())

    def write(self, line: str | None) -> None:
        if line:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        self.closing.set()
        super().close()
