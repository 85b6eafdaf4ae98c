"""The tangent kernel against products of gradients that autograd takes one by one."""

import pytest
import torch
from torch import nn

from directions import models
from directions.analyses import tangent_kernel as ntk

torch.manual_seed(0)
IMAGES = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
SETTINGS = {"hidden": [7, 5], "dropout": 0.2, "width": 1 / 16, "batch_norm": True, "pad": 0, "init": "he"}


def network(model: str) -> nn.Module:
    return models.build(SETTINGS | {"model": model, "seed": 1}, (1, 8, 8), 4)


def by_hand(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Products of all gradients, mean over the outputs."""
    model = model.eval().double().requires_grad_(True)
    logits = model(images.float().div(255).double().clone())
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)
    for k in range(logits.shape[1]):
        rows = [
            torch.cat(
                [
                    g.flatten()
                    for g in torch.autograd.grad(
                        one, list(model.parameters()), retain_graph=True, materialize_grads=True
                    )
                ]
            )
            for one in logits[:, k]
        ]
        kernel += torch.stack(rows) @ torch.stack(rows).T / logits.shape[1]
    return kernel


@pytest.mark.parametrize("model", ["mlp", "conv11"])
def test_it_is_the_product_of_gradients(model):
    found = ntk.tangent_kernel(network(model), IMAGES)
    torch.testing.assert_close(found, by_hand(network(model), IMAGES), rtol=1e-9, atol=0)


@pytest.mark.parametrize("model", ["mlp", "conv11"])
def test_between_two_sets_it_is_a_block_of_that_of_both(model):
    whole = ntk.tangent_kernel(network(model), IMAGES)
    torch.testing.assert_close(ntk.tangent_kernel(network(model), IMAGES[:2], IMAGES[2:]), whole[:2, 2:])


def test_memory_is_bounded_and_the_result_is_the_same(monkeypatch):
    whole = ntk.tangent_kernel(network("conv11"), IMAGES)
    monkeypatch.setattr(ntk, "GRADIENTS", 2 * 4 * models.parameter_count(network("conv11")))  # two images
    torch.testing.assert_close(ntk.tangent_kernel(network("conv11"), IMAGES), whole)
    torch.testing.assert_close(ntk.tangent_kernel(network("conv11"), IMAGES[:5], IMAGES), whole[:5])


class Strange(nn.Module):
    """Dense layers in ways in which no layer's inputs and signals tell all of its gradient, or in place."""

    def __init__(self, how: str):
        super().__init__()
        self.how = how
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
        self.head, self.unused = nn.Linear(64, 3), nn.Linear(8, 2)
        if how == "tied weights":
            self.second.weight = self.first.weight
        if how == "another weight":
            self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.how == "in place":
            images.sub_(0.5)
        rows = images.flatten(0, 2)  # 8 rows of every image, which is not what a dense layer of vectors sees
        found = self.first(rows).relu()
        found = self.second(self.first(found) if self.how == "called twice" else found)
        self.unused(found)
        found = found * getattr(self, "scale", 1)
        return self.head(found.view(len(images), 64))


STRANGE = ("rows of images", "called twice", "tied weights", "another weight", "in place")


@pytest.mark.parametrize("how", STRANGE)
def test_dense_layers_called_in_another_way_are_right_too(how, monkeypatch):
    torch.manual_seed(1)
    model = Strange(how)
    monkeypatch.setattr(ntk, "GRADIENTS", 2 * 3 * models.parameter_count(model))  # two images at a time
    found = ntk.tangent_kernel(model, IMAGES)
    torch.testing.assert_close(found, by_hand(model, IMAGES), rtol=1e-6, atol=0)


class Vectors(Strange):
    """The same, on one vector per image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = images.flatten(1)
        if self.how == "in place":
            images.sub_(0.5)
        found = torch.relu_(self.first(images[:, :8]))
        found = self.second(self.first(found) if self.how == "called twice" else found)
        self.unused(found)
        return self.head(torch.cat([found.relu_() * getattr(self, "scale", 1), images[:, 8:]], 1))


@pytest.mark.parametrize("how", STRANGE)
def test_vectors_with_work_in_place_and_a_layer_that_nobody_reads(how):
    torch.manual_seed(1)
    model = Vectors(how)
    assert ntk.dense(model, IMAGES[:2].float()) == (how in ("rows of images", "in place"))
    found = ntk.tangent_kernel(model, IMAGES)
    torch.testing.assert_close(found, by_hand(model, IMAGES), rtol=1e-6, atol=0)


def test_dense_layers_need_not_be_told_apart_from_others():
    """Two ways to the same kernel: by layers, and by gradients."""
    model = network("mlp")
    assert ntk.dense(model, IMAGES.float())
    assert not ntk.dense(network("conv11"), IMAGES.float())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ntk, "dense", lambda model, images: False)
        other = ntk.tangent_kernel(model, IMAGES)
    torch.testing.assert_close(ntk.tangent_kernel(model, IMAGES), other, rtol=1e-9, atol=0)


def test_a_layer_without_bias_has_no_gradient_for_one():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    torch.testing.assert_close(ntk.tangent_kernel(model, IMAGES), by_hand(model, IMAGES), rtol=1e-6, atol=0)


def test_the_network_stays_as_it_is():
    model = network("mlp").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():  # as a user may have it
        ntk.tangent_kernel(model, IMAGES)
    assert model.training
    for name, value in model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, before[name])
    assert not any(module._forward_hooks for module in model.modules())
