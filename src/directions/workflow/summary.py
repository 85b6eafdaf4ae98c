"""The summary at the end of a run: where its figures are, or what failed and why."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

STAMPED = re.compile(r"([WE]\d{4} )?\d\d:\d\d:\d\d")  # starts a line in the log of a script or of torchrun
WARNS = "warning: "  # how a warning in a script's log begins, after the time
TORCHRUN = re.compile(r"[WE]\d{4} .*torch/distributed/elastic/")  # its lines when a process has failed


def places(pictures: Iterable[Path | str]) -> str:
    """List the pictures of each folder on one line: "figures in results/own/figures: mlp, vit"."""
    folders: dict[Path, list[str]] = {}
    for picture in sorted(map(Path, pictures)):
        folders.setdefault(picture.parent, []).append(picture.stem)
    return "".join(f"figures in {folder}: {', '.join(names)}\n" for folder, names in folders.items())


def warnings(logs: Iterable[Path | str]) -> str:
    """Collect the warnings in these logs, each once; otherwise nobody would read them."""
    found: dict[str, None] = {}
    for log in map(Path, logs):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ():
            if WARNS in line:
                found[WARNS + line.split(WARNS, 1)[1]] = None
    return "".join(f"{line}\n" for line in found)


def summary(drawn: Sequence[str], lacking: Sequence[str], failed: Mapping[str, Sequence[str]]) -> str:
    """Summarise which figures are up to date, which are not, and why each failed job failed.

    failed: {log of a failed job: figures that it blocks}. Jobs that failed for the same reason are one entry.
    """
    lines = []
    if drawn or lacking:  # else no figure was asked for
        lines += [f"figures that are ready: {', '.join(drawn) or 'none'}"]
        lines += [f"figures that are not: {', '.join(lacking) or 'none'}"]
    alike: dict[tuple[str, ...], list[str]] = {}
    for log in failed:
        unknown = () if Path(log).is_file() else (log,)  # a job without a log is like no other
        alike.setdefault((*unknown, *reason(Path(log))), []).append(log)
    for log, *others in alike.values():
        stopped = dict.fromkeys(figure for one in (log, *others) for figure in failed[one])
        more = f" and {len(others)} more, for the same reason" if others else ""
        lines += [
            "",
            f"{log}{more} (stops {', '.join(stopped) or 'no figure'}):",
            *(f"  {line}" for line in reason(Path(log))),
        ]
    return "\n".join(["", *lines, ""])


def reason(log: Path) -> list[str]:
    """Return the message of a job's last error (see cli.start) or, without one, the log's last line.

    When a process fails, torchrun prints forty lines: of these, only which process it was and how it ended.
    """
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if starts:
        first, *more = lines[starts[-1] :]
        return [first, *takewhile(lambda line: not STAMPED.match(line), more)]
    own = list(takewhile(lambda line: not TORCHRUN.match(line), lines))
    ended = [line for line in lines if TORCHRUN.match(line) and "failed (exitcode" in line]
    return [*own[-1:], *ended[:1]] or ["it left no log"]
