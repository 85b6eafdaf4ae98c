"""Analyses of later work on networks of strangers, each with its right value."""

import numpy as np
import pytest
import torch
from torch import nn

from directions import analyse
from directions.core.errors import InputError

LATER = ["measure_pairs", "ablate_ordered", "ablate_parts", "flip_images"]
FEW = {"ablate_ordered": {"points": 3, "orderings": 2}, "ablate_parts": {"points": 3, "orderings": 2}}


def data(images: int = 60, classes: int = 3):
    torch.manual_seed(0)
    return torch.randn(images, 6), torch.arange(images) % classes


def found(network: nn.Module, layers, given=None, analyses=LATER, **settings):
    settings = {name: values for name, values in FEW.items() if name in analyses} | settings
    return analyse(network, layers, given or data(), analyses=analyses, progress=False, **settings)


def dense(*widths: int) -> nn.Sequential:
    torch.manual_seed(1)
    pairs = zip((6, *widths), (*widths, 3), strict=True)
    return nn.Sequential(*[layer for a, b in pairs for layer in (nn.Linear(a, b), nn.ReLU())][:-1])


def test_a_layer_of_one_unit_has_no_pairs(tmp_path):
    result = found(dense(4, 1), "all activations")
    pairs = result.tables["pairs"].set_index("layer")
    assert pairs.loc["3", ["mutual_bits", "redundancy_bits", "synergy_bits", "ksg_bits"]].isna().all()
    assert pairs.loc["1", "synergy_bits"].notna().all()
    with pytest.raises(InputError, match="the figure shows ablation, noise and units: add ablate_cumulative"):
        result.figure()
    names = {path.name for path in result.save(tmp_path / "saved").iterdir()}
    assert names == {"runs.csv", "pairs.csv", "ordered.csv", "parts.csv", "flips.csv"}


def test_what_others_predict_of_a_constant_unit_is_empty():
    network = dense(4)
    with torch.no_grad():
        network[0].weight[:2] = 0
        network[0].bias[:2] = torch.tensor([0.1, 0.37])
    pairs = found(network, ["1"], analyses=["measure_pairs"]).tables["pairs"]
    assert pairs["predicted"].isna().tolist() == [True, True, False, False]
    assert (pairs.loc[:1, ["mutual_bits", "entropy_unit_bits", "ksg_bits"]] == 0).all(axis=None)


def test_scale_and_offset_change_no_measure():
    network = dense(8)
    usual = found(network, {"0": "none"}, analyses=["measure_pairs"]).tables["pairs"]
    for offset, scale in ((1e5, 1.0), (0.0, 1e15), (0.0, 1e-15)):
        with torch.no_grad():
            moved = dense(8).double()
            moved[0].weight *= scale
            moved[0].bias.mul_(scale).add_(offset)
        pairs = found(moved.float(), {"0": "none"}, analyses=["measure_pairs"]).tables["pairs"]
        for name in ("mutual_bits", "predicted", "entropy_standardised_bits"):
            np.testing.assert_allclose(pairs[name], usual[name], atol=0.15)


def test_ties_go_to_the_first_class_as_in_accuracy():
    network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
    network.load_state_dict({"0.weight": 2 * torch.eye(4), "2.weight": 2 * torch.eye(4)})
    flips = found(network, ["1"], (torch.eye(4), torch.arange(4)), ["flip_images"]).tables["flips"]
    np.testing.assert_array_equal(flips["flipped_after"], [np.nan, 1, 1, 1])


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.relu, self.head = nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8)
        self.relu2, self.out = nn.ReLU(), nn.Linear(8, 3)

    def forward(self, x):
        with torch.no_grad():
            x = self.relu(self.body(x))
        return self.out(self.relu2(self.head(x)))


class Unread(Frozen):
    def forward(self, x):
        x = self.body(x)
        self.relu(x)
        return self.out(self.relu2(self.head(x)))


class Named(Frozen):
    def forward(self, x):
        return self.out(self.relu2(input=self.head(self.relu(input=self.body(x)))))


def test_units_that_no_gradient_reaches_are_refused():
    with pytest.raises(InputError, match="layer relu: no gradient reaches its units"):
        found(Frozen(), ["relu", "relu2"], analyses=["flip_images"])
    with pytest.raises(InputError, match="no gradient reaches the units"):
        found(Frozen(), ["relu"], analyses=["flip_images"])
    with pytest.raises(InputError, match="layer relu: its output is never read"):
        found(
            Unread().apply(lambda module: setattr(module, "inplace", False)),
            ["relu"],
            analyses=["flip_images"],
        )


def test_modules_may_be_called_with_named_arguments():
    pairs = found(Named(), ["relu", "relu2"], analyses=["measure_pairs"]).tables["pairs"]
    assert pairs["mutual_pre_bits"].notna().all()


def test_orders_without_a_score_are_left_out(caplog):
    given = data(classes=1)
    ordered = found(dense(4), ["1"], given, ["ablate_ordered"]).tables["ordered"]
    assert "redundancy" not in set(ordered["order"])
    assert "no ablation in the order of redundancy: all units have the same, or none" in caplog.text


def test_whole_numbers_may_have_a_point_and_too_many_bins_are_refused():
    settings = {"measure_pairs": {"partners": 2.0, "images": 20.0}}
    pairs = found(dense(5), ["1"], analyses=["measure_pairs"], **settings).tables["pairs"]
    assert (pairs["images"] == 20).all()
    with pytest.raises(InputError, match="at most 1e2"):
        found(dense(5), ["1"], analyses=["measure_pairs"], measure_pairs={"bins": 2000})


def test_few_images_have_no_nearest_neighbours():
    pairs = found(dense(5), ["1"], data(4), ["measure_pairs"]).tables["pairs"]
    active = pairs[pairs["entropy_unit_bits"] > 0]
    assert len(active) > 2
    assert active["ksg_bits"].isna().all()
    assert pairs["mutual_bits"].notna().all()
