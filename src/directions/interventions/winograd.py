"""Winograd convolution: products of many units with the weights that follow them, in the fastest form.

A 3x3 convolution of stride 1 takes 9 multiplications per output and unit, 144 for a tile of 4x4 outputs. If
tile and weights are transformed first, 36 are enough (Winograd 1980; Lavin and Gray 2016, F(4x4, 3x3)). The
transforms pay off for many units and cost about two bits of precision. On a GPU, the library chooses such
algorithms itself.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from directions.interventions.chain import Link

MANY = 48  # units and rows at which the transforms start to pay: 1.1 to 2 times as fast (CPU, float32)
PLACE = "cpu", torch.float32
TILE, PATCH = 4, 6  # side of a tile of outputs, and of the inputs behind it


def both_ways(one_way: list[list[float]]) -> Tensor:
    """Build a two-dimensional transform from a one-dimensional one (Lavin and Gray 2016, section 4.3)."""
    matrix = torch.tensor(one_way, dtype=torch.float64)
    return torch.kron(matrix, matrix).float()


INPUTS = both_ways(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
WEIGHTS = both_ways(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
OUTPUTS = both_ways([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


class Product:
    """The product of the first units of a layer with the weights of the first sums of the next.

    weight: (rows, units, ...) as `Link.product` takes it; precision: float32 or bf16.
    """

    def __init__(self, link: Link, weight: Tensor, precision: str = "float32"):
        self.link = link
        self.by_tiles = precision == "float32" and by_tiles(link, weight)
        self.weight = weight.bfloat16() if precision == "bf16" else weight
        if self.by_tiles:
            self.weight = transformed(weight)

    def __call__(self, activity: Tensor, rows: int) -> Tensor:
        """Map pooled activity (examples, k, ...) of k units to float32 sums (examples, rows, ...)."""
        units = activity.shape[1]
        if self.by_tiles:
            return convolved(activity, self.weight[:, :units, :rows])
        weight = self.weight[:rows, :units]
        return self.link.product(activity.to(weight.dtype), weight).float()


def by_tiles(link: Link, weight: Tensor) -> bool:
    """Return whether the transforms apply and pay; depends only on weights, not on the number of images."""
    own = link.convolution
    if own is None or min(weight.shape[:2]) < MANY or (weight.device.type, weight.dtype) != PLACE:
        return False
    return (own.kernel_size, own.stride, own.padding, own.dilation) == ((3, 3), (1, 1), (1, 1), (1, 1))


def transformed(weight: Tensor) -> Tensor:
    """Transform weights (rows, units, 3, 3) to (36, units, rows)."""
    rows, units = weight.shape[:2]
    flat = weight.permute(2, 3, 1, 0).reshape(9, -1)
    return (WEIGHTS @ flat).view(PATCH * PATCH, units, rows)


def convolved(activity: Tensor, weight: Tensor) -> Tensor:
    """Convolve activity (examples, units, h, w), padded by 1, with `transformed` weights."""
    examples, units, height, width = activity.shape
    down, across = -(-height // TILE), -(-width // TILE)
    padded = pad(activity, (1, 1 + across * TILE - width, 1, 1 + down * TILE - height))
    patches = padded.unfold(2, PATCH, TILE).unfold(3, PATCH, TILE)  # examples, units, down, across, 6, 6
    patches = patches.permute(4, 5, 0, 2, 3, 1).reshape(PATCH * PATCH, -1)
    patches = (INPUTS @ patches).view(PATCH * PATCH, -1, units)
    tiles = OUTPUTS @ torch.bmm(patches, weight).flatten(1)
    tiles = tiles.view(TILE, TILE, examples, down, across, -1).permute(2, 3, 0, 4, 1, 5)
    sums = tiles.reshape(examples, down * TILE, across * TILE, -1)  # examples, h, w, rows
    return sums[:, :height, :width].permute(0, 3, 1, 2)
