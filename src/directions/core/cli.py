"""What all scripts share: log, threads, device and error handling."""

import argparse
import atexit
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from directions.core.errors import InputError
from directions.core.files import contents
from directions.core.source_files import code_of


def parser(description: str | None, *, compute: bool = False) -> argparse.ArgumentParser:
    """Create an argument parser; with `compute` it has --device and --threads (see `prepare_torch`)."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--code", help="run only if the code has this digest (set by the workflow)")
    made.add_argument(
        "--unchanged",
        nargs="+",
        metavar=("DIGEST", "FILE"),
        help="run only if these files have this digest",
    )
    if compute:
        made.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
        made.add_argument("--threads", type=int, default=os.cpu_count(), help="number of CPU threads")
    return made


ASKED_HELP = 'the job, as JSON: {"settings": {...}}; other keys only track what is upstream'


def settings(text: str) -> dict:
    """Parse the `settings` of an --asked argument; raises InputError if it is not such JSON."""
    try:
        return json.loads(text)["settings"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f'--asked needs JSON like {{"settings": {{...}}}}, not {text!r}') from error


def user_model(text: str) -> dict:
    """Return what an --asked argument says of a user's model, if any.

    code: the function that may run, as file.py:function. layers: its layers of units; not there: all
    activations.
    """
    settings(text)  # refuses invalid JSON
    return {key: value for key, value in json.loads(text).items() if key in ("code", "layers")}


def check_code(argv: list[str]) -> None:
    """Raise InputError if the code of a script no longer matches its argument --code, where given.

    argv: the script and its arguments. --code holds `contents` of the script and all it imports, then, after
    commas, the modules that are imported under a computed name.
    """
    given = _planned(argv).code
    if given is None:
        return
    planned, *modules = given.split(",")
    root = Path(__file__).resolve().parents[3]
    if contents(code_of(Path(argv[0]).resolve(), root, modules), root) != planned:
        raise InputError(
            "the code was edited after this job was planned, so nobody could say which version produced its"
            " result: run again"
        )


def check_files(argv: list[str]) -> None:
    """Raise InputError if the user's files no longer match the argument --unchanged.

    Snakemake does not notice new content under an old file time, as left by `mv` or `cp -p`.
    """
    given = _planned(argv).unchanged
    if given is None:
        return
    digest, *files = given
    if contents(files) != digest:
        raise InputError(
            f"{', '.join(files)}: changed after this job was planned, so nobody could say which version made"
            " its result: run again"
        )


def _check_planned(argv: list[str]) -> None:
    check_code(argv)
    check_files(argv)


def _planned(argv: list[str]) -> argparse.Namespace:
    """Parse what the workflow planned with: `code` and `unchanged`, each None if a script is run by hand."""
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--code")
    reader.add_argument("--unchanged", nargs="+")
    return reader.parse_known_args(argv[1:])[0]


def prepare_torch(device: str, threads: int):
    """Limit torch to `threads` and return the requested `torch.device`; "auto" uses a GPU if there is one.

    Two unpinned jobs on two cores ran 8 times slower than pinned ones, so every job calls this.
    Raises InputError if the requested device does not exist.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    # Gradients of confident predictions are subnormal numbers: many times slower on a CPU, and lost in the
    # sums they enter. Flushing them to zero halves the time to train a memorising MLP.
    torch.set_flush_denormal(True)
    # On a GPU: convolutions in float32 as asked for, not in TF32, and the same sums in every run, so that a
    # resumed training ends with the same weights.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            f"device {device!r} was requested but torch sees no GPU: set `device: cpu` or `auto`"
        )
    return torch.device(device)


def start(main: Callable[[list[str]], None]) -> None:
    """Run a script's `main(argv)`: log to standard output, print InputError as one line, exit with 2.

    After Ctrl-C it says so in one line and exits with 130, as shells do.

    Code and user files are checked before and after; if a check fails, Snakemake deletes the job's outputs.
    Does not return (see `leave`).
    """
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stdout,
        force=True,
    )
    try:
        _check_planned(sys.argv)
        main(sys.argv[1:])
        _check_planned(sys.argv)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:  # Ctrl-C
        print("interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    leave()


def leave() -> NoReturn:
    """End the process as Python does, but free no memory: with PyTorch, that takes a third of a short job.

    (docs/PERFORMANCE.md.) Threads, exit handlers and buffers come to their end.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does, and multiprocessing
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
