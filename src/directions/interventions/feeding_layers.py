"""Determine by experiment which dense layer or convolution alone feeds a layer of units.

The output of a layer of weights is replaced by fixed random numbers. If it alone feeds the units, they no
longer depend on the images; if it does so unit by unit, changing one number changes the same unit most.
Others may change through a norm or a gate over units, but within bounds, however large the change: where they
follow it, another layer of weights mixes units. Sums, branches and other kinds of weights fail one of these.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product

import torch
from torch import Tensor, nn

from directions.core.seeds import torch_stream
from directions.interventions.hooks import edited, observed

TRIED = 3  # units that are changed; our own bound
FAR = 100.0  # size of the change, on values of about 1
FURTHER = 10  # times that: what mixes units changes the others as many times as much, and a norm does not
BOUNDED = 3  # times as much, at most


@torch.no_grad()
def feeds(network: nn.Module, weights: str, layer: str, example: Tensor) -> bool:
    """Return whether the module `weights` alone feeds the units of `layer`, unit by unit.

    example: images (2 or more, ...). Both modules are called once and have their units on `unit_axis`.
    """
    units = len(_weight(network, weights))
    tried = [units * place // TRIED for place in range(min(TRIED, units))]
    sizes = [FAR, -FAR, FURTHER * FAR, -FURTHER * FAR]
    images = torch.cat([example[:1].repeat_interleave(1 + len(sizes) * len(tried), 0), example[1:2]])
    base = torch.randn(units, generator=torch_stream("feeding", weights))

    def replaced(output: Tensor) -> Tensor:
        given = base.to(output).view(1, -1, *[1] * (output.dim() - 2)).expand_as(output).clone()
        for place, (unit, size) in enumerate(product(tried, sizes), 1):
            given[place, unit] += size
        return given

    with ExitStack() as stack:
        if weights != layer:
            stack.enter_context(edited(network.get_submodule(weights), replaced))
        seen = stack.enter_context(observed(network, [layer]))
        network(images)
    if weights == layer:
        return True
    found = seen[layer].transpose(0, 1).flatten(2) if seen[layer].dim() > 2 else seen[layer].T[..., None]
    change = (found - found[:, :1]).abs().amax(2)  # (units, examples)
    if not torch.allclose(found[:, -1], found[:, 0], rtol=1e-3, atol=1e-5):
        return False  # something else feeds it as well
    far, further = change[:, 1:-1].unflatten(1, (len(tried), 2, 2)).amax(3).unbind(2)  # (units, tried) each
    moved = [(unit, far[:, at], further[:, at]) for at, unit in enumerate(tried) if far[:, at].max() > 0]
    return bool(moved) and all(_by_unit(*one) for one in moved)


def _by_unit(unit: int, far: Tensor, further: Tensor) -> bool:
    """Return whether changes (units,) of a unit's input, far and further, are its own, others in bounds."""
    others = torch.arange(len(far), device=far.device) != unit
    most = further[others].max() if others.any() else further.new_zeros(())
    bound = BOUNDED * (far[others].max() if others.any() else 0) + 1e-3 * further[unit]
    return int(far.argmax()) == unit and bool(most <= bound)


def weights_of(
    network: nn.Module, layer: str, units: int, called: Sequence[str], example: Tensor
) -> Tensor | None:
    """Return the weights (units, fan-in) of the last of `called` that feeds a layer; None if none does."""
    for name in called[::-1]:
        weight = _weight(network, name)
        if len(weight) == units and feeds(network, name, layer, example):
            return weight.detach().flatten(1)
    return None


def _weight(network: nn.Module, name: str) -> Tensor:
    """Return the weights (units, ...) of a dense layer or convolution."""
    weight = network.get_submodule(name).weight
    assert isinstance(weight, Tensor)
    return weight
