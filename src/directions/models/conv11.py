"""The paper's eleven-layer convolutional network (section 2.1)."""

from collections import OrderedDict

from torch import nn

from directions.models.widths import channels, halved

CHANNELS = (64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512)
STRIDES = (1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1)
FEATURE_MAPS = 2816  # 1,536 of them in the last three layers
assert sum(CHANNELS) == FEATURE_MAPS
assert sum(CHANNELS[-3:]) == 1536


def conv11(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build eleven 3x3 convolutions, each with batch norm (if `batch_norm`) and ReLU, and a linear read-out.

    Input (examples, c, h, w) in 0..1, output logits (examples, classes). Images are zero-padded by `pad`
    pixels; `width` scales all channel counts. The read-out takes the last maps, 4x4 for a 32x32 image, at all
    positions (D16).
    """
    layers = _convolutions(settings, image_shape[0])
    sizes = [halved(size + 2 * settings["pad"], sum(s == 2 for s in STRIDES)) for size in image_shape[1:]]
    layers["flatten"] = nn.Flatten()
    layers["readout"] = nn.Linear(channels(CHANNELS[-1], settings["width"]) * sizes[0] * sizes[1], classes)
    return nn.Sequential(layers)


def conv11_mean(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build `conv11` with a read-out that takes only the mean of each of the last maps (D16)."""
    layers = _convolutions(settings, image_shape[0])
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["readout"] = nn.Linear(channels(CHANNELS[-1], settings["width"]), classes)
    return nn.Sequential(layers)


def _convolutions(settings: dict, fan_in: int) -> "OrderedDict[str, nn.Module]":
    """Build all layers before the read-out, for images with `fan_in` channels."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(pad=nn.ZeroPad2d(settings["pad"]))
    for depth, (full, stride) in enumerate(zip(CHANNELS, STRIDES, strict=True), start=1):
        units = channels(full, settings["width"])
        layers[f"conv{depth}"] = nn.Conv2d(
            fan_in, units, 3, stride, padding=1, bias=not settings["batch_norm"]  # norm has a bias of its own
        )  # fmt: skip
        if settings["batch_norm"]:
            layers[f"norm{depth}"] = nn.BatchNorm2d(units)
        layers[f"relu{depth}"] = nn.ReLU()
        fan_in = units
    return layers
