"""Seconds of a cumulative ablation curve by the plain way and by this project's, results compared.

The plain way is a forward hook per ablated layer and one forward pass of the whole network per point, which
is what one would write with hooks. It is timed on some evenly spaced points of the curve and scaled up to all
of them; the logits at these points are compared. Run by `make bench-ablation`; docs/PERFORMANCE.md has the
results of one machine.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from directions import ablation, models
from directions.chains import find_chain
from directions.revival import Walk

SAMPLED = 8  # points of the plain way that are timed


@dataclass(frozen=True)
class Case:
    """One curve: all units of the `last` layers of a network, on so many images, at so many points."""

    network: str
    settings: dict
    shape: tuple[int, int, int]
    last: int
    images: int
    points: int | str


MLP = {"model": "mlp", "hidden": [512, 512], "dropout": 0.0, "seed": 0}
CONV11 = {"model": "conv11", "width": 1.0, "batch_norm": True, "pad": 0, "seed": 0}
RESNET50 = {"model": "resnet50", "width": 1.0, "pad": 0, "seed": 0}
CASES = (
    Case("MLP 2x512", MLP, (1, 28, 28), 2, 2000, "all"),
    Case("MLP 2x512", MLP, (1, 28, 28), 2, 2000, 65),
    Case("conv11", CONV11, (3, 32, 32), 3, 85, "all"),
    Case("conv11", CONV11, (3, 32, 32), 3, 85, 65),
    Case("ResNet-50", RESNET50, (3, 224, 224), 3, 8, "all"),
    Case("ResNet-50", RESNET50, (3, 224, 224), 3, 8, 65),
)


def network(case: Case, device: str) -> torch.nn.Module:
    """Freshly drawn, with batch norm away from its first statistics, as training would leave it."""
    model = models.build(case.settings, case.shape, 10).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(1)
    for norm in (module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.running_mean.copy_(torch.rand(norm.num_features, generator=random) / 5 - 0.1)
        norm.running_var.copy_(torch.rand(norm.num_features, generator=random) / 2 + 0.5)
    return model.to(device)


def seconds(device: str, work) -> float:
    """How long `work()` takes, the device's queue included."""
    begun = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


@torch.no_grad()
def measure(case: Case, device: str, rounds: int) -> dict:
    """One row of the table."""
    model = network(case, device)
    layers = ablation.chosen(models.unit_layers(model), case.last)
    units = sum(layers.values())
    [order], counts = ablation.orderings(units, 1, 0), ablation.grid(units, case.points)
    images = torch.rand(case.images, *case.shape, generator=torch.Generator().manual_seed(0))
    images = images.to(device).contiguous(memory_format=torch.channels_last)
    zero = dict.fromkeys(layers, 0.0)
    sampled = counts[np.linspace(0, len(counts) - 1, SAMPLED).astype(int)]
    expected, found = {}, {}

    def plain() -> None:
        for count in sampled:
            with ablation.ablated(model, layers, order[:count], zero):
                expected[int(count)] = model(images)

    def walk() -> None:
        chain = find_chain(model, layers)
        activity, *joined = chain.prefix(images)
        walk = Walk(chain, layers, order, zero)
        found.update((count, logits.clone()) for count, logits in walk.logits(activity, joined, counts))

    times = [(seconds(device, plain) / SAMPLED * len(counts), seconds(device, walk)) for _ in range(rounds)]
    plain_s, walk_s = (statistics.median(values) for values in zip(*times, strict=True))
    scale = max(float(logits.abs().max()) for logits in expected.values())
    worst = max(float((found[count] - logits).abs().max()) for count, logits in expected.items())
    row = {"network": case.network, "units": units, "points": len(counts), "images": case.images}
    row |= {"plain_s": plain_s, "walk_s": walk_s, "ratio": plain_s / walk_s, "difference": worst / scale}
    return row


def table(rows: list[dict]) -> str:
    """The Markdown table."""
    lines = [
        "| network | units | points | images | plain, s | this project, s | ratio | logits differ by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row["network"], f"{row['units']:,}", f"{row['points']:,}", str(row["images"])]
        cells += [
            f"{row['plain_s']:.3g}",
            f"{row['walk_s']:.3g}",
            f"{row['ratio']:.0f}",
            f"{row['difference']:.0e}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file to write the numbers to, too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for case in CASES:
        rows.append(measure(case, arguments.device, arguments.rounds))
        print(json.dumps(rows[-1]), flush=True)
    print("\nPlain way: timed on", SAMPLED, "points, scaled up to all of them.\n\n" + table(rows))
    if arguments.json:
        about = {"torch": torch.__version__, "device": arguments.device, "threads": arguments.threads}
        arguments.json.write_text(
            json.dumps(about | {"cases": [asdict(c) for c in CASES], "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
