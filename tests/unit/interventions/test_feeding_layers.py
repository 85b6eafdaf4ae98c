"""Which weights feed a layer of units: theirs, or none where more than one layer of weights does."""

import pytest
import torch
from torch import nn
from torch.nn.functional import relu

from directions import analyse
from directions.interventions.layers import find


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(12, 12))

    def forward(self, x):
        return x @ self.w.T


class LowRank(nn.Module):
    def __init__(self):
        super().__init__()
        self.base, self.a, self.b = nn.Linear(20, 12), nn.Linear(20, 2), nn.Linear(2, 12)

    def forward(self, x):
        return self.base(x) + self.b(self.a(x))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(20, 10), nn.Linear(20, 10), nn.Linear(20, 4)

    def forward(self, x):
        a, b = self.a(x), self.b(x)
        return self.out(torch.cat([relu(a), relu(b)], 1))


class Block(nn.Module):
    """A 3 x 3 and a 1 x 1 convolution, added."""

    def __init__(self):
        super().__init__()
        self.wide, self.thin = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(1, 6, 1)

    def forward(self, x):
        return self.wide(x) + self.thin(x)


class Shortcut(nn.Module):
    """The second layer's outputs are added to the first's, which therefore feeds all units of the sum."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.relu, self.out = (
            nn.Linear(20, 12),
            nn.Linear(12, 12),
            nn.ReLU(),
            nn.Linear(12, 4),
        )

    def forward(self, x):
        x = self.a(x)
        return self.out(self.relu(x + relu(self.b(x))))


class Sum(nn.Module):
    """Two layers, added: so far below 0 that the ReLU is mostly off, or within it."""

    def __init__(self, units=4, lower=0.0, scale=1.0):
        super().__init__()
        self.a, self.b, self.relu, self.out = (
            nn.Linear(20, units), nn.Linear(20, units), nn.ReLU(), nn.Linear(units, 4)
        )  # fmt: skip
        self.lower, self.scale = lower, scale

    def forward(self, x):
        return self.out(self.relu(self.scale * (self.a(x) + self.b(x) - self.lower)))


class Residual(nn.Module):
    """A block of two convolutions with a shortcut, of few maps."""

    def __init__(self, maps=2):
        super().__init__()
        self.c1, self.c2, self.relu = nn.Conv2d(1, maps, 3), nn.Conv2d(maps, maps, 3, padding=1), nn.ReLU()
        self.out = nn.Linear(maps * 36, 4)

    def forward(self, x):
        x = relu(self.c1(x))
        return self.out(self.relu(self.c2(x) + x).flatten(1))


class Gated(nn.Module):
    """A convolution whose maps are multiplied by gates computed from all of them (squeeze and excitation)."""

    def __init__(self):
        super().__init__()
        self.conv, self.squeeze, self.excite = nn.Conv2d(1, 5, 3), nn.Conv2d(5, 2, 1), nn.Conv2d(2, 5, 1)

    def forward(self, x):
        x = self.conv(x)
        return x * torch.sigmoid(self.excite(relu(self.squeeze(x.mean((2, 3), keepdim=True)))))


@pytest.fixture(autouse=True)
def _same_weights():
    torch.manual_seed(2)


@pytest.mark.parametrize(("network", "layer", "shape", "weights"), [
    (lambda: nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 4)), "1", (20,), "0"),
    (lambda: nn.Sequential(nn.Linear(20, 12), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 4)),
     "2", (20,), "0"),
    (lambda: nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 4)),
     "2", (1, 8, 8), "0"),
    (lambda: nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 4)), "0", (20,), "0"),
    (Branches, {"a": "relu"}, (20,), "a"),
    (Branches, {"b": "relu"}, (20,), "b"),
    (lambda: nn.Sequential(Gated(), nn.ReLU(), nn.Flatten(), nn.Linear(180, 4)), "1", (1, 8, 8), "0.conv"),
    (Shortcut, "relu", (20,), None),
    *((lambda units=units: Sum(units), "relu", (20,), None) for units in (1, 2, 3, 8)),
    (lambda: Sum(16, lower=3.0), "relu", (20,), None),
    (lambda: Sum(16, scale=1e-6), "relu", (20,), None),
    *((lambda maps=maps: Residual(maps), "relu", (1, 8, 8), None) for maps in (1, 2, 5)),
    *((lambda n=n: nn.Sequential(nn.Linear(20, n), nn.ReLU(), nn.Linear(n, 4)), "1", (20,), "0")
      for n in (1, 2, 3)),
    (lambda: nn.Sequential(nn.Linear(20, 12), nn.ReLU(), Own(), nn.ReLU(), nn.Linear(12, 4)),
     "3", (20,), None),
    (lambda: nn.Sequential(LowRank(), nn.ReLU(), nn.Linear(12, 4)), "1", (20,), None),
    (lambda: nn.Sequential(Block(), nn.ReLU(), nn.Flatten(), nn.Linear(384, 4)), "1", (1, 8, 8), None),
])  # fmt: skip
def test_the_weights_are_those_that_feed_the_units_alone(network, layer, shape, weights):
    network = network()
    found = find(network, layer if isinstance(layer, dict) else [layer], shape)
    [incoming] = found.incoming.values()
    if weights is None:
        assert incoming.isnan().all()
        assert incoming.shape == (*found.layers.values(), 1)
    else:
        assert torch.equal(incoming, network.get_submodule(weights).weight.flatten(1))


def test_an_empty_norm_is_told_with_its_reason(caplog):
    network = nn.Sequential(LowRank(), nn.ReLU(), nn.Linear(12, 4))
    data = torch.randn(40, 20), torch.arange(40) % 4
    found = analyse(network, ["1"], data, analyses=["measure_units"], progress=False)
    assert found.tables["units"]["l1"].isna().all()
    assert "No L1 norm where units are not fed by exactly one dense layer or convolution" in caplog.text
