"""The paper's ResNet-50 (section 2.1): torchvision's, except where a stage halves the image (D17).

Implemented here because importing torchvision takes as long as the whole analysis of a small network; the
tests compare it with torchvision's blocks.
"""

from collections import OrderedDict

from torch import Tensor, nn

from directions.models.widths import channels

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # channels inside a block, blocks
STEM = 64
EXPANSION = 4  # channels of a block's output per channel inside it
FEATURE_MAPS = 22_720  # 3,072 of them in the last three layers (D18)
assert STEM + sum(blocks * (2 + EXPANSION) * inner for inner, blocks in STAGES) == FEATURE_MAPS


class Block(nn.Module):
    """Bottleneck block: 1x1, 3x3 (with the stride) and 1x1 convolutions with batch norm, and a shortcut.

    The shortcut is registered before the convolutions, so the layer before each ReLU is the one feeding it.
    """

    def __init__(self, fan_in: int, inner: int, stride: int):
        super().__init__()
        outer = inner * EXPANSION
        self.downsample = shortcut(fan_in, outer, stride)
        self.conv1 = nn.Conv2d(fan_in, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(inner, outer, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outer)
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (examples, fan_in, h, w) to (examples, 4 * inner, h / stride, w / stride)."""
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        return self.relu3(self.bn3(self.conv3(out)) + self.downsample(x))


def shortcut(fan_in: int, fan_out: int, stride: int) -> nn.Module:
    """Build a block's shortcut: its input, projected if channels change, subsampled by a stride."""
    if fan_in != fan_out:
        return nn.Sequential(nn.Conv2d(fan_in, fan_out, 1, stride, bias=False), nn.BatchNorm2d(fan_out))
    return nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()


def resnet50(settings: dict, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build a stem, sixteen bottleneck blocks, and a linear read-out of the mean over all positions.

    Input (examples, c, h, w) in 0..1, output logits (examples, classes). The last block of each stage but
    the last halves the image. Images are zero-padded by `pad` pixels; `width` scales all channel counts.
    """
    fan_in = channels(STEM, settings["width"])
    stem = OrderedDict(
        conv=nn.Conv2d(image_shape[0], fan_in, 7, 2, padding=3, bias=False),
        bn=nn.BatchNorm2d(fan_in),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, 2, padding=1),
    )
    layers: OrderedDict[str, nn.Module] = OrderedDict(pad=nn.ZeroPad2d(settings["pad"]))
    layers["stem"] = nn.Sequential(stem)
    number = 0
    for stage, (full, blocks) in enumerate(STAGES, start=1):
        inner = channels(full, settings["width"])
        for place in range(1, blocks + 1):
            number += 1
            last = place == blocks and stage < len(STAGES)
            layers[f"block{number}"] = Block(fan_in, inner, stride=2 if last else 1)
            fan_in = inner * EXPANSION
    layers |= {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    layers["readout"] = nn.Linear(fan_in, classes)
    return initialised(nn.Sequential(layers))


def initialised(model: nn.Sequential) -> nn.Sequential:
    """Initialise convolutions as torchvision's ResNet does (He et al. 2015, fan-out); return the model."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model
