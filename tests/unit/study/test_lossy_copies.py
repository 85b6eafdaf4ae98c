"""Copies of data sets: `cifar` chooses between them, and on a copy no number of the paper's is judged."""

import pandas as pd
import pytest
import synthetic_claims as world
from studies import ROOT, given, load, refused

from directions.core.display_names import DATASETS
from directions.data.registry import KNOWN
from directions.study import config, lossy_copies, run_table
from unit.claims.test_verdicts_effects import checked

CONV = (
    "conv_corruption", "conv_ensemble", "conv_sweep", "conv_normalization", "conv_selectivity", "conv_limit"
)  # fmt: skip


def trained_on(**over):
    """{experiment: its data sets} of the paper study."""
    groups = run_table.expand(load(study="paper", **over)).items()
    return {name: {settings["dataset"] for settings in group.values()} for name, group in groups}


def test_one_word_takes_the_copy_for_all_of_a_study_and_nothing_else():
    genuine, copy = trained_on(), trained_on(cifar="jpeg")
    assert {name for name in genuine if genuine[name] == {"cifar10"}} == set(CONV)
    assert all(copy[name] == {"cifar10_jpeg"} for name in CONV)
    assert {name: sets for name, sets in copy.items() if name not in CONV} == {
        name: sets for name, sets in genuine.items() if name not in CONV
    }


def test_what_is_trained_on_cifar10_itself_is_asked_the_same_with_and_without_the_word():
    assert run_table.expand(load(study="paper", cifar="genuine")) == run_table.expand(load(study="paper"))


@pytest.mark.parametrize(("word", "dataset"), [("genuine", "cifar10"), ("jpeg", "cifar10_jpeg")])
def test_a_study_may_ask_for_the_copy_and_the_command_line_has_the_last_word(clone, word, dataset):
    (clone / "configs/mine.yaml").write_text("cifar: jpeg\n")
    study = config.load(given(study="mine", cifar=word), clone)
    assert study["experiments"]["conv_sweep"]["training"]["dataset"] == dataset
    study = config.load(given(study="mine"), clone)
    assert study["experiments"]["conv_sweep"]["training"]["dataset"] == "cifar10_jpeg"


def test_defaults_and_varied_data_sets_are_switched_and_names_are_not():
    written = {
        "cifar": "jpeg",
        "defaults": {"training": {"dataset": "cifar10"}},
        "experiments": {"dataset": {"vary": {"dataset": ["mnist", "cifar10", "cifar10_first4000"]}}},
        "own": {"networks": {"cifar10": {"data": "cifar10"}}},
    }
    switched = lossy_copies.switched(written)
    assert switched["defaults"] == {"training": {"dataset": "cifar10_jpeg"}}
    assert switched["experiments"]["dataset"]["vary"]["dataset"] == [
        "mnist",
        "cifar10_jpeg",
        "cifar10_first4000",
    ]
    assert switched["own"] == written["own"]


def test_any_other_word_is_refused():
    assert "allowed is genuine (CIFAR-10 itself) or jpeg" in refused(cifar="jpg")


def test_every_copy_is_a_data_set_and_its_title_says_so():
    for copy, original in lossy_copies.COPIES.items():
        assert {copy, original} <= set(KNOWN)
        assert DATASETS[copy] == KNOWN[copy].title
        assert "JPEG copy" in DATASETS[copy]
        assert lossy_copies.original(copy) == original
    assert lossy_copies.original("mnist") == "mnist"


@pytest.fixture(scope="module")
def on_the_copy():
    """Claims about Figure 1b where everything is as in the paper, but for the data."""
    tables = world.paper_of("conv_corruption")
    tables = tables | {"runs": tables["runs"].assign(dataset="cifar10_jpeg")}
    return tables, checked({"conv_corruption": tables})


def test_on_a_copy_directions_and_shapes_are_judged_and_say_so(on_the_copy):
    found = on_the_copy[1]
    judged = found[found["kind"] != "value"]
    assert set(judged["kind"]) == {"direction", "shape"}
    assert set(judged["verdict"]) == {"reproduced"}
    assert set(judged["note"]) == {"on a copy: CIFAR-10, JPEG copy"}
    assert found["tested_on"].str.startswith("CIFAR-10, JPEG copy, conv11 ").all()


def test_on_a_copy_no_other_value_is_judged_but_shown(on_the_copy):
    found = on_the_copy[1]
    values = found[(found["kind"] == "value") & ~found.index.isin(lossy_copies.VALUES)]
    assert len(values) == 3 * 6 - 2  # areas, means and halves by fraction
    assert set(values["verdict"]) == {"not testable at this scale"}
    assert set(values["note"]) == {"a value of CIFAR-10 is not tested on a copy of it"}
    assert values["estimate"].notna().all()


def test_a_value_that_is_listed_is_judged_on_a_copy(on_the_copy, monkeypatch):
    monkeypatch.setattr(lossy_copies, "VALUES", {"fig1b_area_0.0": ("area", 0.0)})
    found = checked({"conv_corruption": on_the_copy[0]}, {"fig1b_area_0.0", "fig1b_area_1.0"})
    assert found.loc["fig1b_area_0.0", "verdict"] == "reproduced"
    assert found.loc["fig1b_area_1.0", "verdict"] == "not testable at this scale"


@pytest.mark.parametrize("claim", lossy_copies.VALUES)
def test_a_value_is_listed_where_the_loss_changes_it_by_less_than_its_tolerance(claim):
    measured = pd.read_csv(ROOT / "docs/results/jpeg_loss.csv").set_index(["quantity", "labels corrupted"])
    tolerance = pd.read_csv(ROOT / "data/paper/claims.csv").set_index("id").loc[claim, "tolerance"]
    effect = measured.loc[lossy_copies.VALUES[claim]]
    assert -tolerance <= effect["low"] < effect["high"] <= tolerance
