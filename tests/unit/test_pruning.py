import pytest
import torch
from torch import nn

from directions import models
from directions.pruning import logits, stages
from directions.units import clamped, find_layer, split

IMAGES = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))
ON = torch.tensor([0, 2, 3])


def net(settings, model: str, **changed) -> nn.Sequential:
    """With batch norm far from its first statistics, so that folding shows; with loud weights."""
    made = models.build(settings | {"model": model} | changed, (3, 16, 16), 4).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(2)
    for weight in (p for p in made.parameters() if p.dim() > 1):
        weight.mul_(3)
    for norm in (module for module in made.modules() if isinstance(module, nn.BatchNorm2d)):
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            values.copy_(torch.rand(len(values), generator=random) + 0.1)
    return made


NETS = {
    "mlp": ("mlp", {}, "relu1"), "dropout": ("mlp", {"dropout": 0.5}, "relu1"),
    "conv11": ("conv11", {"width": 0.0625, "pad": 0, "batch_norm": True}, "relu9"),
    "without norm": ("conv11", {"width": 0.0625, "pad": 1, "batch_norm": False}, "relu2"),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("later", [False, True])
def test_answers_are_those_of_the_hooks(settings, name, later):
    model, changed, layer = NETS[name]
    made = net(settings, model, **changed)
    layers = models.unit_layers(made)
    head, tail = split(made, layer)
    last = list(layers)[-1]
    kept = {last: ON} if later else {}
    found = logits(stages(tail), head(IMAGES), ON, kept)
    every = {layer: ON} | kept
    hooks = [clamped(find_layer(made, at), off(layers[at], on)) for at, on in every.items()]
    with hooks[0], hooks[-1] if later else torch.no_grad():
        torch.testing.assert_close(found, made(IMAGES), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, made(IMAGES), rtol=1e-3)


def off(units: int, on: torch.Tensor) -> torch.Tensor:
    return torch.tensor([unit for unit in range(units) if unit not in on.tolist()])


def test_what_is_no_chain_of_known_layers_is_left_to_the_hooks(settings):
    resnet = net(settings, "resnet50", width=0.0625, pad=0)
    assert stages(split(resnet, "block16.relu1")[1]) is None
    strange = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    assert stages(split(strange, "1")[1]) is None
    unread = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2))
    assert stages(split(unread, "1")[1]) is None
    assert stages(nn.ModuleDict()) is None
