"""The fast way along a curve gives the answers of the plain one, forward hooks, on random networks."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from directions import models
from directions.interventions import ablation, single_units
from directions.interventions.chain import find_chain
from directions.interventions.reverse import Walk

CLASSES = 4
CONV11 = {"model": "conv11", "width": 0.0625, "pad": 0, "batch_norm": True}
IMAGES = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def loud(model: nn.Module, seed: int) -> nn.Module:
    """With batch norm far from its first statistics, so that folding shows, and with loud weights."""
    random = torch.Generator().manual_seed(seed)
    for weight in (p for p in model.parameters() if p.dim() > 1):
        weight.data.mul_(2)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        for values in (*norm.parameters(), norm.running_mean, norm.running_var):
            values.data.copy_(torch.rand(len(values), generator=random) + 0.1)
    return model.eval().requires_grad_(False)


def random_network(seed: int) -> nn.Sequential:
    """Up to three convolutions, each perhaps with bias, stride, norm or pool, and up to two dense layers."""
    rng = np.random.default_rng(seed)
    flip = lambda: bool(rng.integers(2))  # noqa: E731
    torch.manual_seed(seed)
    layers, channels, side = [], 3, 16
    for _ in range(rng.integers(1, 4)):
        out, stride, pad, kernel = (
            int(rng.integers(2, 9)),
            1 + flip(),
            int(flip()),
            1 + 2 * (flip() and side > 3),
        )
        layers.append(nn.Conv2d(channels, out, kernel, stride, pad, bias=flip()))
        side = (side + 2 * pad - kernel) // stride + 1
        layers += [nn.BatchNorm2d(out, affine=flip())] * flip() + [nn.ReLU()]
        if flip() and side > 3:
            layers.append(nn.MaxPool2d(2) if flip() else nn.AvgPool2d(2))
            side //= 2
        channels = out
    if flip():
        layers, side = [*layers, nn.AdaptiveAvgPool2d(1)], 1
    width = channels * side * side
    layers.append(nn.Flatten())
    for _ in range(rng.integers(3)):
        out = int(rng.integers(2, 9))
        layers += [nn.Linear(width, out), nn.ReLU(), nn.Dropout(0.5)]
        width = out
    return loud(nn.Sequential(*layers, nn.Linear(width, CLASSES)), seed)


def clamp_values(model, layers, kind: str) -> dict:
    """0, some other number, or a tensor with its own value for every element."""
    if kind != "elements":
        return dict.fromkeys(layers, 0.0 if kind == "zero" else 0.3)
    from directions.interventions.hooks import observed

    with observed(model, layers) as seen:
        model(IMAGES)
    return {name: activity.mean(0) for name, activity in seen.items()}


def compare(model, layers, order, counts, values) -> None:
    """Every point of the curve by both ways."""
    chain = find_chain(model, layers)
    assert chain is not None
    activity, *joined = chain.prefix(IMAGES)
    found = {
        count: logits.clone()
        for count, logits in Walk(chain, layers, order, values).logits(activity, joined, counts)
    }
    assert list(found) == list(counts[::-1])
    for count in counts:
        with ablation.ablated(model, layers, order[:count], values):
            expected = model(IMAGES)
        assert found[count].shape == expected.shape
        torch.testing.assert_close(found[count], expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("clamp", ["zero", "number", "elements"])
@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed, clamp):
    model = random_network(seed)
    rng = np.random.default_rng(seed)
    every = models.unit_layers(model)
    chosen = dict(list(every.items())[rng.integers(len(every)) :])
    if len(chosen) > 2:  # a layer in between may stay whole
        del chosen[list(chosen)[1]]
    units = sum(chosen.values())
    counts = ablation.grid(units, ["all", 2, 5][seed % 3])
    compare(model, chosen, rng.permutation(units), counts, clamp_values(model, chosen, clamp))


@pytest.mark.parametrize("clamp", ["zero", "elements"])
@pytest.mark.parametrize(
    ("name", "changed", "last"),
    [
        ("mlp", {"dropout": 0.5}, 2),
        ("conv11", CONV11, 3),
        ("conv11", {"width": 0.0625, "pad": 1, "batch_norm": False}, 5),
        ("conv11", CONV11 | {"width": 0.125}, 7),  # wide enough for convolutions by tiles
        ("resnet50", {"width": 0.0625, "pad": 0}, 3),  # the shortcut joins
    ],
)
def test_the_networks_of_the_study(settings, name, changed, last, clamp):
    model = loud(models.build(settings | {"model": name} | changed, (3, 16, 16), CLASSES), 2)
    layers = ablation.chosen(models.unit_layers(model), last)
    units = sum(layers.values())
    values = clamp_values(model, layers, clamp)
    compare(model, layers, np.random.default_rng(0).permutation(units), ablation.grid(units, 12), values)


@pytest.mark.parametrize("classes", [4, 12])
@pytest.mark.parametrize("size", [None, 1, 7])
def test_curves_are_those_of_the_reference(settings, classes, size):
    model = loud(models.build(settings, (1, 4, 4), classes), 0)
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 1, 4, 4), dtype=torch.uint8, generator=random)
    labels = torch.randint(0, classes, (50,), generator=random)
    layers = models.unit_layers(model)
    asked = {
        "layers": layers,
        "orders": ablation.orderings(14, 3, 0),
        "ablated_counts": np.array([0, 3, 4, 11, 14]),
        "values": clamp_values_of(layers),
    }
    fast = ablation.cumulative(model, images, labels, **asked, size=size)
    slow = ablation.cumulative(model, images, labels, **asked, by_hooks=True)
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-5)
    np.testing.assert_array_equal(fast.accuracy, slow.accuracy)
    assert (fast.accuracy_top5 is None) == (classes == 4)
    if classes == 12:
        np.testing.assert_array_equal(fast.accuracy_top5, slow.accuracy_top5)
        assert (fast.accuracy_top5 > fast.accuracy).any()


@pytest.mark.parametrize("clamp", ["zero", "number", "elements"])
@pytest.mark.parametrize("seed", range(8))
def test_units_alone_are_those_of_the_reference(seed, clamp):
    model = random_network(seed)
    random = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (30, 3, 16, 16), dtype=torch.uint8, generator=random)
    labels = torch.randint(0, CLASSES, (30,), generator=random)
    layers = models.unit_layers(model)
    asked = {"layers": layers, "classes": CLASSES, "values": clamp_values(model, layers, clamp)}
    fast = single_units.single(model, images, labels, **asked, size=7)
    slow = single_units.single(model, images, labels, **asked, by_hooks=True)
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-4)
    np.testing.assert_allclose(fast.loss_before, slow.loss_before, rtol=1e-4)
    np.testing.assert_array_equal(fast.class_accuracy, slow.class_accuracy)
    np.testing.assert_array_equal(fast.class_accuracy_before, slow.class_accuracy_before)


@pytest.fixture
def threads():
    """Sets how many threads compute, for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["cumulative", "single"])
