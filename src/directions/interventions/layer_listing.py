"""Print the layer names of a network: `from directions import show_layers`."""

import math
from collections.abc import Sequence

import yaml
from torch import nn

from directions.interventions.layers import catalogue
from directions.interventions.prepare import copied, original


def text(network: nn.Module, shape: Sequence[int]) -> tuple[str, list[str]]:
    """Return (printable table of all layers with units and a line to paste, names of all activations)."""
    found = catalogue(network, shape)
    rows = [("layer", "module", "output", "units"), *found.drop(columns="activation").astype(str).to_numpy()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    activations = list(found.loc[found["activation"], "layer"])
    listed = yaml.safe_dump(activations, default_flow_style=True, width=math.inf).strip()
    last = f"\nall activations:\nlayers: {listed}" if activations else "\nnone of them is an activation"
    return "\n".join([*(line.rstrip() for line in lines), last]), activations


def show_layers(network: nn.Module, shape: Sequence[int]) -> list[str]:
    """Print the layers of a network by the names that `analyse` takes; return those of all activations.

    Args:
        network: left unchanged.
        shape: the shape of one image, channels first, such as (1, 28, 28).

    Returns:
        The names of all activations, in the order of the forward pass.

    Raises:
        InputError: for a shape that the network does not take.

    Example:
        The names returned are what `analyse` takes as `layers`.

        >>> from torch import nn
        >>> from directions import show_layers
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10))
        >>> show_layers(network, (1, 28, 28))
        layer  module  output  units
        1      Linear  16      16
        2      relu    16      16
        3      Linear  10      10
        <BLANKLINE>
        all activations:
        layers: ['2']
        ['2']
    """
    told, activations = text(original(copied(network)), shape)
    print(told)
    return activations
