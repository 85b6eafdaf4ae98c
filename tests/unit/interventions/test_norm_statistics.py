"""Batch norm by the statistics of the ablated images: by hand, and against networks in training mode."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from directions import analyse, models
from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.interventions import ablation, accumulate
from directions.interventions.hooks import split
from directions.interventions.norm_statistics import acts_on, own_statistics, whole_batches
from unit.interventions.test_ablation import zero


@pytest.fixture
def by_hand():
    """Two inputs pass through two units, batch norm that kept mean 0 and variance 1, and two more units."""
    names = "flatten", "linear1", "relu1", "linear2", "norm", "relu2", "readout"
    eye = [nn.Linear(2, 2, bias=False) for _ in range(3)]
    layers = nn.Flatten(), eye[0], nn.ReLU(), eye[1], nn.BatchNorm1d(2), nn.ReLU(), eye[2]
    net = nn.Sequential()
    for name, layer in zip(names, layers, strict=True):
        net.add_module(name, layer)
    for layer in eye:
        layer.weight.data.copy_(torch.eye(2))
    eye[0].weight.data.mul_(255)
    images = torch.tensor([[3, 1], [1, 3]], dtype=torch.uint8).view(2, 1, 1, 2)
    return net.eval().requires_grad_(False), images, torch.tensor([0, 1])


def without_unit_0(net, images, labels, **options):
    """The curve that ablates unit 0 of relu1, as (loss, accuracy) with it off."""
    found = ablation.cumulative(
        net, images, labels, layers={"relu1": 2}, orders=[np.array([0, 1])], ablated_counts=np.arange(2),
        values={"relu1": 0.0}, **options,
    )  # fmt: skip
    return found.loss[0, 1], found.accuracy[0, 1]


def test_a_network_worked_out_by_hand(by_hand):
    """Without unit 0, the images give (0, 1) and (0, 3): by what was kept, unit 1 is on for both.

    By their own mean 2 and variance 1 they become (0, -1) and (0, 1), so unit 1 is on for the second only.
    """
    kept = np.mean([np.log1p(np.e), np.log1p(np.exp(-3))])
    np.testing.assert_allclose(without_unit_0(*by_hand), [kept, 0.5], rtol=1e-4)
    own = np.mean([np.log(2), np.log1p(np.exp(-1))])
    np.testing.assert_allclose(without_unit_0(*by_hand, norm_images=2), [own, 1.0], rtol=1e-4)


@pytest.fixture
def conv(settings, toy):
    """conv11 with statistics that were moved by its data, 64 images, and their labels."""
    torch.manual_seed(0)
    settings |= {"model": "conv11", "width": 0.0625, "pad": 2, "batch_norm": True}
    net = models.build(settings, (1, 4, 4), 4)
    images, labels = torch.tensor(toy.train_images), torch.tensor(toy.train_labels)
    net(scaled(images))
    return net.eval().requires_grad_(False), images, labels


def test_every_point_is_a_network_in_training_mode_on_each_batch(conv):
    net, images, labels = conv
    layers = ablation.chosen(models.unit_layers(net), 3)
    units = sum(layers.values())
    orders, counts = ablation.orderings(units, 2, 0), ablation.grid(units, 4)
    found = ablation.cumulative(
        net, images, labels, layers=layers, orders=orders, ablated_counts=counts, values=zero(layers),
        norm_images=16,
    )  # fmt: skip
    trained = copy.deepcopy(net).train()
    for row, order in enumerate(orders):
        for column, count in enumerate(counts):
            with ablation.ablated(trained, layers, order[:count], zero(layers)):
                logits = torch.cat([trained(scaled(batch)) for batch in images.split(16)])
            right = float((logits.argmax(1) == labels).float().mean())
            assert found.accuracy[row, column] == right
            loss = float(nn.functional.cross_entropy(logits, labels))
            np.testing.assert_allclose(found.loss[row, column], loss, rtol=1e-4)


def test_what_was_kept_from_training_is_left_as_it_was_even_after_an_error(conv):
    net, images, _ = conv
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with own_statistics(net):
        net(scaled(images))
    with pytest.raises(RuntimeError, match="expected input"), own_statistics(net):
        net(scaled(images)[:, [0, 0]])
    after = net.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_only_the_part_after_the_first_ablated_layer_is_run_again(conv, monkeypatch):
    net, images, labels = conv
    made = []
    monkeypatch.setattr(ablation, "split", lambda *given: made.append(given) or split(*given))
    layers = ablation.chosen(models.unit_layers(net), 1)
    ablation.cumulative(
        net, images, labels, layers=layers, orders=ablation.orderings(32, 1, 0), values=zero(layers),
        ablated_counts=ablation.grid(32, 3), norm_images=32,
    )  # fmt: skip
    assert made


def test_a_batch_that_does_not_fit_into_memory_is_never_split(conv, monkeypatch):
    net, images, labels = conv
    parts = accumulate.in_parts
    monkeypatch.setattr(
        accumulate,
        "in_parts",
        lambda work, inputs, targets, first: parts(work, inputs[:8], targets[:8], first),
    )
    layers = ablation.chosen(models.unit_layers(net), 1)
    with pytest.raises(InputError, match="norm_images: 16 images do not fit into memory at once: lower it"):
        ablation.cumulative(
            net, images, labels, layers=layers, orders=ablation.orderings(32, 1, 0), values=zero(layers),
            ablated_counts=ablation.grid(32, 3), norm_images=16,
        )  # fmt: skip


def test_batches_are_drawn_from_all_classes_and_whole(caplog):
    images, labels = torch.arange(103)[:, None], torch.arange(103) // 11  # sorted by class
    drawn, theirs = whole_batches(images, labels, 20, "train", seed=0)
    assert len(drawn) == len(theirs) == 100
    assert len(drawn.unique()) == 100
    assert torch.equal(drawn[:, 0] // 11, theirs)
    assert all(len(batch.unique()) > 4 for batch in theirs.split(20))
    assert torch.equal(whole_batches(images, labels, 20, "train", seed=0)[1], theirs)
    assert not torch.equal(whole_batches(images, labels, 20, "train", seed=1)[1], theirs)
    assert "norm_images 20: 3 of 103 train images to score fill no batch and are left out" in caplog.text
    caplog.clear()
    assert len(whole_batches(images, labels, 103, "train", seed=0)[1]) == 103
    assert not caplog.text


def test_more_images_than_there_are_is_an_error_with_both_ways_out():
    said = (
        r"norm_images 4 is more than the 3 test images to score: "
        r"lower it, or use more images \(images, test_images\)$"
    )
    with pytest.raises(InputError, match=said):
        whole_batches(torch.zeros(3, 1), torch.zeros(3), 4, "test", seed=0)


ONE = {"progress": False, "analyses": ["ablate_cumulative"], "orderings": 4}


def test_an_own_network_in_plain_python(by_hand):
    net, images, labels = by_hand
    many = images.repeat(20, 1, 1, 1), labels.repeat(20)
    kept = analyse(net, ["relu1"], many, **ONE).tables
    own = analyse(net, ["relu1"], many, **ONE, ablate_cumulative={"norm_images": np.int64(40)}).tables
    for tables, scores in ((kept, {0.5}), (own, {0.5, 1.0})):  # without unit 1, class 1 never wins
        ablation = tables["ablation"]
        assert set(ablation[ablation["ablated"] == 1]["accuracy"]) == scores
    assert set(own["ablation"]["norm_images"]) == set(own["areas"]["norm_images"]) == {40}


def test_the_images_counted_are_those_scored(by_hand):
    net, images, labels = by_hand
    many = images.repeat(40, 1, 1, 1), labels.repeat(40)
    own = analyse(net, ["relu1"], many, **ONE, ablate_cumulative={"norm_images": 30}).tables  # of 80
    assert set(own["ablation"]["scored_images"]) == set(own["areas"]["scored_images"]) == {60}
    some = {"norm_images": 20, "images": 50}
    own = analyse(net, ["relu1"], many, **ONE, ablate_cumulative=some).tables
    assert set(own["ablation"]["scored_images"]) == {40}
    correct = (own["ablation"]["accuracy"] * 40).to_numpy()
    np.testing.assert_allclose(correct, correct.round())
    some["norm_images"] = np.int64(51)
    with pytest.raises(InputError, match="norm_images 51 is more than images 50; change one"):
        analyse(net, ["relu1"], many, **ONE, ablate_cumulative=some)


def test_a_network_without_batch_norm_is_measured_as_ever_and_the_user_told(by_hand):
    net, images, labels = by_hand
    del net.norm
    many = images.repeat(20, 1, 1, 1), labels.repeat(20)
    found = analyse(net, ["relu1"], many, **ONE, ablate_cumulative={"norm_images": 40})
    assert any("no batch norm, so norm_images is not used" in doubt for doubt in found.doubts)
    assert found.tables["ablation"].equals(analyse(net, ["relu1"], many, **ONE).tables["ablation"])


def test_curves_by_other_statistics_are_not_compared_silently(by_hand, caplog):
    net, images, labels = by_hand
    many = images.repeat(20, 1, 1, 1), labels.repeat(20)
    own, other = {"ablate_cumulative": {"norm_images": 40}}, {"ablate_cumulative": {"norm_images": 20}}
    kept, by_40, too, by_20 = (
        analyse(net, ["relu1"], many, **ONE, name=name, **how)
        for name, how in (("kept", {}), ("forty", own), ("too", own), ("twenty", other))
    )
    wanted = "Curves with batch norm compare only at the same `norm_images`: "
    for one, another, told in (
        (by_40, kept, "forty has 40, kept none"),
        (by_40, by_20, "forty has 40, twenty has 20"),
    ):
        caplog.clear()
        said = " ".join(text.get_text().replace("\n", " ") for text in one.compare(another).texts)
        assert f"{wanted}{told}." in said
        assert f"warning: comparison: {wanted}{told}." in caplog.text
    caplog.clear()
    by_40.compare(too)
    assert not caplog.text


class Functional(nn.Module):
    """Batch norm by a function, of buffers, by statistics kept from training."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("variance", torch.ones(2))

    def forward(self, x):
        return nn.functional.batch_norm(x, self.mean, self.variance, training=self.training)


