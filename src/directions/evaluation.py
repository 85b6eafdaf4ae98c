"""Loss and accuracy of a network on a set of images, a pass at a time.

Correct answers are counted as integers and losses summed in float64, so the size of a pass changes nothing
but rounding in the last digits of the loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

FEW = 10  # classes; of ten, five guesses are right half the time, so top-5 accuracy needs more of them
PASS_SIZE = 2000  # most images per forward pass: enough to keep a GPU busy with a dense network
PROBE = 2  # images that tell how many activations one has: some networks refuse a single one
ELEMENTS = {"cpu": 2**25, "cuda": 2**28}  # most activations of one pass, 4 bytes each, were all of them kept


def scaled(images: Tensor) -> Tensor:
    """uint8 images (n, c, h, w) as float32 in 0..1: the only preprocessing (docs/DEVIATIONS.md, D2).

    Floating point numbers, of data of the user's own, are what the network takes: a copy of them, for it may
    work in place.
    """
    if images.is_floating_point():
        return images.clone()
    return images.to(torch.float32).div_(255)


def passes(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Consecutive (scaled images, labels) of at most `size` examples."""
    for chosen_images, chosen_labels in zip(images.split(size), labels.split(size), strict=True):
        yield scaled(chosen_images), chosen_labels


@torch.no_grad()
def pass_size(model: nn.Module, images: Tensor) -> int:
    """How many of these uint8 images (n, c, h, w) one pass takes, so that all its activations fit `ELEMENTS`.

    Feature maps make it: an image has 2,000 activations in a dense network, a million in a conv net.
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
    """Mean cross-entropy in nats, share of correct answers, share with the right class among the first five.

    The last is None where there are only `FEW` classes.
    """

    loss: float
    accuracy: float
    accuracy_top5: float | None = None


def tally(logits: Tensor, labels: Tensor) -> tuple[float, int]:
    """(summed cross-entropy in nats, number of correct answers) of logits (n, classes)."""
    losses, correct = tally_each(logits[None], labels)
    return losses.item(), int(correct)


def tally_each(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The same for the answers of k networks to the same images: logits (k, n, classes), results (k,)."""
    repeated = labels.expand(len(logits), -1).flatten()
    losses = cross_entropy(logits.flatten(0, 1).float(), repeated, reduction="none")
    correct = right(logits, labels).sum(-1)
    return losses.view(len(logits), -1).double().sum(1), correct


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """Tell which logits (..., n, classes) are largest for the right class (..., n); NaN never is."""
    return (logits.argmax(-1) == labels) & ~logits.isnan().any(-1)


def correct_top5(logits: Tensor, labels: Tensor) -> int:
    """Number of answers that have the right class among their first five, from logits (n, classes).

    The paper counts so on ImageNet (section 2.1). Of classes with equal logits the one with the lower number
    comes first, as for argmax. 0, and no work, where it is not counted: see `has_top5`.
    """
    return int(correct_top5_each(logits[None], labels)) if has_top5(logits) else 0


def correct_top5_each(logits: Tensor, labels: Tensor) -> Tensor:
    """The same for logits (k, n, classes): numbers (k,)."""
    right = logits.gather(-1, labels.expand(len(logits), -1)[..., None])
    earlier = torch.arange(logits.shape[-1], device=logits.device) < labels[:, None]
    ahead = ~(logits <= right) | (logits == right) & earlier  # what is no number comes first, never right
    return (ahead.sum(-1) < 5).sum(-1)


def has_top5(logits: Tensor) -> bool:
    """Whether top-5 accuracy is counted for logits (..., classes)."""
    return logits.shape[-1] > FEW


class Totals(NamedTuple):
    """Summed cross-entropy in nats, numbers of correct answers and of those right among the first five."""

    loss: float
    correct: int
    top5: int

    def means(self, images: int, classes: int) -> Score:
        """What these sums over so many images are per image."""
        top5 = self.top5 / images if classes > FEW else None
        return Score(self.loss / images, self.correct / images, top5)


@torch.no_grad()
def totals(model: nn.Module, images: Tensor, labels: Tensor, size: int | None = None) -> tuple[Totals, int]:
    """(sums over images uint8 (n, c, h, w) with labels (n,), number of classes), in evaluation mode.

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


def evaluate(model: nn.Module, images: Tensor, labels: Tensor, size: int | None = None) -> Score:
    """Score of `model` on uint8 images (n, c, h, w) and labels (n,); see `totals`."""
    sums, classes = totals(model, images, labels, size)
    return sums.means(len(labels), classes)
