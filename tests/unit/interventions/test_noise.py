import numpy as np
import pytest
import torch

from directions import models
from directions.core.scoring import evaluate, scaled
from directions.interventions import noise
from directions.interventions.hooks import moments, observed

LAYERS = {"relu1": 8, "relu2": 6}


@pytest.fixture
def net(settings):
    return models.build(settings, (1, 4, 4), 4).eval().requires_grad_(False)


@pytest.fixture
def examples(toy):
    return torch.tensor(toy.train_images), torch.tensor(toy.train_labels)


def spread(net, images):
    return {name: sd for name, (_, sd) in moments(net, LAYERS, iter([scaled(images)])).items()}


def noisy(net, examples, ratios, **options):
    options = {"spread": spread(net, examples[0]), "repeats": 2, "seed": 0} | options
    return noise.add_noise(net, *examples, noise_sd_ratios=np.array(ratios), **options)


def test_no_noise_is_the_untouched_network_and_none_is_left_behind(net, examples):
    before = evaluate(net, *examples)
    loss, accuracy = noisy(net, examples, [0.0, 5.0])
    np.testing.assert_allclose(loss[:, 0], before.loss)
    assert (accuracy[:, 0] == before.accuracy).all()
    assert (loss[:, 1] != before.loss).all()
    assert evaluate(net, *examples) == before


@pytest.mark.parametrize("size", [1, 7, 64])
def test_noise_belongs_to_the_image_whatever_the_size_of_a_pass(net, examples, size):
    whole, parts = noisy(net, examples, [0.5]), noisy(net, examples, [0.5], size=size)
    np.testing.assert_array_equal(whole[1], parts[1])
    np.testing.assert_allclose(whole[0], parts[0], rtol=1e-6)


def maps(settings, toy, **changed):
    """A conv net with batch norm, its data, and the spread of every element of its feature maps."""
    settings |= {"model": "conv11", "width": 0.0625, "pad": 2, "batch_norm": True, **changed}
    net = models.build(settings, (1, 4, 4), 4).eval().requires_grad_(False)
    images, labels = torch.tensor(toy.train_images), torch.tensor(toy.train_labels)
    found = moments(net, models.unit_layers(net), iter([scaled(images)]))
    return net, (images, labels), {name: sd for name, (_, sd) in found.items()}


@pytest.mark.parametrize("size", [1, 7, 64])
def test_noise_on_feature_maps_belongs_to_the_image_too(settings, toy, size):
    net, examples, sd = maps(settings, toy)
    assert sd["relu2"].shape == (4, 8, 8)
    before = evaluate(net, *examples)
    whole, parts = (noisy(net, examples, [0.0, 0.5], spread=sd, **o) for o in ({}, {"size": size}))
    np.testing.assert_allclose(whole[0], parts[0], rtol=1e-5)
    np.testing.assert_array_equal(whole[1], parts[1])
    assert (whole[1][:, 0] == before.accuracy).all()
    assert (whole[0][:, 1] != before.loss).all()


def test_a_pass_of_feature_maps_draws_no_block_twice(settings, toy, monkeypatch):
    """Memory for 30 images, blocks of 100: a pass takes 100, or each block would be drawn four times."""
    net, (images, labels), sd = maps(settings, toy)
    monkeypatch.setattr(noise, "pass_size", lambda *_: 30)
    asked, draws = [], noise.draws
    monkeypatch.setattr(noise, "draws", lambda key, *rest: asked.append((key, rest[0])) or draws(key, *rest))
    images, labels = images.repeat(4, 1, 1, 1), labels.repeat(4)
    noisy(net, (images, labels), [0.5], spread=sd)
    assert len(asked) == len(set(asked)) == 2 * 11 * 3  # repeats, layers, blocks of 256 images


def test_draws_of_a_block_do_not_depend_on_where_reading_starts():
    whole = noise.draws(("k",), 0, 350, (3, 2), torch.device("cpu"), 100)
    for start, count in [(0, 1), (99, 2), (100, 100), (130, 220)]:
        part = noise.draws(("k",), start, count, (3, 2), torch.device("cpu"), 100)
        assert torch.equal(part, whole[start : start + count])
    assert not torch.equal(whole[:100], whole[100:200])


@pytest.mark.parametrize(
    ("elements", "size"),
    [([1024, 1024], 100), ([2**25 // 100], 100), ([2**22, 2**22], 4), ([2**25, 1], 1), ([2**26], 1)],
)
def test_images_share_a_generator_as_far_as_their_elements_fit_the_memory(elements, size):
    spread = {str(place): torch.empty(number, device="meta") for place, number in enumerate(elements)}
    assert noise.block_size(spread) == size


def test_small_blocks_belong_to_the_image_too_and_set_the_size_of_a_pass(settings, toy, monkeypatch):
    net, (images, labels), sd = maps(settings, toy)
    monkeypatch.setattr(noise, "ELEMENTS", 7 * sum(values.numel() for values in sd.values()))
    asked, over_images = [], noise.over_images
    monkeypatch.setattr(
        noise,
        "over_images",
        lambda *given, **options: asked.append(options["size"]) or over_images(*given, **options),
    )
    monkeypatch.setattr(noise, "pass_size", lambda *_: 20)
    whole = noisy(net, (images, labels), [0.5], spread=sd)
    parts = noisy(net, (images, labels), [0.5], spread=sd, size=5)
    assert asked == [14, 5]  # two whole blocks of 7
    np.testing.assert_array_equal(whole[1], parts[1])
    np.testing.assert_allclose(whole[0], parts[0], rtol=1e-5)


def test_measured_spread_is_the_spread_asked_for_and_follows_the_units_scale():
    """Twice as loud a unit gets twice the noise, fresh for every image and every element."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3), torch.nn.ReLU()).requires_grad_(
        False
    )
    net[1].weight.data.abs_()
    net[1].bias.data.abs_()
    net[1].weight.data[1] = 2 * net[1].weight.data[0]
    net[1].bias.data[1] = 2 * net[1].bias.data[0]
    inputs = torch.rand(6000, 1, 2, 2)
    sd = moments(net, {"2": 3}, iter([inputs]))["2"][1]
    clean = net(inputs)
    added = {"2": noise.draws(("spread",), 0, 6000, (3,), torch.device("cpu"), 100) * sd.float()}
    with noise.noisy(net, added, 0.3), observed(net, ["2"]) as seen:
        net(inputs)
    difference = (seen["2"] - clean).double()
    torch.testing.assert_close(difference.std(0), 0.3 * sd, rtol=0.04, atol=0)
    torch.testing.assert_close(sd[1], 2 * sd[0])
    assert torch.corrcoef(difference.T)[0, 1].abs() < 0.05


def test_ratios_are_log_spaced_after_a_zero():
    np.testing.assert_allclose(noise.ratios(0.01, 1.0, 3), [0, 0.01, 0.1, 1.0])