class Subclass(nn.BatchNorm1d):
    """A batch norm with a forward of its own."""

    def forward(self, x):
        return (x - self.running_mean) / (self.running_var + self.eps).sqrt()


@pytest.mark.parametrize(
    ("norm", "said"),
    [
        (Functional(), "calls F.batch_norm itself, by the mean and variance kept from training: make it"),
        (nn.Sequential(nn.BatchNorm1d(2), Functional()), "calls F.batch_norm itself"),  # a part
        (
            Subclass(2),
            "own batch norm reads the mean and variance kept from training .* leave norm_images out",
        ),
    ],
)
def test_a_batch_norm_that_would_not_follow_is_refused(by_hand, norm, said):
    net, images, labels = by_hand
    net.norm = norm.eval()
    analyse(net, ["relu1"], (images, labels), **ONE)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(InputError, match=said):
        analyse(net, ["relu1"], (images, labels), **ONE, ablate_cumulative={"norm_images": 2})
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    "norm",
    [nn.BatchNorm1d(2, track_running_stats=False), nn.SyncBatchNorm(2), nn.BatchNorm1d(2, affine=False)],
)
def test_every_kind_of_module_follows(by_hand, norm):
    net, images, _ = by_hand
    net.norm = norm.eval()
    assert acts_on(net, images)
