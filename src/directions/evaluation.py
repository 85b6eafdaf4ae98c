"""Loss and accuracy of a network on a set of images, a pass at a time.

Correct answers are counted as integers and losses summed in float64, so the size of a pass changes nothing
but rounding in the last digits of the loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

PASS_SIZE = 2000  # images per forward pass: fits the memory of a small GPU, large enough to keep it busy


def scaled(images: Tensor) -> Tensor:
    """uint8 images (n, c, h, w) as float32 in 0..1: the only preprocessing (docs/DEVIATIONS.md, D2)."""
    return images.to(torch.float32).div_(255)


def passes(images: Tensor, labels: Tensor, size: int = PASS_SIZE) -> Iterator[tuple[Tensor, Tensor]]:
    """Consecutive (scaled images, labels) of at most `size` examples."""
    for chosen_images, chosen_labels in zip(images.split(size), labels.split(size), strict=True):
        yield scaled(chosen_images), chosen_labels


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats and share of correct answers."""

    loss: float
    accuracy: float


def tally(logits: Tensor, labels: Tensor) -> tuple[float, int]:
    """(summed cross-entropy in nats, number of correct answers) of logits (n, classes)."""
    losses = cross_entropy(logits.float(), labels, reduction="none")
    return losses.double().sum().item(), int((logits.argmax(1) == labels).sum())


@torch.no_grad()
def evaluate(model: nn.Module, images: Tensor, labels: Tensor, size: int = PASS_SIZE) -> Score:
    """Score of `model`, in evaluation mode, on uint8 images (n, c, h, w) and labels (n,)."""
    training = model.training
    model.eval()
    loss, correct = 0.0, 0
    for inputs, targets in passes(images, labels, size):
        added_loss, added_correct = tally(model(inputs), targets)
        loss, correct = loss + added_loss, correct + added_correct
    model.train(training)
    return Score(loss / len(labels), correct / len(labels))
