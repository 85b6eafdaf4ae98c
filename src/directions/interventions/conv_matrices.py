"""Convolutions of tiny feature maps, where most of each window is padding, as matrices.

A 3x3 convolution takes 9 products per output. In a 2x2 map only 4 of them are not padding, in a single
element 1: as a matrix over all positions it takes 4, or 1. Deep layers for small images are like this.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, linear

from directions.interventions.chain import Link


@dataclass(frozen=True)
class Matrix(Link):
    """A convolution's link as a matrix.

    weight: (out, in, positions after, positions before). side: (height, width) of the output maps.
    """

    side: tuple[int, ...] = (1, 1)

    def by_unit(self, units: int) -> Tensor:
        """Return the weights, as `Link.by_unit`."""
        return self.weight

    def product(self, activity: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Multiply as `Link.product` does."""
        matrix = weight.transpose(1, 2).flatten(2).flatten(0, 1)
        sums = linear(activity.flatten(1), matrix).view(len(activity), len(weight), *self.side)
        return sums if bias is None else sums.add_(bias.view(1, -1, 1, 1))

    def add_product(self, sums: Tensor, activity: Tensor, weight: Tensor) -> None:
        """Add the product to sums, as `Link.add_product` does."""
        sums.add_(self.product(activity, weight))


def as_matrix(link: Link, shape: tuple[int, ...]) -> Link:
    """Turn the link into a matrix if that takes fewer products; shape: (n, c, h, w) of its input."""
    if link.convolution is None:
        return link
    (height, width), (down, across) = shape[2:], link.convolution.kernel_size
    if height * width >= down * across:
        return link
    own, weight = link.convolution, link.weight
    maps = torch.eye(height * width).view(-1, 1, height, width)
    taps = torch.eye(down * across).view(-1, 1, down, across)
    seen = conv2d(maps, taps, None, own.stride, own.padding, own.dilation)  # (before, taps, *side)
    places = torch.einsum("oit,bta->oiab", weight.flatten(2), seen.flatten(2).to(weight))
    return Matrix(places, link.bias, convolution=own, side=tuple(seen.shape[2:]))
