"""Networks that hooks or a faster engine would get wrong: numbers as in plain PyTorch, or refused."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, dropout, relu

from directions import analyse
from directions.core.errors import InputError
from directions.interventions import ablation, noise, self_check
from directions.interventions.chain import find_chain
from directions.interventions.hooks import find_layer

FEW = {
    "ablate_cumulative": {"orderings": 1, "points": 4}, "add_noise": {"repeats": 1, "points": 2},
    "measure_units": {"bins": 4, "shuffles": 1}, "progress": False,
}  # fmt: skip
LAYERS = {"relu1": 12, "relu2": 8}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.fc0, self.fc1, self.fc2, self.out = (
            nn.Linear(20, 16), nn.Linear(16, 12), nn.Linear(12, 8), nn.Linear(8, 4),
        )  # fmt: skip
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()

    def first(self, x):
        return relu(self.fc0(x))

    def forward(self, x):
        return self.out(self.relu2(self.fc2(self.relu1(self.fc1(self.first(x))))))


class Discards(Net):
    """Changes a tensor in place, and assigns the result to nothing."""

    def first(self, x):
        h = self.fc0(x)
        h.mul_(-3)
        h.relu_()
        return h


class Scales(Net):
    """Normalises its input in place."""

    def first(self, x):
        x.sub_(0.5).mul_(2)
        return super().first(x)


class Optional(Net):
    """Takes more arguments, which default to None."""

    def forward(self, x, mask=None, embed=None):
        h = self.first(x)
        if mask is not None:
            h = h * mask
        h = self.relu1(self.fc1(h))
        return h if embed is not None else self.out(self.relu2(self.fc2(h)))


def hooked(place: str) -> nn.Module:
    """A network with a hook of its own that changes what a module returns or the images."""
    network = Net()
    if place == "images":
        network.register_forward_pre_hook(lambda _module, inputs: (2 - inputs[0],))
    else:
        module = network if place == "logits" else network.get_submodule(place)
        module.register_forward_hook(lambda _module, _inputs, output: output.flip(1) * 2)
    return network


def sequential(hook: bool) -> nn.Module:
    torch.manual_seed(3)
    first = nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4))
    network = nn.Sequential(*first)
    if hook:
        network.register_forward_pre_hook(lambda _module, inputs: (2 - inputs[0],))
    return network


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(60, 20, generator=generator), torch.arange(60) % 4


def plain(network: nn.Module, layer: str, units, data) -> float:
    """Loss in plain PyTorch, on the network called as a module, with units of a layer at zero."""

    def clamp(_module, _inputs, output):
        output = output.clone()
        output[:, units] = 0
        return output

    handle = find_layer(network, layer).register_forward_hook(clamp)
    with torch.no_grad():
        loss = cross_entropy(network(data[0].clone()), data[1]).item()
    handle.remove()
    return loss


def check(network: nn.Module, found, data, layers=LAYERS) -> None:
    """Hold losses, curves' ends and importances to plain PyTorch."""
    tables = found.tables
    before = plain(network, next(iter(layers)), [], data)
    wanted = [
        plain(network, layer, [unit], data) - before
        for layer, count in layers.items()
        for unit in range(count)
    ]
    np.testing.assert_allclose(tables["runs"]["train_loss"], before, rtol=1e-5)
    np.testing.assert_allclose(tables["single"]["importance"], wanted, atol=1e-5)
    assert np.abs(wanted).max() > 1e-3
    curve = tables["ablation"].query("clamp == 'zero'")
    np.testing.assert_allclose(curve["loss"].iloc[0], before, rtol=1e-5)
    last = list(layers)[-1]
    np.testing.assert_allclose(curve["loss"].iloc[-1], plain(network, last, slice(None), data), rtol=1e-5)
    np.testing.assert_allclose(tables["noise"].query("noise_sd_ratio == 0")["loss"], before, rtol=1e-5)


@pytest.mark.parametrize("network", [
    Discards, Scales, Optional,
    *(lambda place=place: hooked(place) for place in ("images", "logits", "fc2", "out")),
])  # fmt: skip
def test_numbers_are_those_of_the_network_called_as_a_module(network, data):
    network = network().eval()
    check(network, analyse(network, list(LAYERS), data, **FEW), data)


def test_a_compiled_network_is_analysed_as_its_original(data):
    network = Net().eval()
    compiled = torch.compile(copy.deepcopy(network), backend="eager")
    check(network, analyse(compiled, [f"_orig_mod.{layer}" for layer in LAYERS], data, **FEW), data)
    inner = torch.compile(copy.deepcopy(network), backend="eager")
    within = nn.Sequential(inner)
    within.compile(backend="eager")
    found = analyse(within, [f"0._orig_mod.{layer}" for layer in LAYERS], data, **FEW)
    assert within[0] is inner  # the caller's own stays compiled
    assert within._compiled_call_impl is not None
    check(nn.Sequential(network), found, data, {f"0.{layer}": count for layer, count in LAYERS.items()})


@pytest.mark.parametrize("asked", [{"fc1": "relu", "fc2": "relu"}])
def test_activations_in_place_that_are_not_assigned_are_followed(data, asked):
    network = Discards().eval()
    found = analyse(network, asked, data, **FEW)
    check(network, found, data)


