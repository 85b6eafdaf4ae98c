"""The paper's networks. A model is a plain `nn.Module` that knows nothing of ablation or noise.

Its units are the outputs of the modules that `unit_layers` names: one neuron of a dense layer, or one
whole feature map of a convolution (paper, section 2.2), so they are dimension 1 of that output.
"""

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from directions.errors import InputError
from directions.seeds import number


def mlp(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Dense layers with ReLU and no batch norm (section 2.1); `hidden` gives the width of each.

    Input (examples, c, h, w) in 0..1, output logits (examples, classes). With `dropout` > 0 that share
    of each hidden layer is dropped in training (Figure 5a).
    """
    channels, height, width = image_shape
    widths = [channels * height * width, *settings["hidden"]]
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for depth, (fan_in, units) in enumerate(pairwise(widths), start=1):
        layers[f"linear{depth}"] = nn.Linear(fan_in, units)
        layers[f"relu{depth}"] = nn.ReLU()
        if settings["dropout"] > 0:
            layers[f"dropout{depth}"] = nn.Dropout(settings["dropout"])
    layers["readout"] = nn.Linear(widths[-1], classes)
    return nn.Sequential(layers)


MODELS: dict[str, Callable[[dict, tuple[int, int, int], int], nn.Module]] = {"mlp": mlp}


def build(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of these training settings, its weights drawn from the stream ("init", seed).

    Raises InputError for a model that is not in `MODELS`.
    """
    if settings["model"] not in MODELS:
        raise InputError(f"unknown model {settings['model']!r}: known are {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]):  # torch's initialisers draw from the global generator only
        torch.manual_seed(number("init", settings["seed"]))
        model = MODELS[settings["model"]](settings, image_shape, classes)
    assert_size(model, settings)
    return model


def assert_size(model: nn.Module, settings: dict) -> None:
    """Check the built network against the unit count that its settings imply: 2x512 has 1,024 units."""
    if settings["model"] == "mlp":
        assert sum(unit_layers(model).values()) == sum(settings["hidden"])


def unit_layers(model: nn.Module) -> dict[str, int]:
    """{name of the ReLU module whose outputs are units: number of units}, from input to output."""
    found, width = {}, None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            width = module.out_features
        elif isinstance(module, nn.ReLU):
            found[name] = width
    return found


def incoming_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """{unit layer: weights (units, fan-in) of the layer that feeds it}, for the L1 norms of Figure A3."""
    found, weight = {}, None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            weight = module.weight.detach().flatten(1)
        elif isinstance(module, nn.ReLU):
            found[name] = weight
    return found


def parameter_count(model: nn.Module) -> int:
    """Number of trained numbers, weights and biases."""
    return sum(parameter.numel() for parameter in model.parameters())
