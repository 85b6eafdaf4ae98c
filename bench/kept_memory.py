"""Time of training with and without the variables by which jobs keep the memory they free (forks.KEPT).

Each measurement is a process of its own, since the C library reads the variables when it starts; both kinds
take turns. The project's own loops train one network without evaluation; the first epoch warms up. The table
shows medians of processor time per 1,000 images, the system's share of it, the median of the rounds' ratios
with its range, and the peak memory of each kind. Run by `make bench-memory`.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys

import many
import torch

from directions.core import cli
from directions.workflow import forks

SIZES = (  # name in bench/many.py's terms, settings, batch, images
    ("MLP 2x128", many.MLP | {"hidden": [128, 128]}, 128, 10_000),
    ("MLP 2x512", many.MLP | {"hidden": [512, 512]}, 128, 5_000),
    ("MLP 2x2048", many.MLP | {"hidden": [2048, 2048]}, 128, 1_280),
    ("conv11, width 1/8", many.CONV | {"width": 1 / 8}, 16, 1_024),
    ("conv11, width 1/8", many.CONV | {"width": 1 / 8}, 32, 1_024),
    ("conv11, width 1/8", many.CONV | {"width": 1 / 8}, 128, 2_048),
    ("conv11, width 1/8", many.CONV | {"width": 1 / 8}, 512, 4_096),
    ("conv11, width 1/8", many.CONV | {"width": 1 / 8}, 2048, 8_192),
    ("conv11, width 1/4", many.CONV | {"width": 1 / 4}, 32, 1_024),
    ("conv11", many.CONV | {"width": 1.0}, 32, 96),
)
EPOCHS = 2  # timed


def measure(case: int) -> dict[str, float]:
    """Train one network in this process: seconds per 1,000 images, those of the system; peak memory in MB."""
    device = cli.prepare_torch("cpu", 1)
    _, settings, batch, images = SIZES[case]
    [network] = many.networks(settings | {"batch": batch}, 1, images, device)
    loop = many.own(network)
    loop.train_epoch(1)
    before = resource.getrusage(resource.RUSAGE_SELF)
    for epoch in range(2, 2 + EPOCHS):
        loop.train_epoch(epoch)
    after = resource.getrusage(resource.RUSAGE_SELF)
    scale = 1000 / (images * EPOCHS)
    system = (after.ru_stime - before.ru_stime) * scale
    return {
        "seconds": (after.ru_utime - before.ru_utime) * scale + system,
        "system": system,
        "megabytes": after.ru_maxrss / 1024,
    }


def started(case: int, kept: bool) -> dict[str, float]:
    """Measure in a new process, with the variables or without."""
    others = {name: value for name, value in os.environ.items() if name not in forks.KEPT}
    done = subprocess.run(
        [sys.executable, __file__, "--case", str(case)],
        env=others | (forks.KEPT if kept else {}), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--case", type=int, help="measure one case in this process, as the script itself does"
    )
    args = parser.parse_args(argv)
    if args.case is not None:
        print(json.dumps(measure(args.case)))
        return
    print(f"cpu, torch {torch.__version__}, 1 thread, n = {args.rounds}\n")
    print(
        "| network | batch | given back, s | system, s | kept, s | system, s | ratio | of the rounds | MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for case, (name, _, batch, _) in enumerate(SIZES):
        rounds = [(started(case, kept=False), started(case, kept=True)) for _ in range(args.rounds)]
        ratios = [given["seconds"] / kept["seconds"] for given, kept in rounds]
        cells = [name, str(batch)]
        for kind in zip(*rounds, strict=True):
            cells += [f"{statistics.median(one[key] for one in kind):.3g}" for key in ("seconds", "system")]
        cells += [f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]
        cells.append(
            " / ".join(f"{max(one['megabytes'] for one in kind):.0f}" for kind in zip(*rounds, strict=True))
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