def test_tiles_of_images_and_threads_change_no_answer(settings, kind, threads):
    model = loud(models.build(settings | CONV11 | {"width": 0.125}, (3, 16, 16), CLASSES), 4)
    random = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (30, 3, 16, 16), dtype=torch.uint8, generator=random)
    labels = torch.randint(0, CLASSES, (30,), generator=random)
    layers = ablation.chosen(models.unit_layers(model), 2)
    asked = {"layers": layers, "values": dict.fromkeys(layers, 0.0)}
    if kind == "single":
        asked |= {"classes": CLASSES}
    else:
        asked |= {"orders": ablation.orderings(128, 2, 0), "ablated_counts": ablation.grid(128, 20)}
    answers = []
    for count, size in ((1, None), (1, 7), (2, None)):
        threads(count)
        measure = ablation.cumulative if kind == "cumulative" else single_units.single
        found = measure(model, images, labels, **asked, size=size)
        answers.append((found.loss, found.accuracy if kind == "cumulative" else found.class_accuracy))
    for loss, accuracy in answers[1:]:
        np.testing.assert_allclose(loss, answers[0][0], rtol=1e-5)
        np.testing.assert_array_equal(accuracy, answers[0][1])


def test_bfloat16_is_near_and_not_the_same(settings):
    model = loud(models.build(settings | CONV11, (3, 16, 16), CLASSES), 2)
    random = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (50, 3, 16, 16), dtype=torch.uint8, generator=random)
    labels = torch.randint(0, CLASSES, (50,), generator=random)
    layers = ablation.chosen(models.unit_layers(model), 3)
    units = sum(layers.values())
    asked = {
        "layers": layers,
        "orders": ablation.orderings(units, 2, 0),
        "ablated_counts": ablation.grid(units, 9),
        "values": dict.fromkeys(layers, 0.0),
    }
    exact = ablation.cumulative(model, images, labels, **asked)
    near = ablation.cumulative(model, images, labels, **asked, precision="bf16")
    np.testing.assert_allclose(near.loss, exact.loss, rtol=0.05)
    assert (near.loss[:, 0] != exact.loss[:, 0]).all()
    np.testing.assert_array_equal(near.loss[:, -1], exact.loss[:, -1])  # nothing is left to multiply


