"""Layers of units by number, by name and by pattern."""

import numpy as np
import pytest
import torch
from torch import nn

from directions import models
from directions.core.errors import InputError
from directions.interventions import ablation
from directions.interventions.layer_selection import chosen_layers

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
    (50, "the last 50 were requested, but this network has 49: stem.relu, block1"),
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


@pytest.mark.parametrize(
    ("patterns", "way"),
    [
        (
            ["block14.relu3", "block15.relu3", "block16.relu3"],
            "along the graph of Sequential: what precedes block14.relu3 once, then 7 layers of weights",
        ),
        (["block16.relu[13]"], "along a chain of 3 layers from block16.relu1 on"),
    ],
)
def test_layers_of_a_resnet_by_name_are_clamped_in_the_whole_network(settings, patterns, way, caplog):
    """Against passes through all of it, not its last blocks only; the log says which way was taken."""
    caplog.set_level("INFO")
    changed = {"model": "resnet50", "width": 0.0625, "pad": 0}
    model, random = models.build(settings | changed, (3, 16, 16), 4).eval(), torch.Generator().manual_seed(1)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        for of_map in (*norm.parameters(), norm.running_mean, norm.running_var):
            of_map.data.copy_(torch.rand(len(of_map), generator=random) + 0.1)
    images = torch.rand(6, 3, 16, 16, generator=random)
    layers = ablation.chosen(models.unit_layers(model), patterns)
    assert len(layers) == {"block14.relu3": 3}.get(patterns[0], 2)
    units, values = sum(layers.values()), dict.fromkeys(layers, 0.0)
    counts, orders = ablation.grid(units, 7), ablation.orderings(units, 2, 0)
    labels = torch.arange(6) % 4
    asked = {"layers": layers, "orders": orders, "ablated_counts": counts, "values": values}
    found = ablation.cumulative(model, images, labels, **asked)
    assert way in caplog.text
    for row, order in enumerate(orders):
        for column, count in enumerate(counts):
            with torch.no_grad(), ablation.ablated(model, layers, order[:count], values):
                expected = nn.functional.cross_entropy(model(images), labels)
            assert found.loss[row, column] == pytest.approx(float(expected), rel=1e-4)
    assert len(np.unique(found.loss[0].round(6))) == 7
