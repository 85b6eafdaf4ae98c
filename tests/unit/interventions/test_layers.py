"""Which layers of any network have units, along which axis, and that acting on them does what it says."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from directions.analyses import selectivity
from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.interventions import ablation, single_units
from directions.interventions.hooks import clamped, find_layer, moments, observed
from directions.interventions.layers import catalogue, find
from directions.interventions.noise import add_noise

SIDE = 32  # pixels
GELUS = {"vit_b_16": 12, "convnext_tiny": 18}


def images(count: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)


def torchvision_net(name: str) -> nn.Module:
    """With weights of our own: torchvision's way to draw a hundred million of them takes many seconds."""
    with torch.device("meta"):
        size = {"image_size": SIDE} if name == "vit_b_16" else {}
        network = getattr(torchvision.models, name)(num_classes=10, **size).eval()
    generator = torch.Generator().manual_seed(0)
    for tensor in network.to_empty(device="cpu").state_dict().values():
        tensor.fill_(1) if tensor.dim() < 2 else tensor.uniform_(-0.05, 0.05, generator=generator)
    return network


def modules(network: nn.Module, kind: type) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, kind)]


class Functional(nn.Module):
    """Activations are functions; one ReLU module is called twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)
        self.shared = nn.ReLU(inplace=True)
        self.fc1, self.fc2, self.readout = nn.Linear(108, 8), nn.Linear(8, 6), nn.Linear(6, 4)

    def forward(self, x):
        x = self.shared(self.norm(self.conv(x))).flatten(1)
        x = functional.relu(self.fc1(x), inplace=True)
        return self.readout(functional.gelu(self.shared(self.fc2(x)), approximate="tanh"))


class Tokens(nn.Module):
    """A dense layer with ReLU on every token, (examples, tokens, units), then all tokens together."""

    def __init__(self):
        super().__init__()
        self.hidden, self.relu = nn.Linear(6, 6), nn.ReLU()
        self.flatten, self.readout = nn.Flatten(), nn.Linear(36, 4)

    def forward(self, x):
        return self.readout(self.flatten(self.relu(self.hidden(x.squeeze(1)))))


def test_functional_and_shared_activations_get_a_module_each_and_nothing_else_changes():
    torch.manual_seed(0)
    network = Functional().eval()
    inputs = scaled(images(5, 1, 8, 8))
    expected = network(inputs)
    found = find(network, {"conv": "relu", "fc1": "relu", "fc2": "relu", "shared_2_gelu": "none"}, (1, 8, 8))
    assert found.layers == {"shared": 3, "fc1_relu": 8, "shared_2": 6, "shared_2_gelu": 6}
    assert torch.equal(found.model(inputs), expected)
    with observed(found.model, found.layers) as seen:
        found.model(inputs)
    assert torch.equal(seen["fc1_relu"], functional.relu(network.fc1(seen["shared"].flatten(1))))
    assert torch.equal(seen["shared_2_gelu"], functional.gelu(seen["shared_2"], approximate="tanh"))
    for layer, weights in (("shared", network.conv), ("fc1_relu", network.fc1), ("shared_2", network.fc2)):
        assert torch.equal(found.incoming[layer], weights.weight.flatten(1))


def test_the_fast_way_is_taken_where_there_is_one_and_agrees_with_the_hooks(caplog):
    caplog.set_level("INFO")
    torch.manual_seed(0)
    found = find(Functional(), {"fc1": "relu"}, (1, 8, 8))
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4))
    chained = find(plain, ["2"], (1, 8, 8))
    for network, said in ((found, "no chain of layers"), (chained, "along a chain")):
        caplog.clear()
        orders = ablation.orderings(8, 2, 0)
        fast, slow = (
            ablation.cumulative(
                network.model, images(6, 1, 8, 8), torch.arange(6) % 4, layers=network.layers, orders=orders,
                ablated_counts=range(9), values=dict.fromkeys(network.layers, 0.0), by_hooks=by_hooks,
            )
            for by_hooks in (False, True)
        )  # fmt: skip
        assert said in caplog.text
        assert fast.loss == pytest.approx(slow.loss, abs=1e-5)


@pytest.mark.parametrize("name", GELUS)
def test_units_after_a_dense_layer_on_tokens_or_positions_are_on_the_last_axis(name):
    network = torchvision_net(name)
    found = find(network, modules(network, nn.GELU), (3, SIDE, SIDE))
    assert len(found.layers) == GELUS[name]
    last = list(found.layers)[-1]
    block, place = last.rsplit(".", 1)
    later = list(find_layer(network, block).children())[int(place) + 1 :]
    after = next(module for module in later if isinstance(module, nn.Linear))
    assert found.layers[last] == after.in_features
    inputs = scaled(images(2, 3, SIDE, SIDE))
    units = torch.tensor([1, found.layers[last] - 1])
    with torch.no_grad(), clamped(find_layer(found.model, last), units):
        ablated = found.model(inputs)
    with torch.no_grad():
        after.weight[:, units] = 0  # the units' outgoing weights
        assert torch.allclose(ablated, network(inputs), atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn"])
def test_units_of_convolutions_are_on_axis_1(name):
    network = torchvision_net(name)
    chosen = {
        "resnet18": ["relu", "layer1.0.relu", "layer1.0.relu_2", "layer4.1.relu", "layer4.1"],
        "vgg11_bn": modules(network, nn.ReLU),
    }[name]
    if name == "resnet18":
        with pytest.raises(InputError, match="layer4.1 is a block.*layer4.1.relu_2"):
            find(network, chosen, (3, SIDE, SIDE))
        chosen = chosen[:-1]
    inputs = scaled(images(2, 3, SIDE, SIDE))
    expected = network(inputs)
    found = find(network, chosen, (3, SIDE, SIDE))
    assert list(found.layers) == chosen
    assert list(found.layers.values())[:2] == [64, {"resnet18": 64, "vgg11_bn": 128}[name]]
    assert torch.allclose(found.model(inputs), expected, atol=1e-5)
    with observed(found.model, found.layers) as seen:
        found.model(inputs)
    for layer, units in found.layers.items():
        assert seen[layer].shape[1] == units
        assert seen[layer].min() >= 0  # what follows in place changed nothing


def test_the_output_of_a_whole_block_is_a_layer_too():
    resnet, convnext = torchvision_net("resnet18"), torchvision_net("convnext_tiny")
    assert find(resnet, ["layer1.0", "layer4.1"], (3, SIDE, SIDE)).layers == {"layer1.0": 64, "layer4.1": 512}
    found = find(convnext, ["features.1.0", "features.1.0.block.3"], (3, SIDE, SIDE))
    assert found.layers == {"features.1.0.block.3": 384, "features.1.0": 96}
    assert [find_layer(found.model, layer).unit_axis for layer in found.layers] == [-1, 1]


def test_what_works_in_place_does_not_change_what_was_observed():
    torch.manual_seed(0)
    parts = nn.Flatten(), nn.Linear(4, 9), nn.ReLU(inplace=True), nn.Linear(9, 2)
    found = find(nn.Sequential(*parts), ["1"], (1, 2, 2))
    with observed(found.model, found.layers) as seen:
        found.model(scaled(images(5, 1, 2, 2)))
    assert seen["1"].min() < 0


def test_measures_means_and_noise_of_token_units():
    torch.manual_seed(0)
    found = find(Tokens().eval(), ["relu"], (1, 6, 6))
    some, labels = images(12, 1, 6, 6), torch.arange(12) % 4
    activity = found.model.relu(found.model.hidden(scaled(some).squeeze(1)))  # (12, tokens, units)
    [(layer, measured)] = selectivity.unit_activity(found.model, found.layers, some, labels, size=5)
    assert layer == "relu"
    assert measured == pytest.approx(activity.mean(1).numpy(), abs=1e-6)
    mean, sd = moments(found.model, found.layers, iter([scaled(some)]))["relu"]  # (units, tokens)
    assert torch.allclose(mean.float(), activity.mean(0).T, atol=1e-6)
    with (
        clamped(found.model.relu, torch.tensor([2]), mean.float()),
        observed(found.model, found.layers) as seen,
    ):
        found.model(scaled(some))
    assert torch.equal(seen["relu"][:, 2], mean[2].float().expand(12, -1))
    ratios = [0.0, 1.0]
    asked = {"spread": {"relu": sd}, "noise_sd_ratios": ratios, "repeats": 1, "seed": 0}
    parts = [add_noise(found.model, some, labels, **asked, size=size) for size in (1, 12)]
    assert parts[0][0] == pytest.approx(parts[1][0])
    assert parts[0][0][0, 0] != parts[0][0][0, 1]


def test_a_chain_is_not_taken_where_units_are_not_on_axis_1(caplog):
    """Six tokens of six units each: shapes alone would not show the mistake."""
    caplog.set_level("INFO")
    torch.manual_seed(0)
    found = find(Tokens(), ["relu"], (1, 6, 6))
    arguments = {
        "layers": found.layers, "orders": ablation.orderings(6, 2, 0), "ablated_counts": range(7),
        "values": {"relu": 0.0},
    }  # fmt: skip
    some = images(8, 1, 6, 6), torch.arange(8) % 4
    found_loss = ablation.cumulative(found.model, *some, **arguments).loss
    assert "no chain of layers: units of relu are not on dimension 1" in caplog.text
    assert found_loss == pytest.approx(
        ablation.cumulative(found.model, *some, **arguments, by_hooks=True).loss
    )
    one = single_units.single(found.model, *some, layers=found.layers, classes=4, values={"relu": 0.0})
    assert one.loss[arguments["orders"][0][0]] == pytest.approx(found_loss[0, 1])


def test_a_sequential_with_a_forward_of_its_own_is_not_taken_apart():
    class Doubled(nn.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    torch.manual_seed(0)
    found = find(Doubled(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), ["2"], (1, 2, 2))
    some, labels = images(3, 1, 2, 2), torch.tensor([0, 1, 1])
    loss, _ = add_noise(
        found.model, some, labels, spread={"2": torch.ones(3)}, noise_sd_ratios=[0.0], repeats=1, seed=0
    )
    assert loss[0, 0] == pytest.approx(float(functional.cross_entropy(found.model(scaled(some)), labels)))


class Branching(nn.Module):
    """What torch.fx cannot follow."""

    def __init__(self):
        super().__init__()
        self.fc1, self.readout = nn.Linear(4, 3), nn.Linear(3, 2)

    def forward(self, x):
        x = self.fc1(x.flatten(1))
        return self.readout(functional.relu(x) if x.sum() > -1e9 else x)


class Residual(Functional):
    """A ReLU after a sum."""

    def forward(self, x):
        x = functional.relu(self.conv(x).flatten(1))
        return self.readout(self.fc2(functional.relu(self.fc1(x) + x.mean())))


class Drawing(Functional):
    """Answers the same images otherwise each time."""

    def forward(self, x):
        return super().forward(x) + torch.rand(1)


@pytest.mark.parametrize(("network", "layers", "said"), [
    (Functional, ["fc"], "no layer 'fc': layers of this network are fc2, fc1, "),
    (Functional, {"fc3": "relu"}, "no layer 'fc3': layers of this network are fc2, fc1, "),
    (Functional, {"fc1": "gelu"}, "layer fc1 is followed by relu, not by gelu"),
    (Functional, {"readout": "relu"}, "layer readout is followed by output, not by relu$"),
    (Residual, {"fc1": "relu"}, "fc1 is followed by add, not by relu; the relu .* is called add_relu: list"),
    (Functional, ["shared"], None),
    (Branching, {"fc1": "relu"}, "torch.fx cannot trace this network .*: give every activation its own"),
    (Branching, ["relu1"], "no layer 'relu1': layers of this network are .*torch.fx cannot trace"),
    (Drawing, {"fc1": "relu"}, "computes something else when traced by torch.fx"),
])  # fmt: skip
def test_a_layer_that_cannot_be_meant_is_refused_by_name(network, layers, said):
    torch.manual_seed(0)
    shape = (1, 2, 2) if network is Branching else (1, 8, 8)
    if said is None:
        assert find(network(), layers, shape).layers == {"shared": 3}  # its first call
        return
    with pytest.raises(InputError, match=said):
        find(network(), layers, shape)


def test_the_layers_shown_are_those_that_can_be_named():
    shown = catalogue(Functional(), (1, 8, 8))
    assert shown.set_index("layer")["units"].to_dict() == {
        "conv": 3, "norm": 3, "shared": 3, "fc1": 8, "fc1_relu": 8, "fc2": 6, "shared_2": 6,
        "shared_2_gelu": 6, "readout": 4,
    }  # fmt: skip
    activations = shown.loc[shown["activation"], "layer"].tolist()
    assert activations == ["shared", "fc1_relu", "shared_2", "shared_2_gelu"]
    assert shown.set_index("layer").loc["conv", ["module", "output"]].tolist() == ["Conv2d", "3x6x6"]
    for names in (shown["layer"].tolist(), activations):
        assert list(find(Functional(), names, (1, 8, 8)).layers) == names


class Block(nn.Module):
    """A residual block: its two ReLUs are functions, the last of a sum in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.conv2 = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        h = self.conv2(functional.relu(self.norm(self.conv(x))))
        h += x
        return functional.relu(h)


