"""What every script shares: its log, its threads, its device, and how it fails."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from directions.errors import InputError
from directions.files import contents
from directions.imports import code_of


def parser(description: str | None, *, compute: bool = False) -> argparse.ArgumentParser:
    """An argument parser; with `compute` it knows --device and --threads (see `prepare_torch`)."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--code", help="run only if this is the digest of the code (what the workflow planned)")
    made.add_argument(
        "--unchanged",
        nargs="+",
        metavar=("DIGEST", "FILE"),
        help="run only if this is the digest of these files",
    )
    if compute:
        made.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
        made.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads to compute with")
    return made


ASKED_HELP = 'what to do, as JSON: {"settings": {...}}; other keys only tell the workflow what is upstream'


def settings(text: str) -> dict:
    """The `settings` of an --asked argument; raises InputError when it is no such JSON."""
    try:
        return json.loads(text)["settings"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f'--asked needs JSON like {{"settings": {{...}}}}, not {text!r}') from error


def code(text: str) -> str | None:
    """The user's function that an --asked argument allows to run, file.py:function; None without one."""
    settings(text)  # refuses what is no such JSON
    return json.loads(text).get("code")


def check_code(argv: list[str]) -> None:
    """Raise InputError where the code of a script is no longer that of its argument --code, if it has one.

    argv: the script and its arguments. --code holds `contents` of the script with all it imports, then, after
    commas, names of modules that are imported by a made-up name.
    """
    given = _planned(argv).code
    if given is None:
        return
    planned, *modules = given.split(",")
    root = Path(__file__).resolve().parents[2]
    if contents(code_of(Path(argv[0]).resolve(), root, modules), root) != planned:
        raise InputError(
            "the code was edited after this job was planned, so nobody could say which version made its"
            " result: run again"
        )


def check_files(argv: list[str]) -> None:
    """Raise InputError where files of the user's are no longer those of the argument --unchanged.

    Snakemake takes no notice of other content that `mv` or `cp -p` brought under an old time.
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
    """What the workflow planned with: `code` and `unchanged`, each None where a script is run by hand."""
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--code")
    reader.add_argument("--unchanged", nargs="+")
    return reader.parse_known_args(argv[1:])[0]


def prepare_torch(device: str, threads: int):
    """Hold torch to `threads` and return the `torch.device` meant; "auto" is a GPU where there is one.

    Two unpinned jobs on two cores ran 8 times slower than pinned ones, so no job leaves this out.
    Raises InputError when the device asked for is not there.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    # Gradients of answers that a network is sure of are subnormal numbers, on which a CPU is many times
    # slower; they are lost in the sums that they enter. Training a memorising MLP takes half the time so.
    torch.set_flush_denormal(True)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            f"device {device!r} was asked for but torch sees no GPU: set `device: cpu` or `auto`"
        )
    return torch.device(device)


def start(main: Callable[[list[str]], None]) -> None:
    """Run a script's `main(argv)`: log to standard output, show InputError as one line, exit with 2.

    Code and the user's files are checked before and after: when it fails, Snakemake deletes what it has made.
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
