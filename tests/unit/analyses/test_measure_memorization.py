"""Wrong labels reproduced, counted by hand, and Fano's bound against its own closed cases."""

import math

import pytest
import torch
from torch import nn

from directions.analyses import measure_memorization as memorization
from directions.analyses.network import Trained
from directions.data.examples import Examples
from directions.interventions.hooks import Network


def table(given: list[int], changed: list[bool] | None):
    """Of a network that answers 0, 1, 2, 3, 0, 1, 2, 3 and was trained on the labels `given`."""
    model = nn.Sequential(nn.Flatten())
    images = torch.eye(4).repeat(2, 1)[:, None, None, :]
    examples = Examples(images, torch.tensor(given), 4, None if changed is None else torch.tensor(changed))
    trained = Trained(Network(model, {"0": 4}, {}), lambda _split: examples, seed=0)
    return memorization.observe(trained, memorization.Settings()).iloc[0]


def test_wrong_labels_reproduced_are_counted():
    """Four labels were changed: the network gives two of them back; of the other four it misses one."""
    found = table([0, 1, 3, 0, 0, 1, 2, 0], [True, True, True, True, False, False, False, False])
    assert dict(found.iloc[:2]) == {"images": 8, "corrupted": 4}
    assert found["reproduced"] == 0.5
    assert found["clean_accuracy"] == 0.75
    assert found["error"] == pytest.approx(3 / 8)
    assert found["least_bits"] == pytest.approx(
        memorization.least_bits(0.5, 3 / 8, [1 / 2, 1 / 4, 1 / 8, 1 / 8])
    )


def test_without_corrupted_labels_none_can_be_reproduced():
    found = table([0, 1, 2, 3, 0, 1, 2, 3], None)
    assert math.isnan(found["reproduced"])
    assert found[["corrupted", "error", "least_bits"]].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("changed", "error", "bits"), [
    (0.2, 0.2, 0.0),  # an error of the labels' own noise needs nothing
    (0.2, 0.0, 1.356), (0.8, 0.0, 3.258),  # fitted labels need all of their entropy
    (0.4, 0.279, 0.5), (0.8, 0.405, 1.0),  # by the formula, in its third digit
    (0.0, 0.3, 0.0),
])  # fmt: skip
def test_fano_s_bound(changed, error, bits):
    assert memorization.least_bits(changed, error, [0.1] * 10) == pytest.approx(bits, abs=3e-3)


def test_fano_s_bound_is_never_more_than_the_entropy_of_the_labels():
    """Two classes, nine to one, all labels shuffled: 18 % of them change."""
    entropy = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    assert memorization.least_bits(0.18, 0.0, [0.9, 0.1]) == pytest.approx(entropy)
    assert memorization.least_bits(0.09, 0.0, [0.9, 0.1]) < entropy
