"""Every activation that torch has is found, as a module and as a function, and its units ablated right."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from directions.interventions import ablation
from directions.interventions.activations import MODULES
from directions.interventions.chain import is_elementwise
from directions.interventions.layers import catalogue, find
from directions.interventions.names import ACTIVATIONS

MIXED = {
    "GLU",
    "MultiheadAttention",
    "Softmin",
    "Softmax",
    "Softmax2d",
    "LogSoftmax",
}  # one output, many inputs
ARGUMENTS = {"threshold": (0.1, 0.2)}


class Function(nn.Module):
    """Two dense layers, the first followed by an activation that is called as a function."""

    def __init__(self, name: str, **given):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(5, 7), nn.Linear(7, 4)
        self.slope = nn.Parameter(torch.full((7,), 0.25))
        self.name, self.given = name, given

    def forward(self, x):
        h = self.fc1(x.flatten(1))
        if self.name == "prelu":
            return self.fc2(functional.prelu(h, self.slope))
        return self.fc2(getattr(functional, self.name)(h, *ARGUMENTS.get(self.name, ()), **self.given))


def images() -> torch.Tensor:
    return torch.rand(6, 1, 1, 5, generator=torch.Generator().manual_seed(0))


def module(kind: type) -> nn.Module:
    if kind is nn.Threshold:
        return kind(*ARGUMENTS["threshold"])
    made = kind(7) if kind is nn.PReLU else kind()
    for slopes in made.parameters():
        nn.init.uniform_(slopes)
    return made


def test_no_activation_of_torch_is_forgotten():
    known = {kind.__name__ for kind in MODULES}
    assert known | MIXED == set(nn.modules.activation.__all__)
    assert ["none", *MODULES.values()] == list(ACTIVATIONS)


def test_slopes_of_single_channels_are_not_taken_for_an_elementwise_map():
    assert is_elementwise(nn.PReLU())
    assert not is_elementwise(nn.PReLU(7))


@pytest.mark.parametrize("kind", MODULES)
def test_a_clamped_unit_is_0_behind_every_activation_on_the_fast_way_and_by_hooks(kind):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(5, 7), module(kind), nn.Linear(7, 4)).eval()
    found = find(network, "all activations", (1, 1, 5))
    assert found.layers == {"2": 7}
    orders = ablation.orderings(7, 2, 0)
    curves = [
        ablation.cumulative(
            found.model, images(), torch.arange(6) % 4, layers=found.layers, orders=orders,
            ablated_counts=range(8), values={"2": 0.0}, by_hooks=by_hooks,
        )
        for by_hooks in (False, True)
    ]  # fmt: skip
    with torch.no_grad():
        for order, losses in zip(orders, curves[0].loss, strict=True):
            hidden = network[:3](images())
            for unit, loss in zip(order, losses[1:], strict=True):
                hidden[:, unit] = 0
                assert loss == pytest.approx(
                    float(functional.cross_entropy(network[3](hidden), torch.arange(6) % 4)), abs=1e-5
                )
    assert curves[0].loss == pytest.approx(curves[1].loss, abs=1e-5)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in ("none", "prelu")])
def test_every_activation_function_becomes_a_module(name):
    torch.manual_seed(0)
    network = Function(name).eval()
    shown = catalogue(network, (1, 1, 5))
    assert list(shown.loc[shown["activation"], "layer"]) == [f"fc1_{name}"]
    with torch.no_grad():
        assert torch.equal(find(network, "all activations", (1, 1, 5)).model(images()), network(images()))


def test_an_activation_whose_slopes_are_learned_is_told_when_it_is_a_function(caplog):
    catalogue(Function("prelu"), (1, 1, 5))
    assert "prelu after fc1 is not among the activations" in caplog.text
    assert "nn.PReLU" in caplog.text


def test_the_input_of_an_activation_may_be_named():
    class Named(Function):
        def forward(self, x):
            return self.fc2(functional.elu(input=self.fc1(x.flatten(1)), alpha=0.5))

    network = Named("elu").eval()
    found = find(network, "all activations", (1, 1, 5))
    assert found.layers == {"fc1_elu": 7}
    with torch.no_grad():
        assert torch.equal(found.model(images()), network(images()))
