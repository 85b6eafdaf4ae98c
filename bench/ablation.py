"""Time ablation with plain hooks and with this project's engines, and compare results: `make bench`.

The plain way is a forward hook per ablated layer and one forward pass of the whole network per point, as one
would write it with hooks. It is timed on some points and scaled up to all of them; so is captum's layer
ablation, which does the same for single units and has no curves. Logits are compared wherever the plain way
was timed. The table goes into docs/PERFORMANCE.md, the numbers beside this file.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from captum.attr import LayerFeatureAblation
from torch import Tensor, nn
from torch.nn.functional import conv2d
from torch.utils.flop_counter import FlopCounterMode

from directions import models
from directions.interventions import ablation, winograd
from directions.interventions.chain import find_chain
from directions.interventions.hooks import find_layer, observed
from directions.interventions.one_unit import Alone
from directions.interventions.reverse import Walk

SAMPLED = 8  # points of a curve, and units of a layer, for timing the plain way
DOCUMENT = Path(__file__).parents[1] / "docs/PERFORMANCE.md"
BEGIN, END = "<!-- written by make bench -->\n", "<!-- end of what make bench writes -->"
COLUMNS = "network what images plain,_s captum,_s ours,_s ratio arithmetic of_peak logits_differ_by"


Clock = Callable[[], float]  # seconds, or operations, since some start


@dataclass(frozen=True)
class Case:
    """A curve of all units of the `last` layers at some points or, without `points`, single units."""

    network: str
    settings: dict
    shape: tuple[int, int, int]
    last: int | str
    images: int
    points: int | str | None
    precision: str = "float32"


MLP = {"model": "mlp", "hidden": [512, 512], "dropout": 0.0, "seed": 0}
CONV11 = {"model": "conv11", "width": 1.0, "batch_norm": True, "pad": 0, "seed": 0}
RESNET50 = {"model": "resnet50", "width": 1.0, "pad": 0, "seed": 0}
CASES = (
    Case("MLP 2x512", MLP, (1, 28, 28), "all", 2000, "all"),
    Case("MLP 2x512", MLP, (1, 28, 28), "all", 2000, 64),
    Case("MLP 2x512", MLP, (1, 28, 28), "all", 2000, None),
    Case("conv11", CONV11, (3, 32, 32), 3, 85, "all"),
    Case("conv11", CONV11, (3, 32, 32), 3, 85, 64),
    Case("conv11", CONV11, (3, 32, 32), "all", 32, None),
    Case("conv11", CONV11, (3, 32, 32), 3, 85, "all", "bf16"),
    Case("ResNet-50", RESNET50, (3, 224, 224), 3, 8, "all"),
    Case("ResNet-50", RESNET50, (3, 224, 224), 3, 8, 64),
)


class Curve:
    """All units of the layers ablated one after another, at some points."""

    def __init__(self, case: Case, device: str):
        self.model, self.layers, self.precision = *network(case, device), case.precision
        [self.order] = ablation.orderings(sum(self.layers.values()), 1, 0)
        self.counts = ablation.grid(len(self.order), case.points)
        self.sampled = self.counts[np.linspace(0, len(self.counts) - 1, SAMPLED).astype(int)].tolist()
        self.zero = dict.fromkeys(self.layers, 0.0)
        self.what = f"{len(self.counts):,} points of a curve"
        self.ways = {"plain": self.plain, "ours": self.ours}

    def plain(self, images: Tensor, clock: Clock) -> tuple[float, list[Tensor]]:
        """Return (clock reading for the whole curve, logits at the sampled points)."""
        begun, answers = clock(), []
        for count in self.sampled:
            with ablation.ablated(self.model, self.layers, self.order[:count], self.zero):
                answers.append(self.model(images))
        return (clock() - begun) / SAMPLED * len(self.counts), answers

    def ours(self, images: Tensor, clock: Clock) -> tuple[float, list[Tensor]]:
        """Return the same from the whole curve."""
        begun, answers = clock(), {}
        chain = find_chain(self.model, self.layers)
        activity, *joined = chain.prefix(images)
        walk = Walk(chain, self.layers, self.order, self.zero, self.precision)
        for count, logits in walk.logits(activity, joined, self.counts):
            if count in self.sampled:
                answers[count] = logits.clone()
        return clock() - begun, [answers[count] for count in self.sampled]

    def agree(self, answers: dict[str, list[Tensor]]) -> None:
        """Check nothing: captum has no curves."""


class Units:
    """Every unit of every layer ablated alone; timed on the first units of each layer."""

    def __init__(self, case: Case, device: str):
        self.model, self.layers = network(case, device)
        self.what = f"{sum(self.layers.values()):,} single units"
        self.ways = {"plain": self.plain, "captum": self.captum, "ours": self.ours}

    def plain(self, images: Tensor, clock: Clock) -> tuple[float, list[Tensor]]:
        """Return (clock reading for all units, logits with each sampled unit off)."""
        total, answers = 0.0, []
        for name, units in self.layers.items():
            begun = clock()
            for unit in range(SAMPLED):
                with ablation.ablated(self.model, {name: units}, np.array([unit]), {name: 0.0}):
                    answers.append(self.model(images))
            total += (clock() - begun) / SAMPLED * units
        return total, answers

    def ours(self, images: Tensor, clock: Clock) -> tuple[float, list[Tensor]]:
        """Return the same along the chain that begins with each layer."""
        total, answers = 0.0, []
        for name, units in self.layers.items():
            layer = {name: units}
            walk = Alone(find_chain(self.model, layer), layer, {name: 0.0}, range(units)).answers(images)
            next(walk)  # nothing off: once for all units
            begun = clock()
            answers += [logits for _, logits in islice(walk, SAMPLED)]
            total += (clock() - begun) / SAMPLED * units
        return total, answers

    def captum(self, images: Tensor, clock: Clock) -> tuple[float, list[Tensor]]:
        """Return the same from captum, timed in the middle layer; logits of the first class there."""
        name = list(self.layers)[len(self.layers) // 2]
        layer = find_layer(self.model, name)
        with observed(self.model, [name]) as seen:
            self.model(images[:1])
        [shape] = {activity.shape[1:] for activity in seen.values()}
        group = torch.arange(1, shape[0] + 1).where(torch.arange(shape[0]) < SAMPLED, 0)  # 0: all others
        mask = group.view(1, -1, *[1] * (len(shape) - 1)).expand(1, *shape).to(images.device)
        begun = clock()
        moved = LayerFeatureAblation(self.model, layer).attribute(images, target=0, layer_mask=mask)
        per_pass = (clock() - begun) / (SAMPLED + 2)  # the sampled units, all others together, none
        before = self.model(images)[:, 0]
        first = moved.flatten(2)[..., 0] if moved.dim() > 2 else moved
        return per_pass * sum(self.layers.values()), [before - first[:, unit] for unit in range(SAMPLED)]

    def agree(self, answers: dict[str, list[Tensor]]) -> None:
        """Fail if captum's logits differ from those of plain hooks."""
        middle = len(self.layers) // 2 * SAMPLED
        for plain, captum in zip(answers["plain"][middle:], answers["captum"], strict=False):
            torch.testing.assert_close(captum, plain[:, 0], rtol=0, atol=1e-4 * float(plain.abs().max()))