def clamp_values_of(layers) -> dict:
    """Another one for every unit of the first layer, 0 for the others."""
    return dict.fromkeys(layers, 0.0) | {"relu1": torch.linspace(0, 1, layers["relu1"])}


class Functional(nn.Module):
    """A chain that no container shows, with a flatten that is a function."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.read = nn.Conv2d(3, 5, 3, 4), nn.ReLU(), nn.Linear(80, CLASSES)

    def forward(self, x):
        return self.read(torch.flatten(self.relu(self.conv(x)), 1))


def test_a_chain_is_found_wherever_it_is():
    torch.manual_seed(0)
    model = loud(Functional(), 0)
    compare(model, {"relu": 5}, np.arange(5), np.arange(6), {"relu": 0.0})


class Branching(Functional):
    """Two ways lead on from the units."""

    def forward(self, x):
        units = self.relu(self.conv(x))
        return self.read(torch.flatten(units, 1)) + self.read(torch.flatten(units * units, 1))


class Choosing(Functional):
    """Which way the data take depends on the data."""

    def forward(self, x):
        return super().forward(x if x.sum() > 0 else -x)


def linear(*between: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), *between, nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("model", "layers", "reason"),
    [
        (Branching(), ["relu"], "relu is read 2 times"),
        (Choosing(), ["relu"], "inputs to control flow"),
        (linear(nn.Softmax(1)), ["1"], "3 after 2 cannot be part of a chain"),
        (linear(), ["1"], "3 after 2 cannot be part of a chain"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), ["1"], "does not end with a layer of weights"),
        (linear(nn.ReLU()), ["3", "1"], "1 do not follow 3 in a chain"),
    ],
)
def test_what_is_no_chain_is_left_to_the_hooks_and_the_log_says_why(model, layers, reason, caplog):
    with caplog.at_level("INFO"):
        assert find_chain(model.eval(), dict.fromkeys(layers, 2)) is None
    assert reason in caplog.text


class Checking(nn.Module):
    """Adds one number per unit, and looks at its input before."""

    def __init__(self, checks: bool):
        super().__init__()
        self.fc1, self.relu1, self.fc2, self.relu2 = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU()
        self.readout, self.more, self.checks = nn.Linear(6, 3), nn.Parameter(torch.ones(6)), checks

    def forward(self, x):
        if self.checks and not isinstance(x, torch.Tensor):
            raise ValueError("images must be a tensor")
        x = self.relu1(self.fc1(x.flatten(1)))
        return self.readout(self.relu2(self.fc2(x) + self.more))


NORM = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(1, 3, 1), relu1=nn.ReLU(), conv2=nn.Conv2d(3, 4, 3, padding="same"),
    norm=nn.BatchNorm2d(4, track_running_stats=False), relu2=nn.ReLU(), flatten=nn.Flatten(),
    readout=nn.Linear(16, 3),
))  # fmt: skip
SAME = nn.Sequential(OrderedDict((name, part) for name, part in NORM.named_children() if name != "norm"))


@pytest.mark.parametrize(("network", "way"), [
    (Checking(checks=True), "by hooks (slow)"), (Checking(checks=False), "the graph of Checking"),
    (NORM, "in full: norm"), (SAME, "along a chain"),
], ids=["checks its input", "adds parameters", "norm of the batch", "padding by name"])  # fmt: skip
def test_what_is_no_chain_is_ablated_another_way_and_all_ways_agree(network, way, caplog):
    caplog.set_level("INFO")
    images = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    labels, layers = torch.arange(8) % 3, {"relu1": 3, "relu2": 4}
    if isinstance(network, Checking):
        layers = {"relu1": 6, "relu2": 6}
    units = sum(layers.values())
    curve = {"orders": ablation.orderings(units, 2, 0), "ablated_counts": range(units + 1)}
    options = {"layers": layers, "values": dict.fromkeys(layers, 0.0)}
    network.eval()
    fast = ablation.cumulative(network, images, labels, **options, **curve)
    assert way in caplog.text
    slow = ablation.cumulative(network, images, labels, **options, **curve, by_hooks=True)
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-4)
    fast, slow = (
        single_units.single(network, images, labels, **options, classes=3, by_hooks=by_hooks)
        for by_hooks in (False, True)
    )
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-4)
