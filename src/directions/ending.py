"""What a run says at its end: where its figures lie, or what failed and why, which may stand hours above."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

STAMPED = re.compile(r"([WE]\d{4} )?\d\d:\d\d:\d\d")  # starts a line of a script's log, or of torchrun's
WARNS = "warning: "  # how such a line of a script's log begins, after the time
TORCHRUN = re.compile(r"[WE]\d{4} .*torch/distributed/elastic/")  # what it says when a process has failed


def places(pictures: Iterable[Path | str]) -> str:
    """A line per folder with pictures: "figures in results/own/figures: mlp, vit"."""
    folders: dict[Path, list[str]] = {}
    for picture in sorted(map(Path, pictures)):
        folders.setdefault(picture.parent, []).append(picture.stem)
    return "".join(f"figures in {folder}: {', '.join(names)}\n" for folder, names in folders.items())


def warnings(logs: Iterable[Path | str]) -> str:
    """The lines of these logs that warn, each once; they would be read by nobody else."""
    found: dict[str, None] = {}
    for log in map(Path, logs):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ():
            if WARNS in line:
                found[WARNS + line.split(WARNS, 1)[1]] = None
    return "".join(f"{line}\n" for line in found)


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
    """The message of a job's last error (see cli.start); where it died otherwise, its last words.

    torchrun says forty lines when one of its processes fails: of these only which one, and how it ended.
    """
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if starts:
        first, *more = lines[starts[-1] :]
        return [first, *takewhile(lambda line: not STAMPED.match(line), more)]
    own = list(takewhile(lambda line: not TORCHRUN.match(line), lines))
    ended = [line for line in lines if TORCHRUN.match(line) and "failed (exitcode" in line]
    return [*own[-1:], *ended[:1]] or ["it left no log"]
