"""Train several networks in one pass over a device, up to their last step; train.py then ends each of them.

They must be alike (src/directions/study/passes.py), but may differ in seed, labels, rates and dropout.
Each gets a snapshot in the --resume folder of its own training: train.py goes on from there, takes the last
step and writes what it always writes. A network that diverges here gets none, so train.py will say why.

On SIGTERM or SIGUSR1, it writes a snapshot of the pass and exits with 75: "run me again".
"""

import argparse
import json
import logging
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from directions import models
from directions.core import cli
from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.recipe import RECIPES
from directions.core.types import Images
from directions.data.examples import Examples, load_examples
from directions.models import files as model_files
from directions.study import passes, training_settings
from directions.training import checkpoints, many, preemption
from directions.training import loop as training_loop
from directions.training import record as training_record

KEYS = ("settings", "data", "ledger", "resume", "model")  # of each run

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__, compute=True)
    parser.add_argument(
        "--runs",
        required=True,
        help='JSON: {name: {"settings": {...}, "data": path, "ledger": path, "resume": path, "model": path}},'
        " as of train.py; runs whose model exists, with these settings, are left out",
    )
    parser.add_argument("--snapshot-seconds", type=float, default=30, help="seconds between snapshots")
    parser.add_argument("--done", required=True, help="file to write in the end: what became of each run")
    args = parser.parse_args(argv)
    runs = _read(args.runs)
    passes.check([run["settings"] for run in runs.values()])
    waiting = {name: run for name, run in runs.items() if not _trained(run)}
    try:
        with ExitStack() as stack:
            for run in waiting.values():
                stack.enter_context(checkpoints.held(Path(run["resume"])))
            failed = bring(waiting, args)
    except preemption.Stopped as stopped:
        log.info("%s", stopped)
        sys.exit(preemption.AGAIN)
    with atomic(args.done) as partial:
        became = {name: failed.get(name, "" if name in waiting else "was trained before") for name in runs}
        partial.write_text(json.dumps(became, indent=1) + "\n")


def bring(runs: dict[str, dict], args: argparse.Namespace) -> dict[str, str]:
    """Train runs up to their last step; return {name: why} of those that diverged."""
    device = cli.prepare_torch(args.device, args.threads)
    networks = _networks(runs, device)
    if networks:
        first = networks[0]
        units = sum(models.unit_layers(first.model).values())
        said = first.settings, first.model, units, first.train_set, device, args.threads
        log.info("%d networks in one pass; the first: %s", len(networks), training_record.describe(*said))
        training_loop.check_precision(first.settings.precision, device)
    return many.train_many(networks, args.snapshot_seconds)


def _read(text: str) -> dict[str, dict]:
    """Parse --runs; raises InputError if it is not such JSON."""
    try:
        runs = json.loads(text)
        lacking = [(name, key) for name, run in runs.items() for key in KEYS if key not in run]
    except (json.JSONDecodeError, AttributeError, TypeError) as error:
        raise InputError(f'--runs needs JSON like {{"name": {{"settings": ...}}}}, not {text!r}') from error
    if lacking:
        raise InputError(f"--runs: {lacking[0][0]} lacks {lacking[0][1]}; each run needs {', '.join(KEYS)}")
    return runs


def _trained(run: dict) -> bool:
    """Return whether the model of a run exists, with its settings."""
    if not Path(run["model"]).exists():
        return False
    header = model_files.load_state(run["model"], prefix="/")[1]  # no tensor has such a name
    return [header.get(key) for key in ("settings", "recipe")] == [run["settings"], RECIPES["train"]]


def _networks(runs: dict[str, dict], device: torch.device) -> list[many.Network]:
    """Build the networks and load their examples; equal images are kept in memory once."""
    found: list[many.Network] = []
    tests: dict[tuple, Examples] = {}
    for name, run in runs.items():
        given, data, ledger = run["settings"], run["data"], run["ledger"]
        settings = training_settings.read(given)
        train_set = load_examples(data, ledger, "train", device)
        for other in found:
            if _same(other.train_set.images, train_set.images):
                train_set = replace(train_set, images=other.train_set.images)
        chosen = data, settings.test_images
        if chosen not in tests:
            tests[chosen] = load_examples(data, ledger, "test", device, settings.test_images)
        test_set = tests[chosen]
        header = training_record.header(given, train_set)
        model = models.build(given, train_set.image_shape, train_set.classes).to(device)
        fingerprint = training_record.fingerprint(header, train_set, test_set)
        found.append(
            many.Network(name, model, train_set, test_set, given, settings, Path(run["resume"]), fingerprint)
        )
    return found


def _same(images: Images, others: Images) -> bool:
    return isinstance(images, Tensor) and isinstance(others, Tensor) and torch.equal(images, others)


if __name__ == "__main__":
    cli.start(main)
