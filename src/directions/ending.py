"""What a run that failed says at its end, where the failing job's own words lie hours of output above."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def summary(drawn: Sequence[str], lacking: Sequence[str], failed: Mapping[str, Sequence[str]]) -> str:
    """A few lines: the figures that are up to date, those that are not, and for each failed job the reason.

    failed: {log of a failed job: figures that it stops}.
    """
    lines = [f"figures that are ready: {', '.join(drawn) or 'none'}"]
    lines += [f"figures that are not: {', '.join(lacking) or 'none'}"]
    for log, stopped in failed.items():
        lines += ["", f"{log} (stops {', '.join(stopped) or 'no figure'}):"]
        lines += [f"  {line}" for line in reason(Path(log))]
    return "\n".join(["", *lines, ""])


def reason(log: Path) -> list[str]:
    """The lines of a job's log from its error on (see cli.start); the last one where it died otherwise."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    return lines[starts[-1] if starts else -1 :] or ["it left no log"]