def residual(blocks: int) -> nn.Sequential:
    torch.manual_seed(0)
    stages = (nn.Sequential(*(Block() for _ in range(blocks))) for _ in range(2))
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(12, 2))


def test_sums_are_named_after_their_block_whatever_the_depth():
    for blocks in (1, 3):
        shown = catalogue(residual(blocks), (3, 2, 2))
        names = [f"{stage}.{block}" for stage in (0, 1) for block in range(blocks)]
        wanted = [f"{name}.{what}" for name in names for what in ("norm_relu", "add_relu")]
        assert shown.loc[shown["activation"], "layer"].tolist() == wanted
    assert list(find(residual(3), ["1.0.add_relu", "1.2.add_relu"], (3, 2, 2)).layers) == [
        "1.0.add_relu", "1.2.add_relu"
    ]  # fmt: skip


@pytest.mark.parametrize(("wanted", "found"), [
    ("all activations", ["0.0.norm_relu", "0.0.add_relu", "1.0.norm_relu", "1.0.add_relu"]),
    (["1.*"], ["1.0.norm_relu", "1.0.add_relu"]),
    ("*add_relu", ["0.0.add_relu", "1.0.add_relu"]),
    (["0.0.add_relu", "*.add_*"], ["0.0.add_relu", "1.0.add_relu"]),
    (["?.0"], ["0.0", "1.0"]),  # no activation: blocks
])  # fmt: skip
def test_layers_may_be_named_by_patterns(wanted, found):
    assert list(find(residual(1), wanted, (3, 2, 2)).layers) == found