def curves(network, layers, data):
    orders = ablation.orderings(sum(layers.values()), 1, 0)
    counts = ablation.grid(len(orders[0]), 4)
    values = dict.fromkeys(layers, 0.0)
    return ablation.cumulative(
        network, *data, layers=layers, orders=orders, ablated_counts=counts, values=values
    )


def test_a_network_with_hooks_of_its_own_takes_no_way_that_leaves_them_out(data, caplog):
    caplog.set_level("INFO")
    network = hooked("out").eval()
    assert find_chain(network, LAYERS, data[0]) is not None
    found = curves(network, LAYERS, data)
    assert "by hooks (slow): out has hooks or overrides forward on the instance" in caplog.text
    np.testing.assert_allclose(found.loss[0, 0], plain(network, "relu1", [], data), rtol=1e-6)


def test_an_engine_that_is_wrong_is_left_and_the_log_says_so(data, caplog, monkeypatch):
    network, other = Net().eval(), Net().eval()
    other.load_state_dict({name: value * 2 for name, value in network.state_dict().items()})
    chain = find_chain(other, LAYERS, data[0])
    monkeypatch.setattr(ablation, "find_chain", lambda *_: chain)
    found = curves(network, LAYERS, data)
    assert "cumulative ablation: the chain would compute something else" in caplog.text
    np.testing.assert_allclose(found.loss[0, 0], plain(network, "relu1", [], data), rtol=1e-6)


def test_the_chain_keeps_operations_in_place_that_are_not_assigned(data, caplog):
    network = Discards().eval()
    found = curves(network, LAYERS, data)
    assert "would compute something else" not in caplog.text
    np.testing.assert_allclose(found.loss[0, 0], plain(network, "relu1", [], data), rtol=1e-6)


def test_a_sequential_with_hooks_of_its_own_is_not_split(data):
    network, layers = sequential(hook=True).eval(), {"1": 12, "3": 8}
    before = plain(network, "1", [], data)
    assert abs(before - plain(sequential(hook=False).eval(), "1", [], data)) > 1e-2
    np.testing.assert_allclose(curves(network, layers, data).loss[0, 0], before, rtol=1e-6)
    spread = {layer: torch.ones(count) for layer, count in layers.items()}
    ratios = np.array([0.0])
    loss, _ = noise.add_noise(network, *data, spread=spread, noise_sd_ratios=ratios, repeats=1, seed=0)
    np.testing.assert_allclose(loss, before, rtol=1e-6)


class Silent(Net):
    """Calls its activation without the module's call, so that hooks do not run."""

    def forward(self, x):
        return self.out(self.relu2(self.fc2(self.relu1.forward(self.fc1(self.first(x))))))


class Unread(Net):
    """Has activations that work in place, and reads what they changed, not what they return."""

    def __init__(self):
        super().__init__()
        self.relu1 = nn.ReLU(inplace=True)

    def forward(self, x):
        h = self.fc1(self.first(x))
        self.relu1(h)
        return self.out(self.relu2(self.fc2(h)))


class Draws(Net):
    def first(self, x):
        return dropout(super().first(x), 0.5)


def broken() -> nn.Module:
    network = Net()
    network.fc2.weight.data[0, 0] = torch.nan
    return network


@pytest.mark.parametrize(("network", "said"), [
    (Silent, "layer relu1 .*is never called"),
    (Unread, "layer relu1: its output is never read.*is not assigned"),
    (Draws, "two passes over the same 8 images differ.*self.training"),
    (broken, "NaN or infinite: did its training diverge"),
])  # fmt: skip
def test_networks_whose_numbers_would_mean_nothing_are_refused(network, said, data):
    network = network().eval()
    with pytest.raises(InputError, match=said):
        analyse(network, list(LAYERS), data, **FEW)
    with pytest.raises(InputError, match=said):
        curves(network, LAYERS, data)


def test_what_is_observed_is_not_changed_afterwards(data):
    class Adds(Net):
        def forward(self, x):
            i = self.fc1(self.first(x))
            h = self.relu1(i)
            h += i
            return self.out(self.relu2(self.fc2(h)))

    network = Adds().eval()
    units = analyse(network, ["relu1"], data, **FEW).tables["units"]
    right = relu(network.fc1(network.first(data[0])))
    np.testing.assert_allclose(units["mean"], right.mean(0).detach(), rtol=1e-5)
    assert not units["negative"].any()


def test_the_check_is_cheap_and_layers_that_skip_others_are_read(data):
    network = sequential(hook=False).eval()
    passes = []
    network[0].register_forward_hook(lambda _module, inputs, _output: passes.append(len(inputs[0])))
    self_check.of_clamping(network, {"1": 12, "3": 8}, data[0])
    assert sum(passes) <= 3 * self_check.IMAGES


class Squeeze(nn.Module):
    def forward(self, x):
        return x[:, :, None, None].squeeze()


@pytest.mark.parametrize("between", [nn.BatchNorm1d(12, track_running_stats=False), Squeeze()])  # fmt: skip
def test_networks_that_refuse_a_single_image_are_measured(between, data):
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(20, 12), between, nn.ReLU(), nn.Linear(12, 4), nn.LogSoftmax(1)).eval()
    check(network, analyse(network, ["2"], data, **FEW), data, {"2": 12})


def test_a_double_network_is_analysed_in_single_precision(data):
    found = analyse(Net().double(), list(LAYERS), data, **FEW)
    check(Net().eval(), found, data)
