"""The paper's multilayer perceptron (section 2.1)."""

from collections import OrderedDict
from functools import partial
from itertools import pairwise

from torch import nn

INITS = {  # of weights, with zero biases; torch: nn.Linear's default, both uniform within 1 / sqrt(fan-in)
    "torch": None,
    "he": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "glorot": nn.init.xavier_uniform_,
}


def mlp(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build dense layers with ReLU and no batch norm (section 2.1); `hidden` lists their widths.

    Input (examples, c, h, w) in 0..1, output logits (examples, classes). `dropout` is the dropout rate of
    each hidden layer (Figure 5a). `init` names the distribution of the initial weights, one of `INITS`
    (docs/DEVIATIONS.md, D15).
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
    draw = INITS[settings.get("init") or "torch"]
    for layer in layers.values():
        if draw and isinstance(layer, nn.Linear):
            draw(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(layers)