def test_a_pattern_that_names_nothing_is_refused_with_what_there_is():
    with pytest.raises(InputError, match=r"layer9.\* matches no layer; the activations .* 0.0.norm_relu, 0"):
        find(residual(1), ["layer9.*"], (3, 2, 2))
    with pytest.raises(InputError, match=r"0.\* is a pattern and belongs in a list"):
        find(residual(1), {"0.*": "relu"}, (3, 2, 2))


class Encoder(nn.Module):
    """Two transformer layers of PyTorch's on two tokens, then a ReLU that has two names."""

    def __init__(self, activation="gelu", *, batch_first=True):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, activation=activation, batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc, self.relu, self.readout = nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 4)
        self.again, self.turned = self.relu, not batch_first

    def forward(self, x):
        tokens = x.view(len(x), 2, 8)
        tokens = self.encoder(tokens.movedim(0, 1)).movedim(0, 1) if self.turned else self.encoder(tokens)
        return self.readout(self.relu(self.fc(tokens.flatten(1))))


@pytest.mark.parametrize("activation", ["relu", "gelu", functional.silu])
def test_activations_of_transformer_layers_have_names(activation):
    network = Encoder(activation).eval()
    wanted = network(torch.linspace(-1, 1, 48).view(3, 16))
    shown = catalogue(network, (16,))
    names = ["encoder.layers.0.activation", "encoder.layers.1.activation", "relu"]
    assert shown[shown["activation"]]["layer"].tolist() == names
    torch.testing.assert_close(network(torch.linspace(-1, 1, 48).view(3, 16)), wanted)
    found = find(network, "all activations", (16,))
    assert found.layers == dict(zip(names, (16, 16, 6), strict=True))


