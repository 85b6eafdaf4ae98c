"""A chain of layers computed without the units that are off, which are most of them along a curve.

A unit clamped to 0 adds nothing to what follows, so neither its column of the next weights nor the row that
makes it need be computed: on average a third of the work is left. Answers are those of the hooks up to
rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear


@dataclass(frozen=True)
class Stage:
    """Weights with batch norm folded in, and the name of the unit layer that they feed (None: the logits)."""

    weight: Tensor
    bias: Tensor
    convolution: nn.Conv2d | None
    units: str | None


def stages(tail: nn.Module) -> list[Stage] | None:
    """The weight layers of what `units.split` gave as tail; None where it is more than a chain of them."""
    if not isinstance(tail, nn.Sequential):
        return None
    found: list[Stage] = []
    for name, module in list(tail.named_children())[1:]:  # the first stands for the layer split at
        if isinstance(module, nn.Conv2d | nn.Linear):
            convolution = module if isinstance(module, nn.Conv2d) else None
            bias = module.weight.new_zeros(len(module.weight)) if module.bias is None else module.bias
            found.append(Stage(module.weight, bias, convolution, None))
        elif isinstance(module, nn.BatchNorm2d) and found and found[-1].units is None:
            found[-1] = folded(found[-1], module)
        elif isinstance(module, nn.ReLU) and found and found[-1].units is None:
            found[-1] = Stage(found[-1].weight, found[-1].bias, found[-1].convolution, name)
        elif not isinstance(module, nn.Flatten | nn.Dropout | nn.Identity):
            return None
    chain = bool(found) and found[-1].units is None and all(stage.units for stage in found[:-1])
    return found if chain else None


def folded(stage: Stage, norm: nn.BatchNorm2d) -> Stage:
    """The stage with the batch norm that follows it, in evaluation mode, as part of its weights."""
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = stage.weight.double() * scale.view(-1, 1, 1, 1)
    bias = (stage.bias.double() - norm.running_mean.double()) * scale + norm.bias.double()
    return Stage(weight.to(stage.weight), bias.to(stage.bias), stage.convolution, stage.units)


def logits(chain: list[Stage], activation: Tensor, first: Tensor, kept: Mapping[str, Tensor]) -> Tensor:
    """Logits (examples, classes) of `chain` on activation (examples, units, ...), all but some units at 0.

    first: indices of the units of `activation` that are on. kept: the same for the layers that follow; a
    layer that is not there is on as a whole. No layer may be off as a whole.
    """
    alive, units = first, activation.shape[1]
    x = chosen(activation, alive)
    for stage in chain:
        weight, bias = stage.weight.unflatten(1, (units, -1))[:, alive], stage.bias
        units = len(weight)
        if (on := kept.get(stage.units)) is not None:
            weight, bias = weight[on], bias[on]
        if stage.convolution is None:
            x = linear(x.flatten(1), weight.flatten(1), bias)
        else:
            weight = weight.squeeze(2).contiguous(memory_format=torch.channels_last)
            x = conv2d(x, weight, bias, stage.convolution.stride, stage.convolution.padding)
        if stage.units is not None:
            x = x.relu_()
            alive = torch.arange(units, device=x.device) if on is None else on
    return x


def chosen(activation: Tensor, units: Tensor) -> Tensor:
    """(examples, units, ...) -> the same with some units only, feature maps channels last."""
    if activation.dim() != 4:
        return activation[:, units]
    return activation.permute(0, 2, 3, 1)[..., units].permute(0, 3, 1, 2)
