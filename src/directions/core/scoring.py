"""Loss and accuracy of a network on a set of images, one pass at a time.

Correct predictions are counted as integers and losses summed in float64, so the size of a pass affects only
the last digits of the loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from directions.core.types import Images

FEW = 10  # classes; among ten, five guesses are right half the time, so top-5 accuracy needs more
PASS_SIZE = 2000  # maximum images per forward pass: enough to keep a GPU busy with a dense network
PROBE = 2  # images for counting the activations per image: some networks refuse a batch of one
ELEMENTS = {"cpu": 2**25, "cuda": 2**28}  # maximum activations per pass, 4 bytes each, if all were kept


def scaled(images: Tensor) -> Tensor:
    """Convert uint8 images (n, c, h, w) to float32 in 0..1: the only preprocessing (docs/DEVIATIONS.md, D2).

    Floating point arrays, from a user's own data, are passed on unscaled, but as a copy, because the network
    may work in place.
    """
    if images.is_floating_point():
        return images.clone()
    return images.to(torch.float32).div_(255)


def passes(images: Images, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield consecutive (scaled images, labels) of at most `size` examples."""
    for chosen_images, chosen_labels in zip(images.split(size), labels.split(size), strict=True):
        yield scaled(chosen_images), chosen_labels


@torch.no_grad()
def pass_size(model: nn.Module, images: Images) -> int:
    """Return how many uint8 images (n, c, h, w) to run per pass for all activations to fit in `ELEMENTS`.

    Feature maps dominate: an image has 2,000 activations in a dense network, a million in a conv net.
    """
    count = 0

    def add(_module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal count
        parts = output if isinstance(output, tuple | list) else [output]  # a GRU returns its state as well
        count += sum(part.numel() for part in parts if isinstance(part, Tensor))

    leaves = [module for module in model.modules() if not any(module.children())]
    handles = [leaf.register_forward_hook(add) for leaf in leaves]
    training = model.training
    try:
        [probe] = images[:PROBE].split(PROBE)
        model.eval()(scaled(probe))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return max(
        1, min(PASS_SIZE, ELEMENTS.get(images.device.type, ELEMENTS["cpu"]) // max(1, count // len(probe)))
    )


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats, accuracy, and top-5 accuracy.

    The last is None if there are at most `FEW` classes.
    """

    loss: float
    accuracy: float
    accuracy_top5: float | None = None


def tally(logits: Tensor, labels: Tensor) -> tuple[float, int]:
    """Compute (summed cross-entropy in nats, number correct) from logits (n, classes)."""
    losses, correct = tally_each(logits[None], labels)
    return losses.item(), int(correct)


def tally_each(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same for k networks on the same images: logits (k, n, classes), results (k,)."""
    repeated = labels.expand(len(logits), -1).flatten()
    losses = cross_entropy(logits.flatten(0, 1).float(), repeated, reduction="none")
    correct = right(logits, labels).sum(-1)
    return losses.view(len(logits), -1).double().sum(1), correct


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """Return whether logits (..., n, classes) are largest for the true class (..., n); never with a NaN."""
    return (logits.argmax(-1) == labels) & ~logits.isnan().any(-1)


def correct_top5(logits: Tensor, labels: Tensor) -> int:
    """Count the images whose true class is among the five largest of logits (n, classes).

    The paper's measure on ImageNet (section 2.1). Among equal logits, the lower class number ranks first, as
    in argmax. Returns 0 without computing anything if top-5 is not used: see `has_top5`.
    """
    return int(correct_top5_each(logits[None], labels)) if has_top5(logits) else 0


def correct_top5_each(logits: Tensor, labels: Tensor) -> Tensor:
    """Do the same for logits (k, n, classes): counts (k,)."""
    right = logits.gather(-1, labels.expand(len(logits), -1)[..., None])
    earlier = torch.arange(logits.shape[-1], device=logits.device) < labels[:, None]
    ahead = ~(logits <= right) | (logits == right) & earlier  # NaN ranks first and never counts as correct
    return (ahead.sum(-1) < 5).sum(-1)


def has_top5(logits: Tensor) -> bool:
    """Return whether top-5 accuracy is computed for logits (..., classes)."""
    return logits.shape[-1] > FEW


class Totals(NamedTuple):
    """Summed cross-entropy in nats, number correct, and number correct among the top five."""

    loss: float
    correct: float
    top5: float

    def means(self, images: int, classes: int) -> Score:
        """Divide the sums by the number of images."""
        top5 = self.top5 / images if classes > FEW else None
        return Score(self.loss / images, self.correct / images, top5)


@torch.no_grad()
def totals(model: nn.Module, images: Images, labels: Tensor, size: int | None = None) -> tuple[Totals, int]:
    """Compute (sums over images uint8 (n, c, h, w) with labels (n,), number of classes), in evaluation mode.

    size: images per pass, None: see `pass_size`.
    """
    training = model.training
    model.eval()
    loss, correct, top5 = 0.0, 0, 0
    for inputs, targets in passes(images, labels, size or pass_size(model, images)):
        logits = model(inputs)
        added_loss, added_correct = tally(logits, targets)
        loss, correct = loss + added_loss, correct + added_correct
        top5 += correct_top5(logits, targets)
    model.train(training)
    return Totals(loss, correct, top5), logits.shape[1]


def evaluate(model: nn.Module, images: Images, labels: Tensor, size: int | None = None) -> Score:
    """Score `model` on uint8 images (n, c, h, w) and labels (n,); see `totals`."""
    sums, classes = totals(model, images, labels, size)
    return sums.means(len(labels), classes)
