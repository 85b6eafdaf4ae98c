"""Layers of units by number, by name and by pattern."""

import pytest

from directions import ablation
from directions.choosing import chosen_layers
from directions.errors import InputError

NAMES = ["stem.relu", *(f"block{block}.relu{place}" for block in range(1, 17) for place in (1, 2, 3))]


@pytest.mark.parametrize(("wanted", "expected"), [
    ("all", NAMES),
    (49, NAMES),
    (2, ["block16.relu2", "block16.relu3"]),
    (["block16.*"], ["block16.relu1", "block16.relu2", "block16.relu3"]),
    (["block16.relu3", "block1.relu1"], ["block1.relu1", "block16.relu3"]),  # in the network's order
    (["block1[56].relu3", "*16.relu3", "stem.relu"], ["stem.relu", "block15.relu3", "block16.relu3"]),
    (["block?.relu3"], [f"block{block}.relu3" for block in range(1, 10)]),
])  # fmt: skip
def test_which_layers_are_meant(wanted, expected):
    assert chosen_layers(NAMES, wanted) == expected
    assert ablation.chosen(dict.fromkeys(NAMES, 4), wanted) == dict.fromkeys(expected, 4)


@pytest.mark.parametrize(("wanted", "message"), [
    (50, "the last 50 were asked for, this network has 49: stem.relu, block1"),
    (["stem.relu", "blok7.relu2"], "is called blok7.relu2; nearest of its 49: block7.relu2, "),
    (["Block16.*"], "is called Block16.*; nearest of its 49: block16.relu"),
    (["block17.*"], "is called block17.*; nearest of its 49: "),
    (["relu3"], "is called relu3; nearest of its 49: "),
])  # fmt: skip
def test_what_no_layer_is_called_is_refused_with_the_nearest_names(wanted, message):
    with pytest.raises(InputError) as caught:
        chosen_layers(NAMES, wanted)
    assert str(caught.value).startswith("layers: ")
    assert message in str(caught.value)
