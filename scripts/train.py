"""Train one network; an interrupted run resumes and ends with the same weights.

On SIGTERM or SIGUSR1, it writes a snapshot and exits with 75: "run me again".

On several GPUs: torchrun --standalone --nproc-per-node 4 scripts/train.py ... (needs norm_batch).
"""

import argparse
import logging
import sys
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
from torch import nn

from directions import models
from directions.core import cli
from directions.core.files import atomic
from directions.data.examples import load_examples
from directions.models import files as model_files
from directions.models import user_check
from directions.study import training_settings
from directions.study.settings import settings_of
from directions.training import checkpoints, distributed, objectives, preemption
from directions.training import loop as training_loop
from directions.training import record as training_record

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__, compute=True)
    parser.add_argument("--data", required=True, help="data set prepared by prepare_data.py")
    parser.add_argument("--ledger", required=True, help="label ledger written by corrupt_labels.py")
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--resume", required=True, type=Path, help="folder for snapshots to resume from")
    parser.add_argument("--snapshot-seconds", type=float, default=30, help="seconds between snapshots")
    parser.add_argument("--model", required=True, help="weights to write, safetensors")
    parser.add_argument("--checkpoints", required=True, help="checkpoints to write, safetensors")
    parser.add_argument("--history", required=True, help="CSV to write, one row per evaluated epoch")
    parser.add_argument("--record", required=True, help="JSON to write: settings, sizes, final scores")
    known = settings_of(training_settings.TrainingSettings).items()
    parser.epilog = "settings: " + ";  ".join(f"{name}: {one.metadata['help']}" for name, one in known)
    args = parser.parse_args(argv)
    try:
        with (
            distributed.joined() as group,
            checkpoints.held(args.resume) if group.first else nullcontext(),
        ):
            run(args, group)
    except preemption.Stopped as stopped:
        log.info("%s", stopped)
        sys.exit(preemption.AGAIN)


def run(args: argparse.Namespace, group: distributed.Processes) -> None:
    """Train in each process; only the first writes the results."""
    threads = group.threads(args.threads)
    device = group.device(cli.prepare_torch(args.device, threads))
    given = cli.settings(args.asked)
    settings = training_settings.read(given)

    workers = threads - 1
    train_set = load_examples(args.data, args.ledger, "train", device, workers=workers)
    test_set = load_examples(args.data, args.ledger, "test", device, settings.test_images, workers)
    header = training_record.header(given, train_set)
    model = models.build(given, train_set.image_shape, train_set.classes)
    units = _units(model, given, tuple(train_set.image_shape), train_set.classes)
    model.to(device)
    auxiliary = objectives.auxiliary(given, train_set.image_shape, train_set.classes, device)
    log.info("%s", training_record.describe(settings, model, units, train_set, device, threads))
    training_loop.check_precision(settings.precision, device)
    history = training_loop.train(
        model,
        train_set,
        test_set,
        settings,
        resume=args.resume,
        fingerprint=training_record.fingerprint(header, train_set, test_set),
        snapshot_seconds=args.snapshot_seconds,
        processes=group,
        auxiliary=auxiliary,
    )

    if not group.first:
        return
    with atomic(args.history) as partial:
        pd.DataFrame(history).to_csv(partial, index=False)
    kept = checkpoints.checkpoints(args.resume, settings, len(train_set))
    model_files.join(args.checkpoints, kept, header)
    model_files.save(args.model, model.state_dict(), header)
    training_record.save(args.record, header, model, units, train_set, test_set, history[-1])
    checkpoints.forget(args.resume)


def _units(model: nn.Module, settings: dict, image_shape: tuple[int, ...], classes: int) -> int | None:
    """Count the units of a network; a user's model is checked first, and may hide its units (None)."""
    if "build" in settings:
        return user_check.check(model, settings["build"], image_shape, classes)
    return sum(models.unit_layers(model).values())


if __name__ == "__main__":
    cli.start(main)