def network(case: Case, device: str) -> tuple[nn.Module, dict[str, int]]:
    """Build (an untrained network with batch norm statistics as if trained, its layers)."""
    model = models.build(case.settings, case.shape, 10).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(1)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.copy_(torch.rand(norm.num_features, generator=random) / 5 - 0.1)
        norm.running_var.copy_(torch.rand(norm.num_features, generator=random) / 2 + 0.5)
    return model.to(device), ablation.chosen(models.unit_layers(model), case.last)


def seconds(device: str) -> float:
    """Read the clock once the device's queue is empty."""
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def peaks(device: str) -> dict[str, float]:
    """Peak floating-point operations per second: matrix products, and conv11's last convolution."""
    rates = {}
    for precision, kind in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        side, images, maps = 2048, 128, 512
        left = torch.rand(side, side, device=device, dtype=kind)
        activity = torch.rand(images, maps, 4, 4, device=device, dtype=kind)
        activity = activity.contiguous(memory_format=torch.channels_last)
        weight = torch.rand(maps, maps, 3, 3, device=device, dtype=kind)
        work = {
            2 * side**3: lambda left=left: left @ left,
            2 * images * 16 * 9 * maps**2: lambda a=activity, w=weight: conv2d(a, w, padding=1),
        }
        for flop, product in work.items():
            product()
            times = []
            for _ in range(5):
                begun = seconds(device)
                product()
                times.append(seconds(device) - begun)
            rates[precision] = max(rates.get(precision, 0.0), flop / min(times))
    return rates


