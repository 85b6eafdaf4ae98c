"""The paper's networks. A model is a plain `nn.Sequential` that knows nothing of ablation or noise.

Its units are the outputs of the modules that `unit_layers` names: one neuron of a dense layer, or one
whole feature map of a convolution (paper, section 2.2), so they are dimension 1 of that output.
"""

import importlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from directions.errors import InputError
from directions.models.conv11 import conv11, conv11_mean
from directions.models.mlp import mlp
from directions.models.resnet50 import resnet50
from directions.seeds import number

Build = Callable[[dict, tuple[int, int, int], int], nn.Sequential]

# Imported by name where a model is the user's own, so that no analysis of ours depends on it.
OWN = "directions.own.userfile"

MODELS: dict[str, Build] = {
    "mlp": mlp,
    "conv11": conv11,
    "conv11_mean": conv11_mean,
    "resnet50": resnet50,
}


def build(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """The network of these training settings, its weights drawn from the stream ("init", seed).

    Convolutions keep their weights channels last, which every pass over images inherits: on a CPU it is
    what they compute with. Where the settings have `build`, file.py:function, the model is the user's own.
    Raises InputError for a model that is not in `MODELS`, and for one of the user's own without units.
    """
    if settings["model"] not in MODELS and "build" not in settings:
        raise InputError(f"unknown model {settings['model']!r}: known are {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]):  # torch's initialisers draw from the global generator only
        torch.manual_seed(number("init", settings["seed"]))
        if "build" in settings:
            model = _of_the_user(settings, image_shape, classes)
        else:
            model = MODELS[settings["model"]](settings, image_shape, classes)
    return model.to(memory_format=torch.channels_last)


def _of_the_user(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    userfile, reference = importlib.import_module(OWN), settings["build"]
    if settings.get("code", now := userfile.digest(reference)[:16]) != now:
        raise InputError(
            f"{reference}, or a file that it imports, was changed after this network's training was planned:"
            " run again"
        )
    model = userfile.call(reference, settings, image_shape, classes)
    feeding = [layer for _, layer in _fed(model)] if isinstance(model, nn.Module) else []
    if None in feeding or not feeding:
        raise InputError(
            f"{reference} returned {type(model).__name__} without layers of units: return a torch.nn.Module"
            " with nn.ReLU modules, each registered after the dense layer or convolution that feeds it"
        )
    return model


def _fed(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """(name of a ReLU, the layer whose weights feed it), from input to output, batch norm between or not."""
    feeding = None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            feeding = module
        elif isinstance(module, nn.ReLU):
            yield name, feeding


def unit_layers(model: nn.Module) -> dict[str, int]:
    """{name of the ReLU module whose outputs are units: number of units}, from input to output."""
    return {name: len(layer.weight) for name, layer in _fed(model)}


def incoming_weights(model: nn.Module) -> dict[str, Tensor]:
    """{unit layer: weights (units, fan-in) of the layer that feeds it}, for the L1 norms of Figure A3.

    Raw weights, as the paper has them: batch norm is not folded in.
    """
    return {name: layer.weight.detach().flatten(1) for name, layer in _fed(model)}


def parameter_count(model: nn.Module) -> int:
    """Number of trained numbers, weights and biases."""
    return sum(parameter.numel() for parameter in model.parameters())
