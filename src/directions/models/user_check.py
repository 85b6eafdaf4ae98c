"""Check a user's model on two images before it is trained."""

from collections.abc import Callable

import torch
from torch import nn

from directions import models
from directions.core.errors import InputError


def check(model: nn.Module, reference: str, image_shape: tuple[int, ...], classes: int) -> None:
    """Raise InputError unless a model takes these images and returns logits (examples, classes).

    The same for an nn.ReLU module that is used more than once, as only its first use would be ablated.
    reference: file.py:function, for the message. The model is left in training mode.
    """
    calls = dict.fromkeys(models.unit_layers(model), 0)
    handles = [model.get_submodule(name).register_forward_hook(_counting(calls, name)) for name in calls]
    try:
        with torch.no_grad():
            answer = model.eval()(torch.zeros(2, *image_shape))
    except Exception as error:  # the user's code may raise anything
        raise InputError(
            f"{reference}: the network fails on images of shape {image_shape}: {error}"
        ) from error
    finally:
        model.train()
        for handle in handles:
            handle.remove()
    shape = tuple(getattr(answer, "shape", ()))
    if shape != (2, classes):
        raise InputError(f"{reference}: for 2 images the network returns {shape}, not logits (2, {classes})")
    for name, times in calls.items():
        if times != 1:
            raise InputError(f"{reference}: nn.ReLU {name} is used {times} times: give each layer its own")


def _counting(calls: dict[str, int], name: str) -> Callable[..., None]:
    def hook(*_: object) -> None:
        calls[name] += 1

    return hook
