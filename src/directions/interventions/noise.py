"""Gaussian noise on all units at once: random instead of single directions (section 3.1, Figure 2).

Noise is added after the ReLU, fresh for every image and element, with the standard deviation
`noise_sd_ratio` times the unit's own over the training set (docs/DEVIATIONS.md, D5). The draws of a repeat
are the same at every ratio, so a curve reflects the size of the noise and not the luck of the draw.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.scoring import pass_size, tally
from directions.core.seeds import torch_stream
from directions.core.types import Images
from directions.interventions import self_check
from directions.interventions.accumulate import Unfinished, over_images
from directions.interventions.hooks import edited, find_layer, split

BLOCK = 100  # images that share a generator: draws belong to the image, whatever the size of a pass
ELEMENTS = 2**25  # most draws in a block, 4 bytes each: with more elements per image, fewer images share one


def ratios(lowest: float, highest: float, points: int) -> np.ndarray:
    """Return 0 (untouched) and `points` log-spaced noise-to-unit ratios of standard deviations (D6)."""
    return np.concatenate([[0.0], np.geomspace(lowest, highest, points)])


def block_size(spread: Mapping[str, Tensor]) -> int:
    """Return the images per generator; depends only on the number of elements in the noisy layers."""
    elements = sum(sd.numel() for sd in spread.values())
    return min(BLOCK, max(1, ELEMENTS // elements))


def draws(
    key: tuple[object, ...], start: int, count: int, shape: tuple[int, ...], device: torch.device, size: int
) -> Tensor:
    """Draw standard normal (count, *shape) for images start..start+count, independent of their grouping.

    size: images per generator, see `block_size`.
    """
    blocks = [
        torch.randn(
            (size, *shape),
            generator=torch_stream("noise", *key, block, device=str(device)),
            device=device,
        )
        for block in range(start // size, -(-(start + count) // size))
    ]
    return torch.cat(blocks)[start % size : start % size + count]


@torch.no_grad()
def add_noise(
    model: nn.Module,
    images: Images,
    labels: Tensor,
    *,
    spread: Mapping[str, Tensor],
    noise_sd_ratios: np.ndarray,
    repeats: int,
    seed: int,
    size: int | None = None,
    unfinished: Unfinished | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Measure (loss, accuracy), each (repeats, ratios), with noise on the units of all layers in `spread`.

    images: uint8 (n, c, h, w); labels: (n,). spread: {layer: standard deviation of its units (units, ...)
    over the training set}, as from `hooks.moments`; each element of a feature map has its own (D5).
    size: images per pass; None: as many as memory allows, in whole blocks, so that none is drawn twice.
    unfinished: the partial sums of an interrupted analysis.
    """
    block = block_size(spread)
    size = size or max(block, pass_size(model, images) // block * block)
    head, tail = _parts(model, spread, images)
    shape = (2, repeats, len(noise_sd_ratios))  # summed losses, number correct

    def add(inputs: Tensor, targets: Tensor, first: int) -> np.ndarray:
        added, activation = np.zeros(shape), head(inputs)
        for repeat in range(repeats):
            noise = {
                name: draws((seed, repeat, name), first, len(targets), sd.shape, inputs.device, block)
                * sd.float()
                for name, sd in spread.items()
            }
            for column, ratio in enumerate(noise_sd_ratios):
                with noisy(tail, noise, float(ratio)):
                    added[:, repeat, column] = tally(tail(activation.clone()), targets)
        return added

    sums = over_images(add, images, labels, size=size, shape=shape, name="noise", unfinished=unfinished)
    loss, accuracy = sums / len(labels)
    return loss, accuracy


def _parts(model: nn.Module, spread: Mapping[str, Tensor], images: Images) -> tuple[nn.Module, nn.Module]:
    """Split as `hooks.split` does, or keep the whole model as the tail if splitting changes its logits."""
    self_check.of_clamping(model, spread, images)
    shift = {name: sd.float()[None] for name, sd in spread.items()}  # one SD added to every unit

    def answers(parts: tuple[nn.Module, nn.Module]) -> Tensor:
        activation, found = parts[0](self_check.few(images)), []
        for ratio in (0.0, 1.0):
            with noisy(parts[1], shift, ratio):
                found.append(parts[1](activation.clone()))
        return torch.stack(found)

    whole, parts = (nn.Identity(), model), split(model, next(iter(spread)))
    faster = {} if parts[1] is model else {"splitting the network": parts}
    return self_check.right(faster, whole, answers, "noise")


@contextmanager
def noisy(model: nn.Module, noise: Mapping[str, Tensor], ratio: float) -> Iterator[None]:
    """Add `ratio` times the noise to every layer's output while the context is open; ratio 0 adds none."""
    with ExitStack() as stack:
        for name, values in noise.items() if ratio > 0 else ():
            stack.enter_context(edited(find_layer(model, name), _adding(ratio * values)))
        yield


def _adding(noise: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda activity: activity + noise
