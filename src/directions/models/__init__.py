"""The paper's networks: plain `nn.Sequential` models, independent of ablation and noise.

Units are the outputs of the modules that `unit_layers` names: single neurons of a dense layer, or whole
feature maps of a convolution (paper, section 2.2). They lie along dimension 1 of that output.
"""

import importlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from directions.core.errors import InputError
from directions.core.seeds import number
from directions.models.conv11 import conv11, conv11_mean
from directions.models.mlp import mlp
from directions.models.resnet50 import resnet50

Build = Callable[[dict, tuple[int, int, int], int], nn.Sequential]

# Imported by name, only for a user's model, so that the analyses of built-in models do not depend on it.
OWN = "directions.core.user_functions"

MODELS: dict[str, Build] = {
    "mlp": mlp,
    "conv11": conv11,
    "conv11_mean": conv11_mean,
    "resnet50": resnet50,
}


def build(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build the network from training settings, with weights drawn from the stream ("init", seed).

    Weights are in channels-last format, which activations inherit, as CPU convolutions compute in it. If the
    settings have `build`, file.py:function, the model is the user's own. Raises InputError for a model that
    is not in `MODELS`, and for a user's model without units.
    """
    if settings["model"] not in MODELS and "build" not in settings:
        raise InputError(f"unknown model {settings['model']!r}: known are {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]):  # torch's initialisers use only the global generator
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
            f"{reference}, or a file that it imports, has changed since the training of this network was"
            " planned: rerun"
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
    """Yield (name of a ReLU, the layer whose weights feed it, batch norm in between or not), in order."""
    feeding = None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            feeding = module
        elif isinstance(module, nn.ReLU):
            yield name, feeding


def unit_layers(model: nn.Module) -> dict[str, int]:
    """Return {name of a ReLU module, whose outputs are units: number of units}, from input to output."""
    return {name: len(layer.weight) for name, layer in _fed(model)}


def incoming_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return {unit layer: weights (units, fan-in) of the layer that feeds it}, for L1 norms (Figure A3).

    These are the raw weights, as in the paper: batch norm is not folded in.
    """
    return {name: layer.weight.detach().flatten(1) for name, layer in _fed(model)}


def parameter_count(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters())
