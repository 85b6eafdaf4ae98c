"""Time of training networks one at a time and together, in one pass (src/directions/training/many.py).

Both take epochs by the project's own loops, without evaluation and snapshots, in turns; the first round warms
up. The table shows medians per 1,000 images of each network, and the median of the rounds' ratios with its
range. Processor time on a CPU, where other work may run, and elapsed time on a GPU. Run by `make bench-many`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from directions import models
from directions.core import cli
from directions.data.examples import Examples
from directions.models.optimizers import make_optimizer
from directions.study import training_settings
from directions.training import many, schedule
from directions.training.checkpoints import Keeper, Progress
from directions.training.distributed import ALONE
from directions.training.loop import Loop
from directions.training.preemption import Request

MLP = {"model": "mlp", "shape": (1, 28, 28), "batch": 128}
CONV = {"model": "conv11", "shape": (3, 32, 32), "batch": 32}
NETWORKS = {  # name in the table: settings that differ from OTHERS
    "MLP 2x64": MLP | {"hidden": [64, 64]},
    "MLP 2x128, batch 32": MLP | {"hidden": [128, 128], "batch": 32},
    "MLP 2x512": MLP | {"hidden": [512, 512]},
    "conv11, width 1/16": CONV | {"width": 1 / 16},
    "conv11, width 1/8": CONV | {"width": 1 / 8},
    "conv11, width 1/4": CONV | {"width": 1 / 4},
    "conv11": CONV | {"width": 1.0},
}
OTHERS = {
    "hidden": None, "width": None, "batch_norm": True, "norm_batch": None, "pad": 0, "optimizer": "adam",
    "learning_rate": 0.001, "momentum": None, "weight_decay": 0.0, "dropout": 0.0, "steps": None,
    "epochs": 10**6, "schedule": "constant", "augment": False, "keep_epochs": [], "evaluate_every": 10**6,
    "require_train_accuracy": None, "dataset": "random", "images": "all", "corrupt": 0.0,
    "precision": "float32",
}  # fmt: skip


def networks(chosen: dict, count: int, images: int, device: torch.device) -> list[many.Network]:
    """Networks that differ in their seeds, on the same random images."""
    generator = torch.Generator().manual_seed(0)
    shape = chosen["shape"]
    pixels = torch.randint(0, 256, (images, *shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (images,), generator=generator)
    examples = Examples(pixels.to(device), labels.to(device), 10)
    found = []
    for seed in range(count):
        given = OTHERS | {key: value for key, value in chosen.items() if key != "shape"} | {"seed": seed}
        model, typed = models.build(given, shape, 10).to(device), training_settings.read(given)
        nowhere = Path("nowhere", str(seed))
        found.append(many.Network(str(seed), model, examples, examples, given, typed, nowhere, str(seed)))
    return found


def own(one: many.Network) -> Loop:
    """The training of a network by itself."""
    plan = schedule.planned(one.model, one.train_set, one.settings, ALONE)
    optimizer = make_optimizer(one.model.parameters(), one.settings)
    keeper = Keeper(one.resume, one.fingerprint, 1e9, one.model, optimizer)
    return Loop(one.train_set, one.test_set, one.settings, plan, keeper, Progress(), ALONE, Request())


def seconds(device: torch.device, train: list[Callable[[int], None]], epoch: int) -> float:
    """Time an epoch of one or several trainings: processor time, or elapsed time of a GPU."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    begun = clock()
    for one in train:
        one(epoch)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - begun


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__, compute=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[4, 16], help="networks in a pass")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS)[:5])
    parser.add_argument("--images", type=int, default=512, help="images per epoch")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    device = cli.prepare_torch(args.device, args.threads)
    print(f"{device}, torch {torch.__version__}, {args.threads} threads, n = {args.rounds}\n")
    print("| network | in a pass | one at a time, s | together, s | ratio | of the rounds |")
    print("|---|---|---|---|---|---|")
    for name in args.networks:
        for count in args.counts:
            report(name, count, args, device)


def report(name: str, count: int, args: argparse.Namespace, device: torch.device) -> None:
    """Measure one row of the table."""
    alone = [own(one) for one in networks(NETWORKS[name], count, args.images, device)]
    together = many.Pass(networks(NETWORKS[name], count, args.images, device), 1e9, Request())
    times = []
    for epoch in range(args.rounds + 1):
        each = seconds(device, [loop.train_epoch for loop in alone], epoch)
        times.append((each, seconds(device, [together._train_epoch], epoch)))
    per = 1000 / (args.images * count)
    one, all_of_them = (statistics.median(column) * per for column in zip(*times[1:], strict=True))
    ratios = sorted(each / passed for each, passed in times[1:])
    print(
        f"| {name} | {count} | {one:.3g} | {all_of_them:.3g} | {statistics.median(ratios):.2f} |"
        f" {ratios[0]:.2f} to {ratios[-1]:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    cli.start(main)
