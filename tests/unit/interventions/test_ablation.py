"""The laws of ablation, on nets whose answers are known: design by hand, or a second way to compute them."""

import numpy as np
import pytest
import torch
from torch import nn

from directions import models
from directions.core.errors import InputError
from directions.core.scoring import evaluate
from directions.interventions import ablation, single_units

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


def test_curves_of_many_classes_have_top5_accuracy_and_of_few_have_none(net, examples, settings):
    assert curves(net, examples).scores.keys() == {"loss", "accuracy"}
    wide = models.build(settings, (1, 4, 4), 12).eval().requires_grad_(False)
    images, labels = examples[0], torch.arange(64) % 12
    before = evaluate(wide, images, labels)
    whole, parts = (curves(wide, (images, labels), size=size) for size in (None, 7))
    assert list(whole.scores) == ["loss", "accuracy", "accuracy_top5"]
    assert (whole.accuracy_top5[:, 0] == before.accuracy_top5).all()
    np.testing.assert_array_equal(whole.accuracy_top5, parts.accuracy_top5)
    constant = wide.readout.bias.topk(5).indices
    assert (whole.accuracy_top5[:, -1] == float(torch.isin(labels, constant).float().mean())).all()
    assert (whole.accuracy_top5 >= whole.accuracy).all()
    assert (whole.accuracy_top5 > whole.accuracy).any()


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
    found = single_units.single(net, *examples, layers=LAYERS, classes=4, values=zero())
    assert found.loss[5] == found.loss_before
    assert found.loss[8 + 2] == found.loss_before
    assert (found.loss != found.loss_before).sum() > 3
    np.testing.assert_array_equal(found.class_accuracy[5], found.class_accuracy_before)


def test_single_ablation_is_the_first_step_of_a_cumulative_curve_that_starts_with_the_unit(net, examples):
    single = single_units.single(net, *examples, layers=LAYERS, classes=4, values=zero())
    orders = [np.concatenate([[unit], np.delete(np.arange(14), unit)]) for unit in range(14)]
    found = curves(net, examples, orders=orders, counts=np.array([0, 1]))
    np.testing.assert_allclose(found.loss[:, 1], single.loss, rtol=1e-6)
    share = single.class_images / single.class_images.sum()
    np.testing.assert_allclose(found.accuracy[:, 1], single.class_accuracy @ share)


@pytest.mark.parametrize("size", [1, 7])
def test_single_ablation_does_not_depend_on_the_size_of_a_pass(net, examples, size):
    options = {"layers": LAYERS, "classes": 4, "values": zero()}
    whole = single_units.single(net, *examples, **options)
    parts = single_units.single(net, *examples, **options, size=size)
    np.testing.assert_array_equal(whole.class_accuracy, parts.class_accuracy)
    np.testing.assert_allclose(whole.loss, parts.loss, rtol=1e-6)


@pytest.mark.parametrize("by_hooks", [False, True])
def test_of_a_sample_of_units_each_is_ablated_as_among_all(net, examples, by_hooks):
    options = {"layers": LAYERS, "classes": 4, "values": zero(), "by_hooks": by_hooks}
    whole = single_units.single(net, *examples, **options)
    some = single_units.single(
        net, *examples, **options, units=[2, 7, 8, 13]
    )  # of both layers, their ends too
    np.testing.assert_array_equal(some.loss, whole.loss[[2, 7, 8, 13]])
    np.testing.assert_array_equal(some.class_accuracy, whole.class_accuracy[[2, 7, 8, 13]])
    assert some.loss_before == whole.loss_before
    assert len(np.unique(some.loss)) == 4


def test_a_sample_of_units_is_drawn_anew_for_every_seed():
    first, again, other = (ablation.sample(1000, 10, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(first)) == 10
    assert (np.diff(first) > 0).all()
    assert (first != other).any()
    for all_of_them in (ablation.sample(4, "all", 0), ablation.sample(4, 4, 0), ablation.sample(4, 9, 0)):
        assert all_of_them.tolist() == [0, 1, 2, 3]


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
    fast, slow = (
        single_units.single(net, *examples, **options),
        single_units.single(plain, *examples, **options),
    )
    np.testing.assert_array_equal(fast.loss, slow.loss)
    np.testing.assert_array_equal(fast.class_accuracy, slow.class_accuracy)


def test_the_last_layers_are_chosen_in_order_and_no_more_than_there_are():
    layers = {"relu1": 8, "block.relu2": 6, "relu3": 4}
    assert ablation.chosen(layers, "all") == layers
    assert list(ablation.chosen(layers, 2).items()) == [("block.relu2", 6), ("relu3", 4)]
    for wrong in (0, 4):
        with pytest.raises(InputError, match=rf"the last {wrong} were requested, but this network has 3"):
            ablation.chosen(layers, wrong)
