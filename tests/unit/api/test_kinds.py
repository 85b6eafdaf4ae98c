"""Kinds of networks that PyTorch runs: each gives plain PyTorch's numbers, or is refused with the way out."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.ao import quantization
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from directions import analyse
from directions.core.errors import InputError
from directions.interventions.layers import find
from directions.models import user as own_network
from directions.models import user_weights
from unit.interventions.test_self_check import FEW, LAYERS, Net, check

pytestmark = pytest.mark.filterwarnings("ignore")  # of what PyTorch is about to replace


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(60, 20, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 4


def pruned() -> nn.Module:
    network = Net()
    prune.l1_unstructured(network.fc1, "weight", 0.4)
    return network


def changed(change) -> nn.Module:
    network = Net()
    change(network.fc1)
    return network


def quantised(*, observing: bool) -> nn.Module:
    network = Net().train()
    network.qconfig = quantization.get_default_qat_qconfig("fbgemm")
    network.fc0.qconfig = None
    network = quantization.prepare_qat(network)
    network(torch.randn(30, 20))
    return network if observing else network.apply(quantization.disable_observer)


@pytest.mark.parametrize("made", [
    pruned,
    *(lambda change=change: changed(change) for change in (
        weight_norm, parametrizations.weight_norm, spectral_norm, parametrizations.spectral_norm,
    )),
    lambda: quantised(observing=False),
])  # fmt: skip
def test_weights_that_are_computed_from_others_are_those_of_pytorch(made, data):
    network = made()
    network(data[0])  # what is computed has a gradient now
    network.eval()
    check(network, analyse(network, list(LAYERS), data, **FEW), data)


class Lazy(Net):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.LazyLinear(12)


def test_lazy_modules_need_one_pass_or_weights(data):
    with pytest.raises(InputError, match=r"fc1.weight has no values yet.*call network\(images\[:2\]\) once"):
        analyse(Lazy(), list(LAYERS), data, **FEW)
    network = Lazy().eval()
    network(data[0])
    check(network, analyse(network, list(LAYERS), data, **FEW), data)
    again = Lazy()
    user_weights.fit(again, network.state_dict(), "weights")
    found = find(again, list(LAYERS), (20,)).model
    assert torch.equal(found(data[0]), network(data[0]))


def test_a_lazy_factory_without_weights_is_always_drawn_the_same(monkeypatch):
    monkeypatch.setattr(own_network, "made", lambda _factory: Lazy())
    first, second = (own_network.imported({"build": "nets.py:build"}, (20,)) for _ in range(2))
    assert torch.equal(first.fc1.weight, second.fc1.weight)


@dataclass
class Output:
    logits: torch.Tensor
    loss: object = None


@pytest.mark.parametrize("answer", [
    lambda logits, hidden: (logits, hidden),
    lambda logits, hidden: [hidden, logits],
    lambda logits, _hidden: (logits, None),
    lambda logits, hidden: {"loss": None, "logits": logits, "hidden": hidden},
    lambda logits, _hidden: {"out": logits},
    lambda logits, _hidden: Output(logits),
])  # fmt: skip
@pytest.mark.parametrize("layers", [list(LAYERS), {"fc1": "relu", "fc2": "relu"}])
def test_logits_are_found_in_what_a_network_answers(answer, layers, data):
    class Answering(Net):
        def forward(self, x, labels=None):
            hidden = self.relu1(self.fc1(self.first(x)))
            logits = self.out(self.relu2(self.fc2(hidden)))
            return answer(logits, hidden) if labels is None else labels

    found = analyse(Answering(), layers, data, **FEW)
    check(Net().eval(), found, data)


def test_an_answer_in_which_logits_cannot_be_told_is_refused(data):
    class Two(Net):
        def forward(self, x):
            return super().forward(x), super().forward(x)

    with pytest.raises(
        InputError, match=r"for 2 images the network returns tuple \(0: \(2, 4\), 1: \(2, 4\)\)"
    ):
        analyse(Two(), list(LAYERS), data, **FEW)

    class Nothing(Net):
        def forward(self, x):
            return SimpleNamespace(scores=super().forward(x))

    with pytest.raises(InputError, match=r"returns SimpleNamespace \(no tensors\).*in a dict under `logits`"):
        analyse(Nothing(), list(LAYERS), data, **FEW)


class Training(Net):
    """Puts its batch norm into training mode itself."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(16)

    def first(self, x):
        return self.norm.train()(super().first(x))


class Complex(Net):
    def forward(self, x):
        return super().forward(x).to(torch.complex64)


@pytest.mark.parametrize(("made", "said"), [
    (lambda: quantised(observing=True), "fc1.weight_fake_quant still has .*disable_observer"),
    (Training, "norm is in training mode though the network was put in evaluation mode"),
    (Complex, "returns torch.complex64: logits must be floating point"),
])  # fmt: skip
def test_networks_whose_answers_are_not_their_own_are_refused(made, said, data):
    with pytest.raises(InputError, match=said):
        analyse(made(), list(LAYERS), data, **FEW)


def test_answers_that_depend_on_the_other_images_are_doubted(data):
    class Centred(Net):
        def first(self, x):
            return super().first(x - x.mean(0))

    found = analyse(Centred(), list(LAYERS), data, **FEW)
    assert any("depend on the other images in the batch" in doubt for doubt in found.doubts)
    assert not any("depend on" in doubt for doubt in analyse(Net(), list(LAYERS), data, **FEW).doubts)


def test_labels_that_do_not_start_at_0_are_doubted(data):
    found = analyse(Net(), list(LAYERS), (data[0], data[1].clamp(min=1)), **FEW)
    assert any("no training image has label 0, labels start at 1" in doubt for doubt in found.doubts)
    assert np.isfinite(found.tables["runs"]["train_loss"]).all()


def test_a_path_around_the_layers_is_doubted(data):
    class Around(Net):
        def forward(self, x):
            return super().forward(x) + x[:, :4]

    found = analyse(Around(), list(LAYERS), data, **FEW)
    assert any("some path bypasses these layers" in doubt for doubt in found.doubts)
    assert not any(
        "some path bypasses" in doubt for doubt in analyse(Net(), list(LAYERS), data, **FEW).doubts
    )
