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
    logits = model(images.float().div(255).double())
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)
    for k in range(logits.shape[1]):
        rows = [
            torch.cat(
                [g.flatten() for g in torch.autograd.grad(one, list(model.parameters()), retain_graph=True)]
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


def test_dense_layers_need_not_be_told_apart_from_others():
    """Two ways to the same kernel: by layers, and by gradients."""
    model = network("mlp")
    assert ntk.dense(model)
    assert not ntk.dense(network("conv11"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ntk, "dense", lambda model: False)
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
