import pytest
import torch
from torch import nn
from torchvision.models.resnet import Bottleneck, resnet50

from directions import models
from directions.core.errors import InputError
from directions.interventions.hooks import observed
from directions.models import user, user_check
from directions.models.resnet50 import Block
from directions.study import fingerprints


def build(model: str, image_shape=(3, 32, 32), classes=10, **settings) -> nn.Sequential:
    defaults = {"hidden": None, "width": 1.0, "batch_norm": True, "pad": 0, "dropout": 0.0, "seed": 0}
    return models.build(defaults | {"model": model} | settings, image_shape, classes)


def maps(model: nn.Module, size: int, channels: int = 3) -> dict[str, tuple[int, ...]]:
    """{unit layer: (units, h, w)} of an image of that size."""
    with observed(model.eval(), models.unit_layers(model)) as seen, torch.no_grad():
        model(torch.zeros(1, channels, size, size))
    return {name: tuple(output.shape[1:]) for name, output in seen.items()}


def test_units_of_the_papers_dense_network():
    net = build("mlp", (1, 28, 28), hidden=[512, 512])
    assert models.unit_layers(net) == {"relu1": 512, "relu2": 512}
    assert models.parameter_count(net) == 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10
    assert {k: tuple(w.shape) for k, w in models.incoming_weights(net).items()} == {
        "relu1": (512, 784),
        "relu2": (512, 512),
    }


