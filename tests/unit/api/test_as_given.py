"""What is analysed is the network as it was given: on all images, whatever it does in place or by hooks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from directions import analyse
from directions.analyses import invariants
from directions.core.errors import InputError
from directions.interventions import layers
from directions.models import user_weights

IMAGES = 150
LATE = slice(100, 130)  # bright images: none is among those on which a network is tried


class Rectified(nn.Module):
    """Rectifies its input in place; of numbers in 0 to 1 nothing changes."""

    def __init__(self):
        super().__init__()
        self.positive, self.relu = nn.ReLU(inplace=True), nn.ReLU()
        self.fc1, self.fc2 = nn.Linear(16, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = x.flatten(1).clone()
        self.positive(x)
        return self.fc2(self.relu(self.fc1(x)))


class Clipped(nn.Module):
    """Clips feature maps in place, which only bright images need, and pools by a function."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.readout = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5, 3)
        self.relu1, self.relu = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        maps = self.conv2(self.relu1(self.conv1(x)))
        maps.clamp_(max=1)
        return self.readout(self.relu(maps).mean((2, 3)))


class Recurrent(nn.Module):
    """A dense layer of as many units as there are time steps, then an LSTM."""

    def __init__(self, last: bool):
        super().__init__()
        self.dense, self.lstm = nn.Linear(12, 12), nn.LSTM(12, 7, batch_first=True)
        self.relu, self.readout, self.last = nn.ReLU(), nn.Linear(7, 3), last

    def forward(self, x):
        steps, _ = self.lstm(self.dense(x[:, 0]))
        return self.readout(self.relu(steps[:, -1]) if self.last else self.relu(steps)[:, -1])


def found_of(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, layer: str, **settings):
    return analyse(network, [layer], (images, labels), orderings=1, noise=[1], progress=False, **settings)


def hooked() -> nn.Sequential:
    """A chain, but for a hook of its own that clips what few images reach."""
    dense = (nn.Linear(64, 8), nn.Linear(8, 3), nn.Linear(3, 3))
    network = nn.Sequential(nn.Flatten(), dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])
    network[3].register_forward_hook(lambda _module, _inputs, output: output.clamp(max=1))
    return network


@pytest.mark.parametrize(("make", "side", "layer"), [
    (Rectified, 4, "relu"), (Clipped, 8, "relu"), (hooked, 8, "2"),
])  # fmt: skip
def test_numbers_are_those_of_the_network_itself(make, side, layer):
    torch.manual_seed(0)
    network, images = make().eval(), torch.rand(IMAGES, 1, side, side)
    images[LATE] *= -20 if make is Rectified else 20
    labels = torch.arange(IMAGES) % 3
    found = found_of(network, images, labels, layer).tables
    with torch.no_grad():
        loss = cross_entropy(network(images), labels).item()

        def off(_module, _inputs, output):
            return output.index_fill(1, torch.tensor([2]), 0.0)

        with network.get_submodule(layer).register_forward_hook(off):
            without = cross_entropy(network(images), labels).item()
    single = found["single"].set_index("unit")
    assert found["runs"]["train_loss"].item() == pytest.approx(loss, rel=1e-5)
    assert single["loss_before"][2] == pytest.approx(loss, rel=1e-5)
    assert single["loss_after"][2] == pytest.approx(without, rel=1e-5)
    assert found["ablation"]["loss"][0] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("infinite", [False, True])
def test_a_network_that_differs_on_one_late_image_is_refused(monkeypatch, infinite):
    """An infinite logit in the same pass is the same in both networks, and hides nothing."""
    as_modules = layers.functions.as_modules

    def other(network, *given):
        made = as_modules(network, *given)
        made.register_forward_pre_hook(lambda _module, inputs: (inputs[0].clamp(max=1),))
        return made

    monkeypatch.setattr(layers.functions, "as_modules", other)
    images = torch.rand(IMAGES, 1, 4, 4)
    images[120] *= 20
    images[90] = 0.5
    network = Rectified()
    if infinite:
        network.register_forward_hook(lambda _module, inputs, logits: masked(inputs[0], logits))
    with pytest.raises(InputError, match="something else: its logits for image 120 are off by"):
        found_of(network, images, torch.arange(IMAGES) % 3, "relu")


