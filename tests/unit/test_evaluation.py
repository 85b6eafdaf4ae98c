import pytest
import torch
from torch import nn

from directions import evaluation, models
from directions.evaluation import evaluate, pass_size

IMAGES = torch.randint(0, 255, (9, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def conv() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3)
    return nn.Sequential(*layers)


def test_a_pass_of_feature_maps_fits_the_memory_and_of_dense_units_is_large(settings, monkeypatch):
    monkeypatch.setitem(evaluation.ELEMENTS, "cpu", 10_000)
    assert pass_size(conv(), IMAGES) == 10_000 // (4 * 256 + 3)  # conv, norm, ReLU, flatten; read-out
    monkeypatch.setitem(evaluation.ELEMENTS, "cpu", 10)
    assert pass_size(conv(), IMAGES) == 1
    monkeypatch.undo()
    dense = models.build(settings | {"hidden": [2048, 2048]}, (1, 28, 28), 10)
    assert pass_size(dense, torch.zeros(1, 1, 28, 28, dtype=torch.uint8)) == evaluation.PASS_SIZE


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
