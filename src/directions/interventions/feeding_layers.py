"""Determine by experiment which dense layer or convolution alone feeds a layer of units.

The outputs of a layer of weights are exchanged between images. If it alone feeds the units, they are
exchanged as well. Then its output is replaced by fixed random numbers: the units no longer depend on the
images, and if it feeds them unit by unit, changing one number changes the same unit most.
Others may change through a norm or a gate over units, but within bounds, however large the change: where they
follow it, another layer of weights mixes units. Sums, branches and other kinds of weights fail one of these.
"""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor, nn

from directions.core.seeds import torch_stream
from directions.interventions.hooks import edited, observed

TRIED = 3  # units that are changed; our own bound
FEWEST = 3  # units that tell a layer of weights which mixes them from one that does not
EXCHANGED = 4  # images of both signs, besides the example
FAR = 100.0  # size of the change, on values of about 1
FURTHER = 10  # times that: what mixes units changes the others as many times as much, and a norm does not
BOUNDED = 3  # times as much, at most
GATED = 5  # times the usual output: what gates may change others by
SAME = 1e-5  # relative error of two passes


@torch.no_grad()
def feeds(network: nn.Module, weights: str, layer: str, example: Tensor) -> bool:
    """Return whether the module `weights` alone feeds the units of `layer`, unit by unit.

    example: images (2 or more, ...). Both modules are called once and have their units on `unit_axis`.
    """
    if weights == layer:
        return True
    if not _exchanged(network, weights, layer, example):
        return False
    units = len(_weight(network, weights))
    tried = sorted({units * place // TRIED for place in range(TRIED)})
    sizes = [FAR, -FAR, FURTHER * FAR, -FURTHER * FAR]
    base = torch.randn(units, generator=torch_stream("feeding", weights))
    changes = [(unit, size) for unit, size in product(tried, sizes)]

    def replaced(output: Tensor) -> Tensor:
        given = base.to(output).view(1, -1, *[1] * (output.dim() - 2)).expand_as(output).clone()
        for place, (unit, size) in enumerate(changes, 1):
            given[place, unit] += size
        return given

    found = []
    for image in (example[:1], example[1:2]):
        with edited(network.get_submodule(weights), replaced), observed(network, [layer]) as seen:
            network(image.repeat_interleave(1 + len(changes), 0))
        found.append(
            seen[layer].transpose(0, 1).flatten(2) if seen[layer].dim() > 2 else seen[layer].T[..., None]
        )
    if not torch.allclose(found[0], found[1], rtol=SAME, atol=SAME * float(found[0].abs().max())):
        return False  # something else feeds it as well
    change = (found[0] - found[0][:, :1]).abs().amax(2)[:, 1:]  # (units, changes)
    far, further = change.unflatten(1, (len(tried), 2, 2)).amax(3).unbind(2)  # (units, tried) each
    usual = found[0][:, 0].abs().max()
    moved = [(unit, far[:, at], further[:, at]) for at, unit in enumerate(tried) if far[:, at].max() > 0]
    return bool(moved) and all(_by_unit(*one, usual) for one in moved)


def _exchanged(network: nn.Module, weights: str, layer: str, example: Tensor) -> bool:
    """Return whether units are those of other images once they get the outputs for those images.

    On values of both signs and real outputs, on which other branches show that random ones saturate.
    """
    noise = torch.randn(EXCHANGED, *example.shape[1:], generator=torch_stream("feeding", weights, "images"))
    images = torch.cat([example, noise.to(example)])
    with observed(network, [layer, weights]) as seen:
        network(images.clone())
        units, outputs = seen[layer], seen[weights]
    with (
        edited(network.get_submodule(weights), lambda _: outputs.roll(1, 0)),
        observed(network, [layer]) as seen,
    ):
        network(images.clone())
    apart = (seen[layer] - units.roll(1, 0)).abs().transpose(0, 1).flatten(1).amax(1)
    spread = units.transpose(0, 1).flatten(1).std(1)
    return bool((apart <= 1e-3 * spread + 1e-6 * units.abs().max()).all())


def _by_unit(unit: int, far: Tensor, further: Tensor, usual: Tensor) -> bool:
    """Return whether changes (units,) of a unit's input, far and further, are its own, others in bounds.

    usual: the largest output without a change. A gate or norm changes others by a few times that at most.
    """
    others = torch.arange(len(far), device=far.device) != unit
    if not others.any():
        return True
    bound = torch.maximum(BOUNDED * far[others].max(), GATED * usual) + 1e-3 * further[unit]
    return int(far.argmax()) == unit and bool(further[others].max() <= bound)


def weights_of(
    network: nn.Module, layer: str, units: int, called: Sequence[str], example: Tensor
) -> Tensor | None:
    """Return the weights (units, fan-in) of the last of `called` that feeds a layer; None if none does."""
    for place, name in enumerate(called[::-1]):
        if place and units < FEWEST:
            return None  # so few units show no mixing by another layer of weights in between
        weight = _weight(network, name)
        if len(weight) == units and feeds(network, name, layer, example):
            return weight.detach().flatten(1)
    return None


def _weight(network: nn.Module, name: str) -> Tensor:
    """Return the weights (units, ...) of a dense layer or convolution."""
    weight = network.get_submodule(name).weight
    assert isinstance(weight, Tensor)
    return weight
