"""Processor seconds for ablating residual networks, by plain hooks and along their graphs: `make bench`.

The plain way is a forward hook per ablated layer and one forward pass of the whole network per point or unit,
in the memory layout it was given; it is timed on some of these and scaled up. Times are processor time of one
thread, which other work on the machine affects less than wall-clock time. The table goes into
docs/PERFORMANCE.md.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from directions.interventions import ablation
from directions.interventions.graph import find_graph
from directions.interventions.graph_curves import GraphCurves, GraphUnits
from directions.interventions.hooks import Network
from directions.interventions.layers import catalogue, find

DOCUMENT = Path(__file__).parents[1] / "docs/PERFORMANCE.md"
BEGIN, END = "<!-- graphs, written by make bench -->\n", "<!-- end of graphs -->"
COLUMNS = ["network", "images", "what", "plain s", "ours s", "ratio", "logits differ by"]
POINTS, SAMPLED = 64, 8
SIDE = 32  # pixels

Answers = dict[int, Tensor]


class Block(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, fan_in: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        projection = nn.Conv2d(fan_in, width, 1, stride, bias=False), nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential(*(projection if stride > 1 else ()))

    def forward(self, x: Tensor) -> Tensor:
        """(n, fan_in, h, w) -> (n, width, h / stride, w / stride)."""
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return functional.relu(out)


class ResNet20(nn.Module):
    """ResNet-20 as usually written for CIFAR-10."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        widths = (16, 16, 16, 16, 32, 32, 32, 64, 64, 64)
        pairs = zip(widths[:-1], widths[1:], strict=True)
        self.blocks = nn.Sequential(*(Block(before, width, width // before) for before, width in pairs))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> logits (n, 10)."""
        x = self.blocks(functional.relu(self.bn1(self.conv1(x))))
        x = functional.avg_pool2d(x, x.size(3))
        return self.linear(x.view(x.size(0), -1))


NETWORKS = {"ResNet-20": ResNet20, "resnet18": lambda: torchvision.models.resnet18(num_classes=10)}


def made(name: str) -> Network:
    """Build a network with units at all its activations and batch norm statistics as if trained."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.5, 1.0)
    known = catalogue(copy.deepcopy(network), (3, SIDE, SIDE))
    return find(network, known[known["activation"]]["layer"].tolist(), (3, SIDE, SIDE))


class Curve:
    """All units of all layers in a random order, at `POINTS` points."""

    what = f"{POINTS} points of a curve"

    def __init__(self, network: Network, images: Tensor):
        self.network, self.images, self.zero = network, images, dict.fromkeys(network.layers, 0.0)
        [self.order] = ablation.orderings(sum(network.layers.values()), 1, 0)
        self.counts = ablation.grid(len(self.order), POINTS)
        self.sampled = np.linspace(0, POINTS - 1, SAMPLED).astype(int).tolist()

    def plain(self) -> tuple[float, Answers]:
        """Return (seconds for all points, logits at the sampled ones)."""
        begun, found = time.process_time(), {}
        for point in self.sampled:
            off = self.order[: self.counts[point]]
            with ablation.ablated(self.network.model, self.network.layers, off, self.zero):
                found[point] = self.network.model(self.images)
        return (time.process_time() - begun) / SAMPLED * POINTS, found

    def ours(self) -> tuple[float, Answers]:
        """Return the same from the whole curve."""
        begun = time.process_time()
        graph = find_graph(self.network.model, self.network.layers, self.images)
        curves = GraphCurves(graph, self.network.layers, [self.order], self.counts, self.zero)
        found = {point: logits[0] for _, [point], logits in curves.answers(self.images)}
        return time.process_time() - begun, found


class Units:
    """Every unit alone, timed on the first two of each layer."""

    def __init__(self, network: Network, images: Tensor):
        self.network, self.images = network, images
        self.what = f"{sum(network.layers.values()):,} single units"

    def _timed(self, answers: Iterator[Tensor]) -> tuple[float, Answers]:
        total, found = 0.0, {}
        for count in self.network.layers.values():
            begun = time.process_time()
            found |= {len(found) + place: logits for place, logits in enumerate(islice(answers, 2))}
            total += (time.process_time() - begun) / 2 * count
        return total, found

    def plain(self) -> tuple[float, Answers]:
        """Return (seconds for all units, logits of the sampled ones)."""

        def answers() -> Iterator[Tensor]:
            for name, count in self.network.layers.items():
                for unit in (0, 1):
                    off = {name: count}, np.array([unit]), {name: 0.0}
                    with ablation.ablated(self.network.model, *off):
                        yield self.network.model(self.images)

        return self._timed(answers())

    def ours(self) -> tuple[float, Answers]:
        """Return the same along the graph, including the work done only once."""
        begun, layers = time.process_time(), self.network.layers
        graph = find_graph(self.network.model, layers, self.images)
        firsts = np.cumsum([0, *layers.values()])[:-1]
        every = {int(first) + unit for first in firsts for unit in (0, 1)}
        alone = GraphUnits(graph, layers, dict.fromkeys(layers, 0.0), every).answers(self.images)
        next(alone)
        once = time.process_time() - begun
        total, found = self._timed(logits for _, logits in alone)
        return once + total, found


@torch.inference_mode()
def measure(name: str, kind: Callable, images: int, rounds: int) -> str:
    """Measure one row of the table: medians over rounds that alternate between the methods."""
    random = torch.Generator().manual_seed(0)
    case = kind(made(name), torch.rand(images, 3, SIDE, SIDE, generator=random))
    took, answers = {"plain": [], "ours": []}, {}
    for _ in range(rounds):
        for way, seconds in took.items():
            spent, answers[way] = getattr(case, way)()
            seconds.append(spent)
    plain, ours = (statistics.median(seconds) for seconds in took.values())
    scale = max(float(logits.abs().max()) for logits in answers["plain"].values())
    differ = max(
        float((logits - answers["ours"][key]).abs().max()) for key, logits in answers["plain"].items()
    )
    cells = name, str(images), case.what, f"{plain:.3g}", f"{ours:.3g}", f"{plain / ours:.2g}"
    return f"| {' | '.join([*cells, f'{differ / scale:.0e}'])} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    written = f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|\n"
    for name, kind in (("ResNet-20", Curve), ("resnet18", Curve), ("ResNet-20", Units), ("resnet18", Units)):
        written += measure(name, kind, arguments.images, arguments.rounds)
        print(written.splitlines()[-1], flush=True)
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + written + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