@torch.no_grad()
def measure(case: Case, device: str, rounds: int, peak: float) -> dict:
    """Measure one row of the table: medians over rounds that alternate between the methods."""
    bench = (Units if case.points is None else Curve)(case, device)
    images = torch.rand(case.images, *case.shape, generator=torch.Generator().manual_seed(0))
    images = images.to(device).contiguous(memory_format=torch.channels_last)
    for way in bench.ways.values():  # warm-up: what is set up only once
        way(images[:1], lambda: 0.0)
    took, answers = {name: [] for name in bench.ways}, {}
    for _ in range(rounds):
        for name, way in bench.ways.items():
            total, answers[name] = way(images, lambda: seconds(device))
            took[name].append(total)
    bench.agree(answers)
    row = {f"{name}_s": statistics.median(times) for name, times in took.items()}
    flop = {name: operations(bench.ways[name], images) for name in ("plain", "ours")}
    scale = max(float(logits.abs().max()) for logits in answers["plain"])
    pairs = zip(answers["plain"], answers["ours"], strict=True)
    return {
        "network": case.network,
        "what": bench.what + (", bf16" if case.precision == "bf16" else ""),
        "images": case.images,
        **row,
        "ratio": row["plain_s"] / row["ours_s"],
        "arithmetic": flop["plain"] / flop["ours"],
        "of_peak": flop["ours"] / row["ours_s"] / peak,
        "difference": max(float((a - b).abs().max()) for a, b in pairs) / scale,
    }


def operations(way: Callable, images: Tensor) -> float:
    """Count floating-point operations for all images, with plain convolutions throughout."""
    with FlopCounterMode(display=False) as counter, patch.object(winograd, "MANY", 10**9):
        return way(images[:1], counter.get_total_flops)[0] * len(images)


def table(rows: list[dict]) -> str:
    """Format the Markdown table."""
    columns = [column.replace("_", " ") for column in COLUMNS.split()]
    lines = [f"| {' | '.join(columns)} |\n", "|---" * len(columns) + "|\n"]
    for row in rows:
        cells = [row["network"], row["what"], f"{row['images']:,}", f"{row['plain_s']:.3g}"]
        cells += [f"{row['captum_s']:.3g}" if "captum_s" in row else "", f"{row['ours_s']:.3g}"]
        cells += [f"{row['ratio']:.3g}", f"{row['arithmetic']:.3g}", f"{row['of_peak']:.0%}"]
        lines.append(f"| {' | '.join([*cells, format(row['difference'], '.0e')])} |\n")
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    peak, rows = peaks(arguments.device), []
    for case in CASES:
        rows.append(measure(case, arguments.device, arguments.rounds, peak[case.precision]))
        print(json.dumps(rows[-1]), flush=True)
    about = {"torch": torch.__version__, "device": arguments.device, "threads": arguments.threads}
    about |= {"rounds": arguments.rounds, "peak": peak}
    arguments.json.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")
    written = table(rows)
    before, rest = DOCUMENT.read_text().split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + written + END + rest.split(END)[1])
    print(f"\n{about}\n\n{written}\nWritten to {arguments.json} and {DOCUMENT}.")


if __name__ == "__main__":
    main()
