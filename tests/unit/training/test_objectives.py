"""The gradients that each objective gives, against their formulas."""

import pytest
import torch
from torch import nn

from directions.training.objectives import Limit, mae

CLASSES, IMAGES = 5, 8


def drawn(seed: int) -> torch.Tensor:
    return torch.randn(IMAGES, CLASSES, generator=torch.Generator().manual_seed(seed))


class Logits(nn.Module):
    """A network whose logits are its parameters, so that these get the gradients at the logits."""

    def __init__(self, seed: int):
        super().__init__()
        self.logits = nn.Parameter(drawn(seed))

    def forward(self, images):
        return self.logits


LABELS = torch.arange(IMAGES) % CLASSES
IMAGE = torch.zeros(IMAGES, 1)


def gradients(labels=LABELS, **changed) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients at the logits of the classifier and of the auxiliary network."""
    classifier, auxiliary = Logits(0), Logits(1)
    settings = {"laplace": True, "pull": 0.0} | changed
    Limit(auxiliary, **settings)(classifier, IMAGE, labels).backward()
    return classifier.logits.grad, auxiliary.logits.grad


@pytest.mark.parametrize("laplace", [False, True])
@pytest.mark.parametrize("pull", [0.0, 3.0])
def test_the_classifier_gets_the_predicted_gradient_whatever_the_labels_are(laplace, pull):
    predicted = drawn(0).softmax(1) - drawn(1).softmax(1)
    for labels in (LABELS, LABELS.flip(0)):
        found, _ = gradients(labels, laplace=laplace, pull=pull)
        assert torch.allclose(found, predicted / IMAGES, atol=1e-7)
    found, _ = gradients(laplace=laplace, pull=pull, summed=True)
    assert torch.allclose(found, predicted, atol=1e-6)


def test_without_pull_the_auxiliary_network_of_laplace_is_trained_by_the_absolute_error():
    plain = Logits(1)
    mae(plain, IMAGE, LABELS).backward()
    _, found = gradients()
    assert torch.allclose(found, plain.logits.grad, atol=1e-7)


def test_the_absolute_error_is_that_of_the_probabilities():
    onehot = torch.eye(CLASSES)[LABELS]
    wanted = (onehot - drawn(1).softmax(1)).abs().sum(1).mean()
    assert mae(Logits(1), IMAGE, LABELS).item() == pytest.approx(wanted.item(), rel=1e-6)


class Scaling(Logits):
    """A network that scales its images in place."""

    def forward(self, images):
        images.mul_(2)
        return self.logits * images


def test_a_network_that_works_in_place_does_not_change_what_the_other_one_sees():
    classifier, auxiliary, images = Scaling(0), Scaling(1), torch.ones(IMAGES, 1)
    Limit(auxiliary, laplace=True, pull=0.0)(classifier, images, LABELS).backward()
    predicted = (2 * drawn(0)).softmax(1) - (2 * drawn(1)).softmax(1)
    assert torch.allclose(classifier.logits.grad, 2 * predicted / IMAGES, atol=1e-6)


@pytest.mark.parametrize("laplace", [False, True])
def test_the_auxiliary_network_minimises_its_error_and_the_size_of_what_it_predicts(laplace):
    logits, others = drawn(0), drawn(1).requires_grad_()
    predicted = logits.softmax(1) - others.softmax(1)
    true = logits.softmax(1) - torch.eye(CLASSES)[LABELS]
    fit = (predicted - true).abs() if laplace else (predicted - true) ** 2
    (fit.sum(1) + 3 * (predicted**2).sum(1)).mean().backward()
    _, found = gradients(laplace=laplace, pull=3.0)
    assert torch.allclose(found, others.grad, atol=1e-7)


@pytest.mark.parametrize(("laplace", "sd"), [(False, 0.1), (True, 2**0.5 / 50)])
def test_drawn_gradients_scatter_around_the_predicted_ones_as_their_precision_says(laplace, sd):
    torch.manual_seed(0)
    predicted = drawn(0).softmax(1) - drawn(1).softmax(1)
    noise = torch.stack([
        gradients(laplace=laplace, sample=50.0, summed=True)[0] - predicted for _ in range(500)
    ])  # fmt: skip
    assert noise.mean().item() == pytest.approx(0, abs=4 * sd / noise.numel() ** 0.5)
    assert noise.std().item() == pytest.approx(sd, rel=0.03)