def test_first_weights_have_the_spread_that_their_name_says():
    spread = {}
    for init in ("torch", "he", "glorot"):
        net = build("mlp", (1, 28, 28), hidden=[512, 512], init=init)
        assert (net.linear1.bias == 0).all().item() == (init != "torch")
        spread[init] = [layer.weight.std().item() for layer in (net.linear1, net.linear2, net.readout)]
    fans = [(784, 512), (512, 512), (512, 10)]
    assert spread["torch"] == pytest.approx([(1 / (3 * fan)) ** 0.5 for fan, _ in fans], rel=0.03)
    assert spread["he"] == pytest.approx([(2 / fan) ** 0.5 for fan, _ in fans], rel=0.03)
    assert spread["glorot"] == pytest.approx([(2 / (fan + out)) ** 0.5 for fan, out in fans], rel=0.03)
    first, again, other = (build("mlp", (1, 28, 28), hidden=[8], init="he", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.linear1.weight, again.linear1.weight)
    assert not torch.equal(first.linear1.weight, other.linear1.weight)


def test_units_strides_and_parameters_of_the_papers_convnet():
    net = build("conv11")
    layers = models.unit_layers(net)
    assert list(layers) == [f"relu{depth}" for depth in range(1, 12)]
    assert sum(layers.values()) == 2816
    assert sum(list(layers.values())[-3:]) == 1536
    sizes = [32, 32, 16, 16, 16, 8, 8, 8, 4, 4, 4]
    assert maps(net, 32) == {name: (layers[name], s, s) for name, s in zip(layers, sizes, strict=True)}
    channels = [3, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512]
    weights = sum(9 * a * b for a, b in zip(channels, channels[1:], strict=False))
    assert models.parameter_count(net) == weights + 2 * 2816 + 8192 * 10 + 10
    without = build("conv11", batch_norm=False)
    assert models.parameter_count(without) == weights + 2816 + 8192 * 10 + 10
    assert not any(isinstance(module, nn.BatchNorm2d) for module in without.modules())
    assert models.unit_layers(without) == layers
    mean = build("conv11_mean")
    assert models.parameter_count(mean) == weights + 2 * 2816 + 512 * 10 + 10
    assert models.unit_layers(mean) == layers


def test_units_strides_and_parameters_of_the_papers_resnet():
    net = build("resnet50", (3, 224, 224), 1000)
    assert models.parameter_count(net) == 25_557_032
    assert models.parameter_count(net) == models.parameter_count(resnet50())
    layers = models.unit_layers(net)
    assert sum(layers.values()) == 22_720
    assert list(layers.items())[-3:] == [
        ("block16.relu1", 512), ("block16.relu2", 512), ("block16.relu3", 2048)
    ]  # fmt: skip
    assert next(iter(layers)) == "stem.relu"
    seen = maps(net, 64)
    sides = [seen[f"block{number}.relu3"][1] for number in range(1, 17)]
    assert sides == [16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2]  # halved by the last block of a stage


@pytest.mark.parametrize("fan_in", [32, 16])
def test_a_block_is_torchvisions(fan_in):
    torch.manual_seed(0)
    ours = Block(fan_in, 8, stride=1).eval()
    projection = ours.downsample if fan_in == 16 else None
    theirs = Bottleneck(fan_in, 8, downsample=projection).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(3, fan_in, 6, 6)
    assert torch.equal(ours(images), theirs(images))


def test_a_stride_without_new_channels_thins_the_shortcut_out():
    block = Block(32, 8, stride=2).eval()
    nn.init.zeros_(block.bn3.weight)  # what is left is the shortcut
    images = torch.randn(2, 32, 6, 6)
    assert torch.equal(block(images), images[:, :, ::2, ::2].relu())


@pytest.mark.parametrize("model", ["conv11", "resnet50"])
def test_width_scales_all_channels_and_pad_the_images(model):
    full, small = build(model, (1, 28, 28), pad=2), build(model, (1, 28, 28), pad=2, width=0.125)
    expected = {name: units // 8 for name, units in models.unit_layers(full).items()}
    assert models.unit_layers(small) == expected
    assert maps(small, 28, 1) == {
        name: (units // 8, *sides) for name, (units, *sides) in maps(full, 28, 1).items()
    }
    assert small(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    with pytest.raises(InputError, match="width 0.001 leaves no channel of 64: raise it"):
        build(model, width=0.001)


def test_incoming_weights_are_the_raw_filters_that_feed_each_unit():
    net = build("conv11", width=0.125)
    found = models.incoming_weights(net)
    assert found.keys() == models.unit_layers(net).keys()
    assert torch.equal(found["relu4"], net.conv4.weight.flatten(1))
    net = build("resnet50", width=0.125)
    found = models.incoming_weights(net)
    assert torch.equal(found["stem.relu"], net.stem.conv.weight.flatten(1))
    block = net.block1  # which has a projection of the same shape as conv3
    for number in (1, 2, 3):
        filters = block.get_submodule(f"conv{number}").weight
        assert torch.equal(found[f"block1.relu{number}"], filters.flatten(1))


def test_weights_are_those_of_the_seed_and_an_unknown_model_is_refused():
    first, again, other = (build("conv11", width=0.125, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.conv3.weight, again.conv3.weight)
    assert not torch.equal(first.conv3.weight, other.conv3.weight)
    with pytest.raises(InputError, match="unknown model 'vgg': known are mlp, conv11, conv11_mean, resnet50"):
        build("vgg")


NETS = """
from torch import nn


def deep(settings, image_shape, classes):
    sizes = [image_shape[0] * image_shape[1] * image_shape[2], *settings["hidden"]]
    dense = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *dense, nn.Linear(sizes[-1], classes))


def nothing(settings, image_shape, classes):
    return None


def broken(settings, image_shape, classes):
    return settings["depth"]
"""


def test_a_model_of_the_user_s_own_is_built_like_ours(tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    settings = {"model": "deep", "build": f"{tmp_path}/nets.py:deep", "hidden": [7, 5], "seed": 3}
    net = models.build(settings, (1, 8, 8), 4)
    assert user_check.check(net, settings["build"], (1, 8, 8), 4) == 12
    assert list(user.of_study(net, None, (1, 8, 8), 4).layers.values()) == [7, 5]
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 4)
    again, other = (models.build(settings | {"seed": seed}, (1, 8, 8), 4) for seed in (3, 4))
    assert torch.equal(net[1].weight, again[1].weight)
    assert not torch.equal(net[1].weight, other[1].weight)


def test_a_model_whose_file_was_changed_since_its_training_was_planned_is_refused(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(NETS)
    planned = fingerprints.written(f"{file}:deep", "build") | {"model": "deep", "hidden": [7, 5], "seed": 3}
    models.build(planned, (1, 8, 8), 4)
    file.write_text(NETS + "# another line\n")
    with pytest.raises(InputError, match="nets.py:deep, or a file that it imports, has changed .*: rerun"):
        models.build(planned, (1, 8, 8), 4)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "nets.py:nothing returned NoneType, not a torch.nn.Module"),
        ("broken", "nets.py, line 16, in broken: KeyError: 'depth'"),
        ("gone", "has no function gone; it has "),
    ],
)
def test_what_is_no_model_of_the_user_s_own_is_refused(tmp_path, function, message):
    (tmp_path / "nets.py").write_text(NETS)
    settings = {"model": "net", "build": f"{tmp_path}/nets.py:{function}", "hidden": [7, 5], "seed": 3}
    with pytest.raises(InputError, match=message):
        models.build(settings, (1, 8, 8), 4)


TRIED = """
import torch
from torch import nn


def smooth(settings, image_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.GELU(), nn.Linear(8, classes))


def early(settings, image_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(64, classes))


class Branching(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, 8), nn.Linear(8, classes)

    def forward(self, x):
        if x.sum() > -1e9:  # torch.fx cannot follow this
            x = x.flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


def hidden(settings, image_shape, classes):
    return Branching(classes)


def shared(settings, image_shape, classes):
    relu = nn.ReLU()
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), relu, nn.Linear(8, 8), relu, nn.Linear(8, classes))


def more(settings, image_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, classes + 2))


class Both(nn.Sequential):
    def forward(self, x):
        return x.flatten(1), super().forward(x)


def both(settings, image_shape, classes):
    return Both(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, classes))


def larger(settings, image_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(99, 8), nn.ReLU(), nn.Linear(8, classes))


def fine(settings, image_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, classes))
"""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("more", r"nets.py:more: for 2 images the network returns \(2, 6\), not one tensor of .*\(2, 4\)"),
        ("both", r"nets.py:both: for 2 images the network returns a tuple, not one tensor of logits"),
        ("larger", r"nets.py:larger: the network fails on images of shape \(1, 8, 8\): .*mat1 and mat2"),
    ],
)
def test_a_model_of_the_user_s_own_is_tried_before_it_is_trained(tmp_path, function, message):
    (tmp_path / "nets.py").write_text(TRIED)
    reference = f"{tmp_path}/nets.py:{function}"
    model = models.build({"model": "net", "build": reference, "seed": 3}, (1, 8, 8), 4)
    with pytest.raises(InputError, match=message):
        user_check.check(model, reference, (1, 8, 8), 4)


@pytest.mark.parametrize(
    ("function", "layers"),
    [
        ("fine", {"3": 8}),
        ("smooth", {"2": 8}),
        ("shared", {"2": 8, "2_2": 8}),  # one module called twice: each call has its own units
        ("early", None),
        ("hidden", None),
    ],
)
def test_units_of_a_model_of_the_user_s_own_follow_its_activations(tmp_path, caplog, function, layers):
    (tmp_path / "nets.py").write_text(TRIED)
    reference = f"{tmp_path}/nets.py:{function}"
    model = models.build({"model": "net", "build": reference, "seed": 3}, (1, 8, 8), 4)
    assert user_check.check(model, reference, (1, 8, 8), 4) == (layers and sum(layers.values()))
    if layers:
        assert user.of_study(model, None, (1, 8, 8), 4).layers == layers
        return
    assert "analyses must be told its layers of units" in caplog.text
    with pytest.raises(
        InputError, match=r"`models: {NAME: {layers: \[fc1, fc2\]}}`: nothing is trained again"
    ):
        user.of_study(model, None, (1, 8, 8), 4)
    named = user.of_study(model, ["2"] if function == "early" else ["fc1"], (1, 8, 8), 4)
    assert list(named.layers.values()) == [4 if function == "early" else 8]


def test_the_paper_s_networks_have_the_units_that_are_found_in_any_network():
    for name in models.MODELS:
        settings = {"batch_norm": True} if name.startswith("conv") else {}
        net = build(name, hidden=[7, 5], width=0.125, **settings).eval()
        found = user.of_study(net, None, (3, 32, 32), 10)
        assert found.layers == models.unit_layers(net)
        for layer, weights in models.incoming_weights(net).items():  # none alone feeds a sum of branches
            assert torch.equal(found.incoming[layer], weights) or found.incoming[layer].isnan().all()


def test_the_trial_leaves_a_good_model_as_it_was(tmp_path):
    (tmp_path / "nets.py").write_text(TRIED)
    reference = f"{tmp_path}/nets.py:fine"
    tried, untried = (models.build({"model": "n", "build": reference, "seed": 3}, (1, 8, 8), 4) for _ in "ab")
    user_check.check(tried, reference, (1, 8, 8), 4)
    assert tried.training
    assert all(map(torch.equal, tried.state_dict().values(), untried.state_dict().values()))
