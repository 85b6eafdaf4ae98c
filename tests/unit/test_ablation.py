"""The laws of ablation, on nets whose answers are known: design by hand, or a second way to compute them."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from directions import ablation, models
from directions.errors import InputError
from directions.evaluation import evaluate, scaled
from directions.units import moments

LAYERS = {"relu1": 8, "relu2": 6}


@pytest.fixture
def net(settings):
    return models.build(settings, (1, 4, 4), 4).eval().requires_grad_(False)


@pytest.fixture
def examples(toy):
    return torch.tensor(toy.train_images), torch.tensor(toy.train_labels)


def zero(layers=LAYERS):
    return dict.fromkeys(layers, 0.0)


def curves(net, examples, *, orders=None, counts=None, values=None, **options):
    orders = orders or ablation.orderings(14, 3, 0)
    counts = ablation.grid(14, "all") if counts is None else counts
    return ablation.cumulative(
        net,
        *examples,
        layers=LAYERS,
        orders=orders,
        ablated_counts=counts,
        values=values or zero(),
        **options,
    )


def test_first_point_is_the_untouched_network_and_last_gives_one_answer_to_all(net, examples):
    found = curves(net, examples)
    before = evaluate(net, *examples)
    np.testing.assert_allclose(found.loss[:, 0], before.loss)
    assert (found.accuracy[:, 0] == before.accuracy).all()
    constant = int(net.readout.bias.argmax())
    assert (found.accuracy[:, -1] == float((examples[1] == constant).float().mean())).all()


def test_every_point_is_the_network_with_those_outgoing_weights_cut(net, examples, settings):
    order = ablation.orderings(14, 1, 5)[0]
    found = curves(net, examples, orders=[order])
    for count in range(15):
        cut = models.build(settings, (1, 4, 4), 4).eval().requires_grad_(False)
        off = order[:count]
        cut.linear2.weight[:, torch.tensor(off[off < 8])] = 0
        cut.readout.weight[:, torch.tensor(off[off >= 8] - 8)] = 0
        score = evaluate(cut, *examples)
        assert found.accuracy[0, count] == score.accuracy
        np.testing.assert_allclose(found.loss[0, count], score.loss, rtol=1e-6)


def test_a_network_worked_out_by_hand():
    """Two inputs pass through two units each; class 0 wins if unit 0 is louder, class 1 otherwise.

    With unit 0 off class 1 wins wherever unit 1 is on; with both off both logits are 0 and argmax says 0.
    """
    net = nn.Sequential()
    net.add_module("flatten", nn.Flatten())
    net.add_module("linear1", nn.Linear(2, 2, bias=False))
    net.add_module("relu1", nn.ReLU())
    net.add_module("readout", nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        net.linear1.weight.copy_(torch.eye(2) * 255)
        net.readout.weight.copy_(torch.eye(2))
    images = torch.tensor([[3, 1], [2, 1], [1, 3], [0, 4]], dtype=torch.uint8).view(4, 1, 1, 2)
    labels = torch.tensor([0, 0, 1, 1])
    found = ablation.cumulative(
        net,
        images,
        labels,
        layers={"relu1": 2},
        orders=[np.array([0, 1])],
        ablated_counts=np.arange(3),
        values={"relu1": 0.0},
    )
    np.testing.assert_array_equal(found.accuracy, [[1.0, 0.5, 0.5]])
    last = np.log(2)  # both logits 0
    off = np.mean([np.log1p(np.exp(1)), np.log1p(np.exp(1)), np.log1p(np.exp(-3)), np.log1p(np.exp(-4))])
    np.testing.assert_allclose(found.loss[0, 1:], [off, last], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_curves_do_not_depend_on_the_size_of_a_pass(net, examples, size):
    whole, parts = curves(net, examples), curves(net, examples, size=size)
    np.testing.assert_array_equal(whole.accuracy, parts.accuracy)
    np.testing.assert_allclose(whole.loss, parts.loss, rtol=1e-6)


def test_clamping_to_the_mean_of_a_constant_unit_changes_nothing(net, examples):
    net.linear1.weight[2] = 0
    net.linear1.bias[2] = 0.7
    values = zero() | {"relu1": torch.full((8,), 0.7)}
    order = np.concatenate([[2], np.delete(np.arange(14), 2)])
    found = curves(net, examples, orders=[order], counts=np.array([0, 1]), values=values)
    np.testing.assert_allclose(found.loss[0, 0], found.loss[0, 1], rtol=1e-6)


def test_orderings_are_permutations_that_differ_and_repeat():
    first, second = ablation.orderings(50, 2, 0)
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first != second).any()
    np.testing.assert_array_equal(first, ablation.orderings(50, 1, 0)[0])
    assert (first != ablation.orderings(50, 1, 1)[0]).any()


@pytest.mark.parametrize(("units", "points", "expected"), [
    (4, "all", [0, 1, 2, 3, 4]), (4, 99, [0, 1, 2, 3, 4]), (256, 3, [0, 128, 256]), (1024, 2, [0, 1024]),
])  # fmt: skip
def test_a_grid_runs_from_none_to_all(units, points, expected):
    np.testing.assert_array_equal(ablation.grid(units, points), expected)


def test_a_unit_without_outgoing_weights_has_importance_exactly_zero(net, examples):
    net.linear2.weight[:, 5] = 0
    net.readout.weight[:, 2] = 0
    found = ablation.single(net, *examples, layers=LAYERS, classes=4, values=zero())
    assert found.loss[5] == found.loss_before
    assert found.loss[8 + 2] == found.loss_before
    assert (found.loss != found.loss_before).sum() > 3
    np.testing.assert_array_equal(found.class_accuracy[5], found.class_accuracy_before)


def test_single_ablation_is_the_first_step_of_a_cumulative_curve_that_starts_with_the_unit(net, examples):
    single = ablation.single(net, *examples, layers=LAYERS, classes=4, values=zero())
    orders = [np.concatenate([[unit], np.delete(np.arange(14), unit)]) for unit in range(14)]
    found = curves(net, examples, orders=orders, counts=np.array([0, 1]))
    np.testing.assert_allclose(found.loss[:, 1], single.loss, rtol=1e-6)
    share = single.class_images / single.class_images.sum()
    np.testing.assert_allclose(found.accuracy[:, 1], single.class_accuracy @ share)


@pytest.mark.parametrize("size", [1, 7])
def test_single_ablation_does_not_depend_on_the_size_of_a_pass(net, examples, size):
    options = {"layers": LAYERS, "classes": 4, "values": zero()}
    whole = ablation.single(net, *examples, **options)
    parts = ablation.single(net, *examples, **options, size=size)
    np.testing.assert_array_equal(whole.class_accuracy, parts.class_accuracy)
    np.testing.assert_allclose(whole.loss, parts.loss, rtol=1e-6)


class Plain(nn.Module):
    """The same network, not known to be a chain: every step runs the whole of it."""

    def __init__(self, chain: nn.Sequential):
        super().__init__()
        for name, module in chain.named_children():
            self.add_module(name, module)

    def forward(self, images):
        for module in self.children():
            images = module(images)
        return images


def test_running_the_first_layers_once_changes_no_answer(net, examples):
    plain = Plain(net).eval()
    fast, slow = curves(net, examples), curves(plain, examples)
    np.testing.assert_allclose(fast.loss, slow.loss, rtol=1e-6)
    np.testing.assert_array_equal(fast.accuracy, slow.accuracy)
    options = {"layers": LAYERS, "classes": 4, "values": zero()}
    fast, slow = ablation.single(net, *examples, **options), ablation.single(plain, *examples, **options)
    np.testing.assert_array_equal(fast.loss, slow.loss)
    np.testing.assert_array_equal(fast.class_accuracy, slow.class_accuracy)


def test_the_last_layers_are_chosen_in_order_and_no_more_than_there_are():
    layers = {"relu1": 8, "block.relu2": 6, "relu3": 4}
    assert ablation.chosen(layers, "all") == layers
    assert list(ablation.chosen(layers, 2).items()) == [("block.relu2", 6), ("relu3", 4)]
    for wrong in (0, 4):
        with pytest.raises(InputError, match=rf"the last {wrong} were asked for, this network has 3"):
            ablation.chosen(layers, wrong)


# --- the same laws for feature maps, with batch norm whose statistics are no longer the first ones ---

CONVS = {"conv11": {}, "resnet50": {}, "without norm": {"batch_norm": False}}


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
    single = ablation.single(net, *examples, layers=layers, classes=4, values=zero(layers))
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
    found = ablation.single(net, images[:8], labels[:8], **options)
    whole = ablation.single(Plain(net).eval(), images[:8], labels[:8], **options)
    assert len(found.loss) == sum(layers.values())
    assert len(np.unique(found.loss)) > 8
    np.testing.assert_allclose(found.loss, whole.loss, rtol=1e-5)
