"""Ablation along the graph of a network gives the answers of forward hooks, on random residual networks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from directions.core.scoring import scaled
from directions.interventions import ablation
from directions.interventions.chain import weights_of
from directions.interventions.conv_matrices import Matrix, as_matrix
from directions.interventions.graph import find_graph
from directions.interventions.graph_curves import GraphCurves, GraphUnits
from unit.interventions import test_reverse
from unit.interventions.test_reverse import clamp_values, loud

CLASSES = 4


class Block(nn.Module):
    """Two convolutions beside a shortcut, as residual networks have them."""

    def __init__(self, rng: np.random.Generator, fan_in: int, width: int, stride: int, kind: str):
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, 1, bias=bool(rng.integers(2)))
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.relu1, self.relu2 = nn.ReLU(inplace=True), [nn.ReLU, nn.SiLU, nn.Softplus][rng.integers(3)]()
        groups = width if kind == "depthwise" else 1
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, groups=groups, bias=groups > 1)
        same = fan_in == width and stride == 1
        projection = nn.Sequential(nn.Conv2d(fan_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.shortcut = nn.Identity() if same else projection
        self.squeeze = nn.Linear(width, width) if kind == "squeeze" else None

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        if self.squeeze is not None:
            out = out * torch.sigmoid(self.squeeze(out.mean((2, 3))))[:, :, None, None]
        out += self.shortcut(x)
        return self.relu2(out)


class Residual(nn.Module):
    """A stem, up to three blocks, and a read-out of what is pooled in one way or another."""

    def __init__(self, seed: int):
        super().__init__()
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        width = int(rng.integers(2, 7))
        self.stem, self.relu, self.pool = nn.Conv2d(3, width, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2)
        blocks = []
        for _ in range(rng.integers(1, 4)):
            wider = width + int(rng.integers(0, 2) * rng.integers(1, 4))
            kind = str(rng.choice(["plain", "depthwise", "squeeze"]))
            blocks.append(Block(rng, width, wider, 1 + int(rng.integers(2)), kind))
            width = wider
        self.blocks, self.fc, self.end = nn.Sequential(*blocks), nn.Linear(width, CLASSES), seed % 3

    def forward(self, x):
        x = self.blocks(self.pool(self.relu(self.stem(x))))
        if self.end == 0:
            x = functional.avg_pool2d(x, x.size(3)).view(x.size(0), -1)
        elif self.end == 1:
            x = torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1)
        else:
            x = x.mean([2, 3])
        return functional.log_softmax(self.fc(x), 1)


def network(seed: int) -> tuple[nn.Module, dict[str, int], torch.Tensor]:
    """(random, all or some of its layers, images)."""
    model, rng = loud(Residual(seed), seed), np.random.default_rng(seed)
    found: dict[str, int] = {}
    names = ["relu", *(f"blocks.{b}.relu{r}" for b in range(len(model.blocks)) for r in (1, 2))]
    if seed % 4 == 3:
        names[1:] = [f"blocks.{b}" for b in range(len(model.blocks))]  # blocks whose outputs are units
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    for name in names:
        module = model.get_submodule(name)
        handle = module.register_forward_hook(
            lambda _m, _i, out, name=name: found.update({name: out.shape[1]})
        )
        model(images)
        handle.remove()
    chosen = found if seed % 2 else dict(list(found.items())[rng.integers(len(found)) :])
    return model, chosen, images


@pytest.mark.parametrize("clamp", ["zero", "number", "elements"])
@pytest.mark.parametrize("seed", range(16))
def test_curves_of_random_networks(seed, clamp, monkeypatch):
    monkeypatch.setattr(test_reverse, "IMAGES", images_of(seed))
    model, layers, images = network(seed)
    values, units = clamp_values(model, layers, clamp), sum(layers.values())
    order, counts = (
        np.random.default_rng(seed).permutation(units),
        ablation.grid(units, ["all", 3, 7][seed % 3]),
    )
    graph = find_graph(model, layers, images)
    found = list(GraphCurves(graph, layers, [order, order[::-1]], counts, values).answers(scaled(images)))
    assert [(row, columns) for row, columns, _ in found] == [
        (row, [column]) for row in range(2) for column in range(len(counts))
    ]
    for row, [column], logits in found:
        with ablation.ablated(model, layers, [order, order[::-1]][row][: counts[column]], values):
            expected = model(images)
        torch.testing.assert_close(logits[0], expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("clamp", ["zero", "number", "elements"])
@pytest.mark.parametrize("seed", range(16))
def test_units_alone_of_random_networks(seed, clamp, monkeypatch):
    monkeypatch.setattr(test_reverse, "IMAGES", images_of(seed))
    model, layers, images = network(seed)
    values, every = clamp_values(model, layers, clamp), range(sum(layers.values()))
    graph = find_graph(model, layers, images)
    (first, before), *found = GraphUnits(graph, layers, values, every).answers(scaled(images))
    expected = model(images)
    tolerance = {"rtol": 1e-5, "atol": 1e-5 * float(expected.abs().max())}
    torch.testing.assert_close(before, expected, **tolerance)
    assert [first, *(row for row, _ in found)] == [-1, *every]
    for unit, (_, logits) in zip(every, found, strict=True):
        with ablation.ablated(model, layers, np.array([unit]), values):
            torch.testing.assert_close(logits, model(images), **tolerance)


def images_of(seed: int) -> torch.Tensor:
    return torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [(1, 1), (2, 2), (2, 4), (1, 5)])
@pytest.mark.parametrize("changed", [{}, {"stride": 2}, {"padding": "same"}, {"padding": 2, "dilation": 2}])
def test_a_convolution_of_small_maps_is_a_matrix(side, changed):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3, **({"padding": 1} | changed)).requires_grad_(False)
    activity = torch.randn(5, 3, *side)
    link = as_matrix(weights_of(conv, ()), activity.shape)
    assert isinstance(link, Matrix)
    torch.testing.assert_close(link.product(activity, link.by_unit(3), link.bias), conv(activity))
    assert not isinstance(as_matrix(weights_of(conv, ()), (5, 3, 3, 3)), Matrix)
