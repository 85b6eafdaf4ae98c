import pytest
import torch
from torch import nn

from directions import models
from directions.core.errors import InputError
from directions.interventions.hooks import clamped, find_layer, moments, observed, split

IMAGES = torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def conv() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)
    return nn.Sequential(*layers).eval()


def index(*units: int) -> torch.Tensor:
    return torch.tensor(units, dtype=torch.long)


def test_clamping_no_unit_changes_nothing():
    model = conv()
    before = model(IMAGES)
    with clamped(model[2], index()):
        assert torch.equal(model(IMAGES), before)


def test_zero_clamp_equals_cutting_the_outgoing_weights():
    model, cut = conv(), conv()
    with torch.no_grad():
        cut[4].weight.view(5, 4, 36)[:, [1, 3]] = 0
    with clamped(model[2], index(1, 3)):
        torch.testing.assert_close(model(IMAGES), cut(IMAGES))


def test_zeroing_incoming_weights_is_not_ablation_under_batch_norm():
    model, wrong = conv(), conv()
    for changed in (model, wrong):
        changed[1].bias.data.fill_(1.0)
    wrong[0].weight.data[1] = 0
    wrong[0].bias.data[1] = 0
    with clamped(model[2], index(1)):
        assert not torch.allclose(model(IMAGES), wrong(IMAGES))


def test_a_map_is_clamped_to_the_value_of_each_of_its_elements():
    model = conv()
    value = torch.rand(4, 6, 6, generator=torch.Generator().manual_seed(2))
    seen = []
    model[3].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    with clamped(model[2], index(2), value):
        model(IMAGES)
    model(IMAGES)
    assert torch.equal(seen[0][:, 2], value[2].expand(7, 6, 6))
    assert torch.equal(seen[0][:, [0, 1, 3]], seen[1][:, [0, 1, 3]])


def test_clamps_nest_and_no_trace_is_left_after_an_error():
    model = conv()
    before = model(IMAGES)
    with clamped(model[2], index(0)), clamped(model[2], index(1)):
        both = model(IMAGES)
    with clamped(model[2], index(0, 1)):
        assert torch.equal(model(IMAGES), both)

    def fail():
        with clamped(model[2], index(0)), clamped(model[2], index(9)):
            model(IMAGES)

    with pytest.raises(IndexError):
        fail()
    assert torch.equal(model(IMAGES), before)
    assert not model[2]._forward_hooks


def test_a_layer_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InputError, match=r"no layer 'relu7': layers of this network are 0, 1, 2, 3, 4"):
        find_layer(conv(), "relu7")


@pytest.mark.parametrize("size", [1, 3, 7])
def test_moments_do_not_depend_on_the_size_of_a_pass(size):
    model = conv()
    outputs = torch.relu(model[1](model[0](IMAGES))).detach().double()
    mean, sd = moments(model, {"2": 4}, iter(IMAGES.split(size)))["2"]
    torch.testing.assert_close(mean, outputs.mean(0))
    torch.testing.assert_close(sd, outputs.std(0, correction=0))


def test_a_chain_splits_after_a_layer_and_anything_else_stays_whole():
    model = conv()
    head, tail = split(model, "2")
    assert torch.equal(tail(head(IMAGES)), model(IMAGES))
    assert torch.equal(head(IMAGES), model[2](model[1](model[0](IMAGES))))
    with clamped(tail.get_submodule("2"), index(1)):
        off = tail(head(IMAGES))
    with clamped(model[2], index(1)):
        assert torch.equal(model(IMAGES), off)
    for whole in (nn.ModuleDict({"2": nn.ReLU()}), nn.Sequential(conv())):
        head, tail = split(whole, "2")
        assert isinstance(head, nn.Identity)
        assert tail is whole


@pytest.mark.parametrize(("layer", "first"), [
    ("stem.relu", "stem"), ("block3.relu1", "block3"), ("block16.relu3", "block16"), ("pool", "pool"),
])  # fmt: skip
def test_a_chain_splits_before_the_block_that_holds_a_layer(settings, layer, first):
    settings |= {"model": "resnet50", "width": 0.0625, "pad": 0}
    net = models.build(settings, (3, 32, 32), 4).eval()
    head, tail = split(net, layer)
    assert next(iter(tail._modules)) == first
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    assert torch.equal(tail(head(images)), net(images))
    with clamped(find_layer(tail, layer), index(1)):
        off = tail(head(images))
    with clamped(find_layer(net, layer), index(1)):
        assert torch.equal(net(images), off)


@pytest.mark.parametrize("model", ["conv11", "resnet50"])
def test_moments_and_mean_clamps_are_of_each_element_of_a_map(settings, model):
    settings |= {"model": model, "width": 0.0625, "pad": 0, "batch_norm": True}
    net = models.build(settings, (3, 16, 16), 4).eval()
    layers = models.unit_layers(net)
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    with observed(net, layers) as seen, torch.no_grad():
        net(images)
        outputs = dict(seen)
    found = moments(net, layers, iter(images.split(2)))
    for name, output in outputs.items():
        torch.testing.assert_close(found[name][0], output.double().mean(0), rtol=1e-5, atol=1e-7)
        assert len(found[name][0]) == layers[name]
