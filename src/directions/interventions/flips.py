"""Ablate units for each image by itself, the most important ones first, until its answer changes."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.scoring import pass_size, right, scaled
from directions.core.types import Images
from directions.interventions.hooks import edited, find_layer


def flips(model: nn.Module, layers: Mapping[str, int], images: Images, labels: Tensor) -> np.ndarray:
    """Count the units clamped to 0 when each image's answer first differs from its label, (n,).

    images: uint8 (n, c, h, w); labels: (n,). layers: {name: number of units}. At each step, of the units
    left, the one goes whose gradient times activation is largest: the gradient of the label's logit less the
    largest other one, summed over positions of a feature map. 0: wrong with all units; NaN: the answer never
    changes. Greedy, as in Maini et al. (2023), who choose by a loss gradient.
    """
    size = pass_size(model, images)
    parts = [
        _of_batch(model, layers, scaled(batch), targets)
        for batch, targets in zip(images.split(size), labels.split(size), strict=True)
    ]
    return np.concatenate(parts)


def _of_batch(model: nn.Module, layers: Mapping[str, int], inputs: Tensor, labels: Tensor) -> np.ndarray:
    flipped = np.full(len(labels), np.nan)
    gates = torch.ones(len(labels), sum(layers.values()), device=inputs.device)
    left = torch.arange(len(labels), device=inputs.device)  # images that still give their label
    for step in range(gates.shape[1] + 1):
        logits, worth = _worth(model, layers, inputs[left], labels[left], gates[left])
        wrong = ~right(logits, labels[left])
        if step == 0:
            _check_reached(model, layers, inputs, worth)
        flipped[left[wrong].cpu().numpy()] = step
        left, worth = left[~wrong], worth[~wrong]
        if not len(left) or step == gates.shape[1]:
            break
        worth[gates[left] == 0] = -torch.inf
        gates[left, worth.argmax(1)] = 0
    return flipped


def _worth(
    model: nn.Module, layers: Mapping[str, int], inputs: Tensor, labels: Tensor, gates: Tensor
) -> tuple[Tensor, Tensor]:
    """Return each image's logits (n, classes), and gradient times activation of every unit (n, units).

    gates: 1 for units that are left, 0 for ablated ones; the gradient by a gate is gradient times activation.
    """
    gates = gates.clone().requires_grad_()
    with torch.enable_grad(), ExitStack() as stack:
        for (name, _), gate in zip(layers.items(), gates.split(list(layers.values()), 1), strict=True):
            stack.enter_context(edited(find_layer(model, name), _gated(gate)))
        logits = model(inputs.clone())
        given = logits.gather(1, labels[:, None])[:, 0]
        others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        worth = _gradient((given - others).sum(), gates)
    return logits.detach(), worth


def _gradient(margin: Tensor, gates: Tensor) -> Tensor:
    try:
        return torch.autograd.grad(margin, gates)[0]
    except RuntimeError as error:
        raise InputError(
            f"no gradient reaches the units ({str(error).splitlines()[0]}): flip_images needs one, so the"
            " network's forward must not use torch.no_grad(), inference_mode() or detach()"
        ) from error


def _check_reached(model: nn.Module, layers: Mapping[str, int], inputs: Tensor, worth: Tensor) -> None:
    """Raise InputError if no gradient reaches a layer although its units change the logits."""
    parts = zip(layers, worth.split(list(layers.values()), 1), strict=True)
    for name in [name for name, part in parts if not part.any()]:
        with torch.no_grad():
            logits = model(inputs.clone())
            with edited(find_layer(model, name), torch.zeros_like):
                without = model(inputs.clone())
        if not torch.equal(logits, without):
            raise InputError(
                f"layer {name}: no gradient reaches its units, as after torch.no_grad() or detach():"
                " leave it out of `layers`"
            )


def _gated(gate: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda output: output.clone() * gate.reshape(*gate.shape, *(1,) * (output.dim() - 2))
