"""Check a user's model on two images before it is trained, and count its units."""

import logging

import torch
from torch import nn

from directions.core.errors import InputError
from directions.interventions.layer_patterns import ALL
from directions.interventions.layers import find
from directions.interventions.prepare import copied

log = logging.getLogger(__name__)


def check(model: nn.Module, reference: str, image_shape: tuple[int, ...], classes: int) -> int | None:
    """Return the number of units of a model, those of all its activations; the model stays as it is.

    reference: file.py:function, for messages. If no activations are found, the result is None, with a warning
    in the log: analyses then need `layers` in the config, which training does not read. Raises InputError for
    a model that does not take images of this shape or does not return logits (examples, classes).
    """
    try:
        with torch.no_grad():
            logits = copied(model).eval()(torch.zeros(2, *image_shape))
    except Exception as error:  # the user's code may raise anything
        raise InputError(
            f"{reference}: the network fails on images of shape {image_shape}: {error}"
        ) from error
    returned = tuple(logits.shape) if isinstance(logits, torch.Tensor) else f"a {type(logits).__name__}"
    if returned != (2, classes):
        raise InputError(
            f"{reference}: for 2 images the network returns {returned}, not one tensor of logits"
            f" (2, {classes})"
        )
    try:
        return sum(find(copied(model), ALL, image_shape, classes).layers.values())
    except InputError as error:
        log.warning(
            "%s: analyses must be told its layers of units, in models: {NAME: {layers: [...]}} (%s)",
            reference,
            error,
        )
        return None
