"""The lines that `make quick` prints while it runs: one per finished stage, and how long the rest will take.

A stage is all jobs of one rule.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from statistics import fmean

QUIET = 15  # seconds without a line before one says what is running
ENOUGH = 5  # finished jobs before the time left is estimated
CHATTER = (  # messages of Snakemake that say nothing about this run
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Complete log",
    "Conda environments:",
    "Config file",
    "Elapsed time",
    "RuleException:\nCalledProcessError",  # the error of the job follows
    "Select jobs to execute",
    "Using shell",
)


class StageLines:
    """What is planned, running and done; each method returns the line to print now, or None."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.start = self.last = clock()
        self.cores: int | None = None
        self.message = ""  # Snakemake's last
        self.left: Counter[str] = Counter()  # jobs to go, by rule
        self.total = self.failures = 0
        self.running: dict[int, tuple[str, str, float]] = {}  # id: rule, name, start
        self.seconds: dict[str, list[float]] = {}  # of finished jobs, by rule

    def heard(self, message: str) -> bool:
        """Take a message of Snakemake; return whether it says something, and something new."""
        again, self.message = message == self.message, message
        return not (again or message.startswith(CHATTER) or not message.strip())

    def machine(self, cores: int | None) -> None:
        self.cores = cores or self.cores

    def planned(self, stats: Mapping[str, int]) -> str | None:
        self.left = Counter({rule: count for rule, count in stats.items() if rule != "total"})
        self.total = self.left.total()
        self.start = self.clock()
        jobs = "1 job" if self.total == 1 else f"{self.total} jobs"
        where = f" on {self.cores} core{'s' if self.cores > 1 else ''}" if self.cores else ""
        return self._said(f"{jobs}{where}; Snakemake's own log is in .snakemake/log")

    def started(self, job: int, rule: str, logs: Sequence[str] | None) -> None:
        name = logs[0].removeprefix("logs/").removesuffix(".log") if logs else rule
        self.running[job] = (rule, name, self.clock())

    def finished(self, job: int) -> str | None:
        if job not in self.running:
            return None
        rule, _, since = self.running.pop(job)
        self.seconds.setdefault(rule, []).append(self.clock() - since)
        self.left[rule] -= 1
        if self.left[rule] > 0 or rule == "all":
            return None
        count = len(self.seconds[rule])
        return self._status(f"{rule}: done" if count == 1 else f"{rule}: all {count} done")

    def failed(self, job: int | None) -> None:
        if job in self.running:
            del self.running[job]
            self.failures += 1

    def beat(self) -> str | None:
        """Say what is running, if nothing was printed for a while."""
        if not self.running or self.clock() - self.last < QUIET:
            return None
        names = [name for _, name, _ in self.running.values()]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return self._status(f"running {names[0]}{more}")

    def seconds_left(self) -> float | None:
        """Estimate the time left from the mean time of each rule's jobs, or of all; None: too early."""
        every = [seconds for done in self.seconds.values() for seconds in done]
        if len(every) < min(ENOUGH, self.total):
            return None
        mean = {rule: fmean(self.seconds.get(rule, every)) for rule in self.left}
        rest = sum(count * mean[rule] for rule, count in self.left.items())
        now = self.clock()
        spent = {job: now - since for job, (_, _, since) in self.running.items()}
        rest -= sum(min(spent[job], mean[rule]) for job, (rule, _, _) in self.running.items())
        at_once = (sum(every) + sum(spent.values())) / max(now - self.start, 0.001)
        return rest / max(at_once, 0.5)

    def _status(self, news: str) -> str:
        done = sum(len(seconds) for seconds in self.seconds.values())
        left = self.seconds_left()
        ahead = "" if left is None or done == self.total else _ahead(left)
        failed = f"  {self.failures} failed" if self.failures else ""
        since = int(self.clock() - self.start)
        return self._said(
            f"{since // 60:3}:{since % 60:02}  {done:{len(str(self.total))}} of {self.total} jobs"
            f"  {ahead:17}{failed}  {news}"
        )

    def _said(self, line: str) -> str:
        self.last = self.clock()
        return line


def _ahead(seconds: float) -> str:
    if seconds >= 90:
        return f"about {round(seconds / 60)} min left"
    return f"about {10 * ceil(seconds / 10)} s left"