def masked(images: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Class 1 is impossible for images that are grey all over."""
    grey = images.flatten(1).std(1) == 0
    return logits.masked_fill(grey[:, None] & (torch.arange(3) == 1), -torch.inf)


def test_units_are_those_of_the_weights_that_feed_them():
    images, labels = torch.rand(30, 1, 12, 12), torch.arange(30) % 3
    found = found_of(Recurrent(last=True), images, labels, "relu", analyses=["ablate_single"])
    assert found.tables["runs"]["units"].item() == 7
    with pytest.raises(InputError, match="fed by lstm, a LSTM, so its unit axis is ambiguous"):
        found_of(Recurrent(last=False), images, labels, "relu")


class Raised(nn.Module):
    """A dense layer of 4 units, then a transposed convolution of 6 maps of 4 x 4."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(16, 4)
        self.raised = nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(1, 6, 2, stride=2))
        self.relu, self.readout = nn.ReLU(), nn.Linear(96, 3)

    def forward(self, x):
        maps = self.dense(x.flatten(1)).view(-1, 1, 2, 2)
        return self.readout(self.relu(self.raised(maps)).flatten(1))


def test_weights_under_a_parametrization_feed_units_too():
    images, labels = torch.rand(30, 1, 4, 4), torch.arange(30) % 3
    found = found_of(Raised().eval(), images, labels, "relu", analyses=["ablate_single"])
    assert found.tables["runs"]["units"].item() == 6  # and not 4, the columns of each map


class Flipped(Dataset):
    """Mirrors some images at random, as for training; never the first."""

    def __init__(self):
        self.images = torch.rand(40, 1, 4, 4)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, place):
        mirrored = place and torch.rand(()) < 0.5
        return self.images[place].flip(-1) if mirrored else self.images[place], place % 3


def test_random_transforms_are_doubted_also_where_the_first_image_is_spared():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    found = analyse(network, ["2"], Flipped(), analyses=["measure_units"], progress=False)
    assert "an image differs each time it is read: give data without random transforms" in found.doubts


class Remembers(nn.Module):
    """Assigns to a buffer, and answers in bfloat16, as under autocast."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
        self.register_buffer("last", torch.zeros(()))

    def forward(self, x):
        self.last = x.mean()
        return self.net(x).bfloat16()


@pytest.mark.parametrize(("make", "wanted"), [
    (Remembers, ["net.2"]),
    (lambda: nn.DataParallel(Remembers().net), ["2"]),
    (lambda: nn.DataParallel(Remembers().net), ["module.2"]),
    (lambda: nn.DataParallel(Remembers().net), {"module.1": "relu"}),
])  # fmt: skip
def test_networks_that_remember_or_are_parallel_are_taken(make, wanted):
    torch.manual_seed(0)
    network, images, labels = make().eval(), torch.rand(30, 1, 4, 4), torch.arange(30) % 3
    found = analyse(network, wanted, (images, labels), analyses=["ablate_single"], progress=False)
    with torch.no_grad():
        loss = cross_entropy(network(images).float(), labels).item()
    assert found.tables["runs"]["train_loss"].item() == pytest.approx(loss, rel=1e-5)


def test_weights_of_a_parallel_network_fit_it_with_and_without_its_prefix(tmp_path):
    network = Remembers().net
    torch.save(nn.DataParallel(network).state_dict(), tmp_path / "w.pt")
    for other in (network, nn.DataParallel(network)):
        user_weights.fit(other, user_weights.read(tmp_path / "w.pt"), "w.pt")


@pytest.mark.parametrize(("settings", "message"), [
    ({"layers": [2]}, "layers: 2 is not the name of a module"),
    ({"noise": 0.1}, "noise"),
    ({"orderings": 2.5}, "orderings"),
    ({"device": "x"}, 'device="x" is unknown to PyTorch'),
    ({"network": "jit"}, "1 was compiled by torch.jit, and compiled code runs no hooks"),
])  # fmt: skip
def test_what_a_call_cannot_take_is_refused(settings, message):
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    if settings.pop("network", None):
        network[1] = torch.jit.script(network[1])
    given = {"layers": ["2"], "train": (np.zeros((6, 4, 4), np.uint8), np.arange(6) % 3), "progress": False}
    with pytest.raises(InputError, match=message):
        analyse(network, **(given | settings))


def test_numpys_numbers_are_numbers():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    images, labels = torch.rand(30, 1, 4, 4), torch.arange(30) % 3
    chosen = {"orderings": np.int64(2), "noise": np.array([0.5, 1.0]), "units": np.int64(2)}
    found = analyse(network, ["2"], (images, labels), progress=False, **chosen)
    assert found.tables["ablation"]["ordering"].nunique() == 2
    assert len(found.tables["single"]) == 2


def test_single_units_start_from_the_scores_in_runs():
    images, labels = torch.rand(30, 1, 4, 4), torch.arange(30) % 3
    tables = found_of(Rectified(), images, labels, "relu").tables
    invariants.check(tables)
    tables["single"] = tables["single"].assign(loss_before=tables["single"]["loss_before"] * 1.1)
    with pytest.raises(
        InputError, match="table single: network has train loss .* before any unit is ablated"
    ):
        invariants.check(tables)
