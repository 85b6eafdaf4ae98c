"""The laws of ablation for feature maps, with batch norm whose statistics are no longer the first ones."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from directions import models
from directions.core.scoring import evaluate, scaled
from directions.interventions import ablation, single_units
from directions.interventions.hooks import moments
from unit.interventions.test_ablation import Plain, zero

CONVS = {"conv11": {}, "conv11_mean": {}, "resnet50": {}, "without norm": {"batch_norm": False}}


TRAINED: dict[str, nn.Module] = {}


@pytest.fixture(params=CONVS)
def conv(request, settings, toy):
    """(net, its data, its last three unit layers), trained for some steps."""
    name = request.param
    examples = torch.tensor(toy.train_images), torch.tensor(toy.train_labels)
    if name not in TRAINED:
        model = name if name in models.MODELS else "conv11"
        settings |= {"model": model, "width": 0.0625, "pad": 2, "batch_norm": True} | CONVS[name]
        net = TRAINED[name] = models.build(settings, (1, 4, 4), 4)
        optimizer = torch.optim.Adam(net.parameters(), 3e-3)
        for _ in range(60):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(scaled(examples[0])), examples[1]).backward()
            optimizer.step()
    net = copy.deepcopy(TRAINED[name]).eval().requires_grad_(False)
    return net, examples, ablation.chosen(models.unit_layers(net), 3)


def of_maps(net, examples, layers, orders, points, **options):
    units = sum(layers.values())
    return ablation.cumulative(
        net, *examples, layers=layers, orders=orders, ablated_counts=ablation.grid(units, points),
        **({"values": zero(layers)} | options),
    )  # fmt: skip


def test_maps_first_point_is_untouched_and_last_gives_one_answer_to_all(conv):
    net, examples, layers = conv
    before = evaluate(net, *examples)
    found = of_maps(net, examples, layers, ablation.orderings(sum(layers.values()), 2, 0), 5)
    np.testing.assert_allclose(found.loss[:, 0], before.loss, rtol=1e-5)
    assert (found.accuracy[:, 0] == before.accuracy).all()
    assert before.accuracy >= 0.5  # chance is 0.25
    constant = int(net.readout.bias.argmax())
    assert (found.accuracy[:, -1] == float((examples[1] == constant).float().mean())).all()


def test_a_map_at_zero_is_a_map_with_its_outgoing_weights_cut(conv):
    """Cut in the convolution (or read-out) that follows; in the last layer, in all its columns."""
    net, examples, layers = conv
    order = ablation.orderings(sum(layers.values()), 1, 3)[0]
    found = of_maps(net, examples, layers, [order], 4)
    cut = copy.deepcopy(net)
    nested = "block16.relu3" in layers
    following = ["block16.conv2", "block16.conv3", "readout"] if nested else ["conv10", "conv11", "readout"]
    for column, count in enumerate(found.ablated):
        first = 0
        for name, width in zip(following, layers.values(), strict=True):
            off = order[:count]
            off = torch.as_tensor(off[(off >= first) & (off < first + width)] - first)
            weight = cut.get_submodule(name).weight
            weight.view(len(weight), width, -1)[:, off] = 0
            first += width
        score = evaluate(cut, *examples)
        assert found.accuracy[0, column] == score.accuracy
        np.testing.assert_allclose(found.loss[0, column], score.loss, rtol=1e-5)


@pytest.mark.parametrize("last", [1, 3, "all"])
def test_computing_without_the_maps_that_are_off_gives_the_answers_of_the_hooks(conv, last):
    net, examples, _ = conv
    layers = ablation.chosen(models.unit_layers(net), last)
    orders = ablation.orderings(sum(layers.values()), 2, 1)
    found = of_maps(net, examples, layers, orders, 9)
    hooked = of_maps(Plain(net).eval(), examples, layers, orders, 9)
    np.testing.assert_allclose(found.loss, hooked.loss, rtol=1e-4)
    np.testing.assert_allclose(found.accuracy, hooked.accuracy, atol=1 / len(examples[1]))
    assert len(np.unique(found.loss[:, 1:-1])) > 5


@pytest.mark.parametrize("clamp", ["zero", "mean"])
@pytest.mark.parametrize("size", [1, 7])
def test_curves_of_maps_do_not_depend_on_the_size_of_a_pass(conv, clamp, size):
    net, examples, layers = conv
    values = zero(layers)
    if clamp == "mean":
        found = moments(net, layers, iter([scaled(examples[0])]))
        values = {name: mean.float() for name, (mean, _) in found.items()}
    orders = ablation.orderings(sum(layers.values()), 2, 0)
    whole, parts = (
        of_maps(net, examples, layers, orders, 4, values=values, **o) for o in ({}, {"size": size})
    )
    np.testing.assert_allclose(whole.loss, parts.loss, rtol=1e-4)
    np.testing.assert_array_equal(whole.accuracy, parts.accuracy)


def test_single_ablation_of_a_map_is_the_first_step_of_a_curve_that_starts_with_it(conv):
    net, examples, layers = conv
    units = sum(layers.values())
    single = single_units.single(net, *examples, layers=layers, classes=4, values=zero(layers))
    chosen = range(0, units, max(1, units // 9))
    orders = [np.concatenate([[unit], np.delete(np.arange(units), unit)]) for unit in chosen]
    found = ablation.cumulative(
        net, *examples, layers=layers, orders=orders, ablated_counts=np.array([0, 1]), values=zero(layers)
    )
    np.testing.assert_allclose(found.loss[:, 1], single.loss[list(chosen)], rtol=1e-5)
    share = single.class_images / single.class_images.sum()
    np.testing.assert_allclose(found.accuracy[:, 1], single.class_accuracy[list(chosen)] @ share)


def test_single_ablation_of_early_and_nested_maps_is_that_of_the_whole_network(conv):
    net, (images, labels), _ = conv
    every = models.unit_layers(net)
    layers = {name: every[name] for name in list(every)[:: len(every) // 3]}
    options = {"layers": layers, "classes": 4, "values": zero(layers)}
    found = single_units.single(net, images[:8], labels[:8], **options)
    whole = single_units.single(Plain(net).eval(), images[:8], labels[:8], **options)
    assert len(found.loss) == sum(layers.values())
    assert len(np.unique(found.loss)) > 8
    np.testing.assert_allclose(found.loss, whole.loss, rtol=1e-5)
