"""The paper's networks: plain `nn.Sequential` models, independent of ablation and noise.

Units are the outputs of the modules that `unit_layers` names: single neurons of a dense layer, or whole
feature maps of a convolution (paper, section 2.2). They lie along dimension 1 of that output. In a model of
the user, `interventions.layers.find` looks for them (models/user.py).
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


def build(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Build the network from training settings, with weights drawn from the stream ("init", seed).

    Weights are in channels-last format, which activations inherit, as CPU convolutions compute in it. If the
    settings have `build`, file.py:function, the user's function builds it. Raises InputError for a model that
    is not in `MODELS`, and if the user's function returns anything but a module.
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
    if not isinstance(model, nn.Module):
        raise InputError(f"{reference} returned {type(model).__name__}, not a torch.nn.Module")
    return model


def _fed(model: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """Yield (name of a ReLU, the layer whose weights feed it) of a built-in model, in order."""
    feeding: nn.Linear | nn.Conv2d | None = None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            feeding = module
        elif isinstance(module, nn.ReLU):
            assert feeding is not None
            yield name, feeding


def unit_layers(model: nn.Module) -> dict[str, int]:
    """Return {ReLU module, whose outputs are units: number of units} of a built-in model, in order."""
    return {name: len(layer.weight) for name, layer in _fed(model)}


def incoming_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return {unit layer of a built-in model: weights (units, fan-in) that feed it}, for Figure A3.

    These are the raw weights, as in the paper: batch norm is not folded in.
    """
    return {name: layer.weight.detach().flatten(1) for name, layer in _fed(model)}


def parameter_count(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters())
