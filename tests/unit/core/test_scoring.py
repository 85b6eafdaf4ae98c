import pytest
import torch
from torch import nn

from directions import models
from directions.core import scoring
from directions.core.scoring import correct_top5, evaluate, pass_size, tally

IMAGES = torch.randint(0, 255, (9, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def conv() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3)
    return nn.Sequential(*layers)


def test_a_pass_of_feature_maps_fits_the_memory_and_of_dense_units_is_large(settings, monkeypatch):
    monkeypatch.setitem(scoring.ELEMENTS, "cpu", 10_000)
    assert pass_size(conv(), IMAGES) == 10_000 // (4 * 256 + 3)  # conv, norm, ReLU, flatten; read-out
    monkeypatch.setitem(scoring.ELEMENTS, "cpu", 10)
    assert pass_size(conv(), IMAGES) == 1
    monkeypatch.undo()
    dense = models.build(settings | {"hidden": [2048, 2048]}, (1, 28, 28), 10)
    assert pass_size(dense, torch.zeros(1, 1, 28, 28, dtype=torch.uint8)) == scoring.PASS_SIZE


def test_sizing_a_pass_leaves_the_network_as_it_was():
    net = conv().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    pass_size(net, IMAGES)
    assert net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("size", [1, 4, 9])
def test_scores_do_not_depend_on_the_size_of_a_pass_nor_on_training_mode(size):
    net, labels = conv().train(), torch.arange(9) % 3
    whole = evaluate(net, IMAGES, labels)
    parts = evaluate(net.eval(), IMAGES, labels, size)
    assert parts.accuracy == whole.accuracy
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)


# --- top-5 accuracy: 12 classes, each image's logits fall from 11 to 0 along an order of its own ---


class Given(nn.Module):
    """Answers with the logits that the first row of the image spells out."""

    def forward(self, images):
        return (images[:, 0, 0] * 255).round()


def test_top5_counts_who_is_among_the_first_five():
    places = [0, 1, 4, 5, 11]  # where the right class, number 7, stands in each image's order
    images = torch.zeros(5, 1, 1, 12, dtype=torch.uint8)
    for image, place in zip(images, places, strict=True):
        order = [label for label in range(12) if label != 7]
        order.insert(place, 7)
        image[0, 0, order] = torch.arange(11, -1, -1, dtype=torch.uint8)
    labels = torch.full((5,), 7)
    for size in (1, 2, 5):
        found = evaluate(Given(), images, labels, size)
        assert (found.accuracy, found.accuracy_top5) == (1 / 5, 3 / 5)


def test_of_equal_logits_the_first_five_classes_count_and_no_others():
    every = torch.arange(12)
    flat = torch.zeros(12, 12)
    assert [correct_top5(flat[:1], every[k : k + 1]) for k in range(12)] == [1] * 5 + [0] * 7
    assert tally(flat, every)[1] == 1  # as argmax has it: class 0
    flat[:, 9] = 1.0  # ahead of all: the class in fifth place falls out
    hits = [correct_top5(flat[:1], every[k : k + 1]) for k in range(12)]
    assert hits == [1] * 4 + [0] * 5 + [1] + [0] * 2


def test_top5_agrees_with_a_sort_and_right_answers_are_among_it():
    logits = torch.randn(500, 30, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(500) % 30
    first = logits.sort(1, descending=True).indices[:, :5]
    assert correct_top5(logits, labels) == sum(int(k) in row for k, row in zip(labels, first, strict=True))
    assert correct_top5(logits, logits.argmax(1)) == 500


def test_what_is_no_number_is_never_right():
    logits = torch.zeros(2, 12)
    logits[0] = torch.nan  # the whole answer
    logits[1, 3:8] = torch.nan  # five classes, which come first
    assert correct_top5(logits, torch.tensor([0, 0])) == 0


def test_nan_is_no_right_answer_for_class_0():
    logits = torch.tensor([[1.0, 0.0], [torch.nan, 0.0], [torch.nan, torch.nan]])
    assert tally(logits, torch.zeros(3, dtype=torch.long))[1] == 1


def test_few_classes_have_no_top5_accuracy():
    logits, labels = torch.eye(12), torch.arange(12)
    assert correct_top5(logits[:10, :10], labels[:10]) == 0
    images = torch.zeros(4, 1, 1, 10, dtype=torch.uint8)
    assert evaluate(Given(), images, torch.zeros(4, dtype=torch.long)).accuracy_top5 is None
    images = torch.zeros(4, 1, 1, 11, dtype=torch.uint8)
    assert evaluate(Given(), images, torch.zeros(4, dtype=torch.long)).accuracy_top5 == 1
