"""Products by tiles give what a convolution gives."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from directions.interventions import winograd
from directions.interventions.chain import Link

RANDOM = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("shape", [(4, 4), (1, 1), (3, 5), (8, 4), (7, 9)])
@pytest.mark.parametrize(("units", "rows"), [(1, 1), (5, 3), (64, 48)])
def test_tiles_of_any_map(shape, units, rows):
    activity = torch.randn(3, units, *shape, generator=RANDOM).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(rows, units, 3, 3, generator=RANDOM)
    found = winograd.convolved(activity, winograd.transformed(weight))
    expected = conv2d(activity.double(), weight.double(), padding=1)
    assert found.shape == expected.shape
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("maps", [8, winograd.MANY])
def test_the_first_units_and_rows_alone(maps, precision):
    own = nn.Conv2d(maps, maps, 3, padding=1)
    weight = own.weight.detach()
    product = winograd.Product(Link(weight, own.bias.detach(), (), own), weight, precision)
    assert product.by_tiles == (maps >= winograd.MANY and precision == "float32")
    activity = torch.randn(2, 5, 4, 4, generator=RANDOM)
    found, expected = product(activity, 3), conv2d(activity, weight[:3, :5], padding=1)
    assert found.dtype == torch.float32
    error = {"float32": 2e-5, "bf16": 2e-2}[precision]
    torch.testing.assert_close(found, expected, rtol=0, atol=error * float(expected.abs().max()))


@pytest.mark.parametrize("changed", [{"stride": 2}, {"padding": 0}, {"dilation": 2}, {"kernel_size": 5}])
def test_other_convolutions_are_left_as_they_are(changed):
    own = nn.Conv2d(64, 64, **({"kernel_size": 3, "padding": 1} | changed))
    assert not winograd.by_tiles(Link(own.weight, own.bias, (), own), own.weight)