def test_layers_with_as_many_tokens_in_front_as_examples_are_tried_are_refused():
    """Two of both: the tokens were taken for the examples."""
    network = Encoder(batch_first=False).eval()
    assert catalogue(network, (16,))["layer"].tolist() == ["fc", "relu", "readout"]
    with pytest.raises(
        InputError, match=r"linear1 returns \(2, 3, 16\) for 3 examples: they must be on its fir"
    ):
        find(network, ["encoder.layers.1.linear1"], (16,))


def test_a_layer_with_two_names_has_both():
    assert list(find(Encoder(), ["again"], (16,)).layers) == ["relu"]


def test_of_a_network_that_fx_cannot_follow_its_modules_are_shown(caplog):
    shown = catalogue(Branching(), (1, 2, 2))
    assert shown["layer"].tolist() == ["fc1", "readout"]
    assert "functional activations are not shown: torch.fx cannot trace this network" in caplog.text


def test_images_and_layers_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"does not take images of shape \(1, 9, 9\)"):
        find(Functional(), ["fc1"], (1, 9, 9))
    with pytest.raises(InputError, match=r"need a channel axis, \(n, 1, h, w\): "):
        find(Functional(), ["fc1"], (8, 8))
    with pytest.raises(
        InputError, match=r"shape \(3, 8, 8\); its first convolution, conv, takes 1 channels: "
    ):
        find(Functional(), ["fc1"], (3, 8, 8))
    block = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3), nn.ReLU(), nn.BatchNorm2d(3))
    network = nn.Sequential(block, nn.Flatten(), nn.Linear(48, 8), nn.Linear(8, 2))
    with pytest.raises(InputError, match="layer 0 is a block, .* name the last activation in it, 0.3$"):
        find(network, {"0": "none", "gone": "none", "2": "relu"}, (1, 8, 8))
    with pytest.raises(InputError, match="layer 0: no layer of weights is called before it"):
        find(nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)), ["0"], (1, 2, 2))
    with pytest.raises(InputError, match=r"layer 2 returns .* \(2, 2, 3\), and no axis has the 6 units of 1"):
        find(nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Unflatten(1, (2, 3))), ["2"], (1, 2, 2))
