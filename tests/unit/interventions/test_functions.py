"""Pooling and flattening called as functions do not keep a network from being ablated along a chain."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from directions.core.scoring import scaled
from directions.interventions import ablation, functions, single_units
from directions.interventions.layers import find

FLATTEN = {
    "flatten": lambda x: torch.flatten(x, 1),
    "view by size": lambda x: x.view(x.size(0), -1),
    "view by shape": lambda x: x.view(x.shape[0], -1),
    "view by number": lambda x: x.view(-1, 24),
    "view by tuple": lambda x: x.view((-1, 24)),
    "reshape": lambda x: x.reshape(x.size(0), -1),
    "torch's reshape": lambda x: torch.reshape(x, (x.shape[0], -1)),
}
POOL = {
    "max": lambda x: functional.max_pool2d(x, 2),
    "average": lambda x: functional.avg_pool2d(x, 2, ceil_mode=True),
    "adaptive": lambda x: functional.adaptive_avg_pool2d(x, (2, 2)),
    "average by size": lambda x: functional.avg_pool2d(x, x.size(3) // 2),
    "average by shape": lambda x: functional.avg_pool2d(x, (x.shape[2] // 2, x.size(3) // 2)),
}


class Tutorial(nn.Module):
    """As most tutorials write them: only what has weights is a module."""

    def __init__(self, pool, flatten, activation=functional.relu):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 5, 3, padding=1), nn.Conv2d(5, 6, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(24, 8), nn.Linear(8, 4)
        self.pool, self.flatten, self.activation = pool, flatten, activation

    def forward(self, x):
        x = functional.max_pool2d(self.activation(self.conv1(x)), kernel_size=2)
        x = self.flatten(self.pool(self.activation(self.conv2(x))))
        x = functional.dropout(self.activation(self.fc1(x)), training=self.training)
        return self.fc2(x)


WHOLE = {
    "average": lambda x: functional.avg_pool2d(x, x.size(3)),
    "average of both": lambda x: functional.avg_pool2d(x, x.size()[2:]),
    "mean": lambda x: x.mean([2, 3]),
    "mean that keeps": lambda x: torch.mean(x, dim=(-1, -2), keepdim=True),
}
ACTIVATIONS = {
    "relu": functional.relu, "relu6": functional.relu6, "gelu": functional.gelu, "silu": functional.silu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2), "sigmoid": torch.sigmoid,
}  # fmt: skip


class Small(nn.Module):
    """Ends in the mean of every map and log-softmax."""

    def __init__(self, pool, activation):
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 5, 3), nn.Conv2d(5, 6, 3), nn.Linear(6, 4)
        self.pool, self.activation = pool, activation

    def forward(self, x):
        x = self.pool(self.activation(self.conv2(self.activation(self.conv1(x)))))
        return functional.log_softmax(self.fc(x.view(x.size(0), -1)), dim=1)


def curves(network, images, by_hooks=False):
    units = sum(network.layers.values())
    return ablation.cumulative(
        network.model, images, torch.arange(len(images)) % 4, layers=network.layers,
        orders=ablation.orderings(units, 2, 0), ablated_counts=range(units + 1),
        values=dict.fromkeys(network.layers, 0.0), by_hooks=by_hooks,
    )  # fmt: skip


@pytest.mark.parametrize("flatten", FLATTEN)
@pytest.mark.parametrize("pool", POOL)
def test_a_network_of_functions_is_a_chain(pool, flatten, caplog):
    caplog.set_level("INFO")
    torch.manual_seed(0)
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    network = Tutorial(POOL[pool], FLATTEN[flatten]).eval()
    expected = network(scaled(images))
    found = find(network, {"conv1": "relu", "conv2": "relu", "fc1": "relu"}, (1, 8, 8))
    assert found.layers == {"conv1_relu": 5, "conv2_relu": 6, "fc1_relu": 8}
    assert torch.equal(found.model(scaled(images)), expected)
    fast, slow = curves(found, images), curves(found, images, by_hooks=True)
    assert "along a chain of 3 layers from conv1_relu on" in caplog.text
    assert fast.loss == pytest.approx(slow.loss, abs=1e-5)


def test_layers_that_are_modules_keep_their_names(caplog):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), nn.ReLU())
            self.readout = nn.Linear(80, 4)

        def forward(self, x):
            return self.readout(functional.max_pool2d(self.part(x), 2).view(x.size(0), -1))

    caplog.set_level("INFO")
    torch.manual_seed(0)
    found = find(Plain(), ["part.1"], (1, 8, 8))
    assert found.layers == {"part.1": 5}
    curves(found, torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8))
    assert "along a chain of 1 layers from part.1 on" in caplog.text


def test_blocks_whose_outputs_are_units_stay_blocks():
    class Blocks(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Tutorial(POOL["max"], FLATTEN["flatten"])
            self.fc3 = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc3(self.block(x).view(x.size(0), -1))

    torch.manual_seed(0)
    network = Blocks()
    found = find(network, ["block"], (1, 8, 8))
    assert found.model is network
    assert found.layers == {"block": 4}


def test_what_only_looks_like_flattening_is_left_as_it_is():
    class Mixing(nn.Module):
        """Makes two examples of each in between."""

        def __init__(self):
            super().__init__()
            self.fc1, self.relu = nn.Linear(64, 8), nn.ReLU()
            self.halves, self.fc2 = nn.Linear(4, 4), nn.Linear(8, 4)

        def forward(self, x):
            x = self.relu(self.fc1(x.flatten(1)))
            return self.fc2(self.halves(x.view(-1, 4)).view(-1, 8))

    torch.manual_seed(0)
    network = Mixing()
    found = find(network, ["relu"], (1, 8, 8))
    assert found.model is network


@pytest.mark.parametrize(
    ("pool", "activation"), [*((pool, "relu") for pool in WHOLE), *(("mean", name) for name in ACTIVATIONS)]
)
def test_means_activations_and_log_softmax_are_parts_of_a_chain(pool, activation, caplog):
    caplog.set_level("INFO")
    torch.manual_seed(0)
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    network = Small(WHOLE[pool], ACTIVATIONS[activation]).eval()
    network.conv2.weight.data *= 9
    found = find(network, dict.fromkeys(("conv1", "conv2"), activation), (1, 8, 8))
    fast, slow = curves(found, images), curves(found, images, by_hooks=True)
    assert f"along a chain of 2 layers from conv1_{activation} on" in caplog.text
    assert "something else" not in caplog.text
    assert fast.loss == pytest.approx(slow.loss, abs=1e-5)
    labels = torch.arange(len(images)) % 4
    alone = [
        single_units.single(
            found.model, images, labels, layers=found.layers, classes=4,
            values=dict.fromkeys(found.layers, 0.0), by_hooks=by_hooks,
        ).loss
        for by_hooks in (False, True)
    ]  # fmt: skip
    assert alone[0] == pytest.approx(alone[1], abs=1e-5)


def test_a_pool_as_wide_as_there_are_examples_stays_a_function():
    class Odd(nn.Module):
        def forward(self, x):
            return functional.adaptive_avg_pool2d(functional.avg_pool2d(x, x.size(0)), 1)

    found = functions.as_modules(Odd(), [], torch.rand(2, 1, 8, 8))
    assert [type(module) for module in found.children()] == [nn.AdaptiveAvgPool2d]
