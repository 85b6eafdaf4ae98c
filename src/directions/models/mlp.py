"""The paper's dense network (section 2.1)."""

from collections import OrderedDict
from itertools import pairwise

from torch import nn


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
    assert len(layers) == 2 + len(settings["hidden"]) * (2 + (settings["dropout"] > 0))
    return nn.Sequential(layers)
