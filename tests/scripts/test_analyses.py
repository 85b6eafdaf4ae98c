"""The analyses as the workflow calls them, on a small conv net that scripts/train.py trained."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pythons
import torch
from toys import SETTINGS, toy_dataset

from directions import models
from directions.analyses.tangent_kernel import tangent_kernel
from directions.data import Dataset, labels
from directions.models import files as model_files
from directions.study.catalogue import SPECS
from directions.study.fingerprints import written

ROOT = Path(__file__).parents[2]
UNITS = {**{f"relu{depth}": 4 for depth in (1, 2)}, **{f"relu{depth}": 8 for depth in (3, 4, 5)}}
UNITS |= {**{f"relu{depth}": 16 for depth in (6, 7, 8)}, **{f"relu{depth}": 32 for depth in (9, 10, 11)}}
SETTING = SETTINGS | {
    "model": "conv11", "hidden": None, "width": 0.0625, "batch_norm": True, "pad": 2,
    "keep_epochs": [0, 3, 8], "epochs": 8, "optimizer": "adam", "learning_rate": 0.003, "momentum": None,
    "test_images": 30,
}  # fmt: skip


def command(name: str, settings: dict, **user_model) -> list[str]:
    """Call the script of that name or, for an analysis, the script that runs it."""
    script, *called = ["analyse", "--analysis", f"directions.analyses.{name}"] if name in SPECS else [name]
    return [
        sys.executable,
        f"{ROOT}/scripts/{script}.py",
        *called,
        "--asked",
        json.dumps({"settings": settings} | user_model),
    ]


def script(name: str, settings: dict, *arguments, **user_model) -> subprocess.CompletedProcess:
    return pythons.run([*command(name, settings, **user_model), *map(str, arguments)])


def compute(folder: Path) -> list[str]:
    files = {"data": "toy.safetensors", "ledger": "ledger.parquet"}
    named = [word for option, file in files.items() for word in (f"--{option}", f"{folder}/{file}")]
    return [*named, "--device", "cpu", "--threads", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Data, ledger, and a trained network with its checkpoints."""
    return trained(tmp_path_factory.mktemp("trained"), SETTING)


def trained(made: Path, settings: dict) -> Path:
    """The same in this folder, for these settings."""
    data = toy_dataset()
    data.save(made / "toy.safetensors")
    labels.save(made / "ledger.parquet", labels.ledger(data.train_labels, "toy", "all", 0.0, 0))
    files = {"model": "model.safetensors", "checkpoints": "checkpoints.safetensors",
               "history": "history.csv", "record": "record.json", "resume": "resume"}  # fmt: skip
    options = [word for option, file in files.items() for word in (f"--{option}", f"{made}/{file}")]
    done = script("train", settings, *options, *compute(made))
    assert done.returncode == 0, done.stderr
    return made


def analysed(name: str, folder: Path, settings: dict, *options, **user_model) -> pd.DataFrame:
    table = folder / f"{name}.csv"
    model = ["--model", folder / "model.safetensors", "--table", table]
    done = script(name, settings, *model, *options, *compute(folder), **user_model)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(table)


def test_the_record_of_a_conv_net_has_its_own_settings_and_sizes(folder):
    record = json.loads((folder / "record.json").read_text())
    assert record["hidden"] is None
    assert (record["width"], record["batch_norm"], record["pad"]) == (0.0625, True, 2)
    assert record["units"] == sum(UNITS.values()) == 176
    assert record["test_images"] == 30


def test_cumulative_ablation_takes_the_last_layers_and_all_clamps(folder):
    settings = {"split": "train", "orderings": 2, "clamp": ["zero", "mean"], "points": 5, "layers": 3}
    table = analysed("ablate_cumulative", folder, settings)
    assert list(table) == ["clamp", "ordering", "ablated", "units", "split", "loss", "accuracy"]
    assert (table["units"] == 96).all()
    assert table["ablated"].tolist() == [0, 24, 48, 72, 96] * 4
    assert table["clamp"].tolist() == ["zero"] * 10 + ["mean"] * 10
    ends = table[table["ablated"].isin([0, 96])]
    assert (ends.groupby(["ablated"])["accuracy"].nunique() <= [1, 2]).all()
    settings |= {"layers": "all", "clamp": ["zero"]}
    assert (analysed("ablate_cumulative", folder, settings)["units"] == 176).all()


def test_checkpoints_end_where_the_network_does(folder):
    settings = {"split": "train", "layers": 3, "orderings": 2, "points": 5}
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    table = analysed("ablate_checkpoints", folder, settings, *checkpoints)
    assert list(table) == [
        "epoch", "ordering", "split", "images", "units", "auc", "auc_relative", "auc_chance_corrected",
        "train_loss", "train_accuracy", "test_loss", "test_accuracy",
    ]  # fmt: skip
    assert table["epoch"].tolist() == [0, 0, 3, 3, 8, 8]
    history = pd.read_csv(folder / "history.csv").set_index("epoch")
    for epoch in (3, 8):
        rows = table[table["epoch"] == epoch]
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            np.testing.assert_allclose(rows[name], history[name][epoch], rtol=1e-6)
    curves = analysed("ablate_cumulative", folder, settings | {"clamp": ["zero"]})
    for ordering, curve in curves.groupby("ordering"):
        auc = np.trapezoid(curve["accuracy"], curve["ablated"] / 96)
        assert table["auc"].iloc[4 + ordering] == pytest.approx(auc)
        assert table["auc_relative"].iloc[4 + ordering] == pytest.approx(auc / curve["accuracy"].iloc[0])
        assert table["auc_chance_corrected"].iloc[4 + ordering] == pytest.approx((auc - 0.25) / 0.75)


NETS = """
import torch
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self, pixels, classes):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(pixels, 8), nn.Linear(8, 8), nn.Linear(8, classes)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = functional.gelu(self.fc1(x.flatten(1)))
        return self.fc3(self.relu(x + self.relu(self.fc2(x))))


def net(settings, image_shape, classes):
    return Net(torch.Size(image_shape).numel(), classes)
"""


def test_a_model_of_the_user_s_own_may_call_functions_share_modules_and_name_its_layers(tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    build = f"{tmp_path}/nets.py:net"
    made = trained(tmp_path, SETTING | {"model": "net"} | written(build, "build"))
    assert json.loads((made / "record.json").read_text())["units"] == 3 * 8
    settings = {"split": "train", "layers": "all", "orderings": 2, "points": 3}
    checkpoints = "--checkpoints", made / "checkpoints.safetensors"
    kept = analysed("ablate_checkpoints", made, settings, *checkpoints, code=build)
    curves = analysed("ablate_cumulative", made, settings | {"clamp": ["zero"]}, code=build)
    assert curves["units"].unique() == 24
    last = kept[kept["epoch"] == 8]
    for ordering, curve in curves.groupby("ordering"):
        auc = np.trapezoid(curve["accuracy"], curve["ablated"] / 24)
        assert last["auc"].iloc[ordering] == pytest.approx(auc)
    assert kept["train_loss"].nunique() == 3  # each checkpoint has its own weights
    named = analysed(
        "ablate_cumulative", made, settings | {"clamp": ["zero"]}, code=build, layers={"fc1": "gelu"}
    )
    assert named["units"].unique() == 8
    orders = {"orders": ["selectivity", "l1", "information"], "ranked": "all layers", "images": "all"}
    ordered = analysed("ablate_ordered", made, settings | orders, code=build)
    assert set(ordered["order"]) == {"random", "information"}  # some is below 0; a sum has no norm
    # Without the eight units after fc1, only biases reach the logits: all images get one answer.
    state, _ = model_files.load_state(made / "model.safetensors")
    first = state["fc2.bias"].relu().relu() @ state["fc3.weight"].T + state["fc3.bias"]
    data = toy_dataset()
    right = np.mean(data.train_labels == int(first.argmax()))
    assert named.loc[named["ablated"] == 8, "accuracy"].to_numpy() == pytest.approx(right)


ABLATE = {"split": "train", "layers": 3, "orderings": 2, "points": 5}


def test_what_units_share_is_measured_in_every_layer(folder):
    settings = {"split": "train", "images": 40, "partners": 4, "checked": 2, "bins": 2, "entropy_bins": 10}
    table = analysed("measure_pairs", folder, settings)
    assert list(table)[:4] == ["layer", "unit", "split", "images"]
    assert table.groupby("layer", sort=False).size().to_dict() == UNITS
    assert (table["images"] == 40).all()
    assert table[["added_bits", "added_null_bits"]].isna().all(None)  # these layers have too many units
    known = table.drop(columns=["layer", "split", "added_bits", "added_null_bits"])
    assert known.notna().mean().min() > 0.5
    for name in ("mutual", "mutual_pre", "mutual_position", "redundancy", "unique", "entropy_unit"):
        assert (table[f"{name}_bits"].dropna() >= 0).all()
    assert table["mutual_bits"].mean() > 2 * table["mutual_null_bits"].mean()
    # The mean of independent normals' estimates: the copula's bias for so many images.
    assert table["mutual_null_bits"].mean() == pytest.approx(1 / (2 * np.log(2) * 40), rel=0.1)


def test_ablation_in_order_has_the_random_curves_of_cumulative_ablation(folder):
    settings = {"split": "train", "layers": 3, "orderings": 2, "points": 5, "precision": "float32"}
    more = {"orders": ["importance", "l1", "synergy"], "ranked": "each layer", "images": "all"}
    table = analysed("ablate_ordered", folder, settings | more)
    usual = analysed("ablate_cumulative", folder, settings | {"clamp": ["zero"]})
    drawn = table[table["order"] == "random"]
    np.testing.assert_array_equal(drawn["accuracy"], usual["accuracy"])
    assert drawn["first"].isna().all()
    rest = table[table["order"] != "random"].groupby(["order", "first"], sort=False)
    assert list(rest.groups) == [
        (order, first) for order in more["orders"] for first in ("highest", "lowest")
    ]
    means = rest["accuracy"].mean()
    assert means["importance", "highest"] < means["importance", "lowest"]


def test_parts_add_up_to_the_whole(folder):
    settings = {"split": "train", "layers": 3, "orderings": 2, "points": 5, "precision": "float32"}
    table = analysed("ablate_parts", folder, settings | {"images": "all"})
    usual = analysed("ablate_cumulative", folder, settings | {"clamp": ["zero"]})
    whole = table[(table["layer"] == "all") & (table["labels"] == "all")]
    np.testing.assert_array_equal(whole["accuracy"], usual["accuracy"])
    assert list(dict.fromkeys(table["layer"])) == ["all", "relu9", "relu10", "relu11"]
    assert set(table["labels"]) == {"all", "clean"}  # nothing is corrupted here
    assert set(table.loc[table["layer"] == "relu9", "units"]) == {32}


def test_checkpoints_within_epochs_have_fractions_of_epochs(folder, tmp_path):
    """And what is measured there is measured on the network of that step: here those of whole epochs."""
    made = trained(tmp_path, SETTING | {"keep_epochs": [0], "keep_every": 6})
    checkpoints = "--checkpoints", made / "checkpoints.safetensors"
    table = analysed("ablate_checkpoints", made, ABLATE, *checkpoints)
    assert table["epoch"].unique().tolist() == [0, 1.5, 3, 4.5, 6, 7.5]
    whole = "--checkpoints", folder / "checkpoints.safetensors"
    other = analysed("ablate_checkpoints", folder, ABLATE, *whole)
    both = [found[found["epoch"].isin([0, 3])].reset_index(drop=True) for found in (table, other)]
    pd.testing.assert_frame_equal(*both, check_dtype=False)
    assert (folder / "ablate_checkpoints.csv").read_text().splitlines()[-1].startswith("8,1,train,64,96,")


def test_some_images_are_the_same_at_every_checkpoint_and_part_of_more(folder):
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    every = analysed("ablate_checkpoints", folder, ABLATE, *checkpoints)
    asked = {wanted: ABLATE | {"images": wanted} for wanted in ("all", 64, 20)}
    found = {wanted: analysed("ablate_checkpoints", folder, asked[wanted], *checkpoints) for wanted in asked}
    pd.testing.assert_frame_equal(found["all"], every)
    pd.testing.assert_frame_equal(found[64], every)
    some = found[20]
    assert (some["split"].unique().tolist(), some["images"].unique().tolist()) == (["train"], [20])
    pd.testing.assert_series_equal(some["test_loss"], every["test_loss"])
    assert (some["train_loss"] != every["train_loss"]).all()
    shares = (some["train_accuracy"] * 20).to_numpy()
    np.testing.assert_allclose(shares, shares.round())
    again = analysed("ablate_checkpoints", folder, asked[20] | {"orderings": 1}, *checkpoints)
    pd.testing.assert_frame_equal(again, some[some["ordering"] == 0].reset_index(drop=True))
    tested = analysed("ablate_checkpoints", folder, ABLATE | {"split": "test", "images": 10}, *checkpoints)
    pd.testing.assert_series_equal(tested["train_loss"], every["train_loss"])
    assert (tested["test_loss"] != every["test_loss"]).all()


def test_curves_of_some_images_are_those_of_the_same_images_at_the_last_checkpoint(folder):
    settings = {"split": "train", "orderings": 2, "points": 5}
    every = analysed("ablate_cumulative", folder, settings)
    assert "scored_images" not in every
    pd.testing.assert_frame_equal(analysed("ablate_cumulative", folder, settings | {"images": 64}), every)
    found = analysed("ablate_cumulative", folder, settings | {"images": 20})
    assert found["scored_images"].unique().tolist() == [20]
    correct = (found["accuracy"] * 20).to_numpy()
    np.testing.assert_allclose(correct, correct.round())
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    last = analysed("ablate_checkpoints", folder, settings | {"images": 20}, *checkpoints)
    last = last[last["epoch"] == last["epoch"].max()]
    untouched = found[found["ablated"] == 0]
    np.testing.assert_allclose(
        untouched["loss"], last["train_loss"], rtol=1e-5
    )  # scored in one pass, unablated
    np.testing.assert_allclose(areas(found), last["auc"], rtol=1e-5)


def areas(curves: pd.DataFrame) -> list[float]:
    return [
        np.trapezoid(curve["accuracy"], curve["ablated"]) / curve["units"].iloc[0]
        for _, curve in curves.groupby("ordering")
    ]


def test_more_images_than_there_are_is_refused(folder, tmp_path):
    options = ["--model", folder / "model.safetensors", "--checkpoints", folder / "checkpoints.safetensors"]
    settings = ABLATE | {"split": "test", "images": 31}
    done = script("ablate_checkpoints", settings, *options, "--table", tmp_path / "t.csv", *compute(folder))
    assert done.returncode == 2
    assert "images: 31 requested, but the test set has 30" in done.stderr


def test_layers_are_chosen_by_name(folder, tmp_path):
    settings = {"split": "train", "orderings": 2, "clamp": ["zero"], "points": 5}
    last = analysed("ablate_cumulative", folder, settings | {"layers": 3})
    named = analysed("ablate_cumulative", folder, settings | {"layers": ["relu11", "relu10", "relu9"]})
    pd.testing.assert_frame_equal(named, last)
    assert (analysed("ablate_cumulative", folder, settings | {"layers": ["relu1*"]})["units"] == 68).all()
    options = ["--model", folder / "model.safetensors", "--table", tmp_path / "t.csv"]
    done = script("ablate_cumulative", settings | {"layers": ["relu12"]}, *options, *compute(folder))
    assert done.returncode == 2
    assert "no layer of units of this network is called relu12; nearest of its 11: relu" in done.stderr


def test_noise_single_units_and_measures_cover_all_layers(folder):
    settings = {"split": "train", "repeats": 2, "lowest": 0.1, "highest": 10.0, "points": 3}
    noise = analysed("add_noise", folder, settings)
    assert noise["noise_sd_ratio"].tolist() == [0, 0.1, 1, 10] * 2
    single = analysed("ablate_single", folder, {"split": "test", "units": "all"})
    units = analysed("measure_units", folder, {"split": "test", "bins": 6, "shuffles": 2})
    keys = [(layer, unit) for layer, count in UNITS.items() for unit in range(count)]
    for table in (single, units):
        assert list(zip(table["layer"], table["unit"], strict=True)) == keys
    assert list(units) == [
        "layer", "unit", "split", "selectivity", "information_bits", "information_null_bits",
        "information_bits_coarse", "information_bits_fine", "l1", "dead", "negative", "mean", "sd",
    ]  # fmt: skip
    some = analysed("ablate_single", folder, {"split": "test", "units": 5})
    pd.testing.assert_frame_equal(some, single.merge(some[["layer", "unit"]]))
    assert len(some) == 5
    assert (units["l1"] > 0).all()
    assert not units["negative"].any()
    drops = [f"drop_class_{label}" for label in range(4)]
    np.testing.assert_array_equal(single["worst_class_drop"], single[drops].max(axis=1))
    dead = single[units["dead"]]
    assert (dead["importance"] == 0).all()
    shares = (single["accuracy_before"] * 30).to_numpy()
    np.testing.assert_allclose(shares, shares.round())  # thirty test images, as the network's settings say


def test_many_classes_have_top5_accuracy_and_no_column_each(tmp_path):
    """A network as it was drawn, and twelve classes."""
    data = toy_dataset()
    parts = data.train_images, np.arange(64) % 12, data.test_images, np.arange(40) % 12
    data = Dataset("toy", tuple("abcdefghijkl"), *parts)
    data.save(tmp_path / "toy.safetensors")
    labels.save(tmp_path / "ledger.parquet", labels.ledger(data.train_labels, "toy", "all", 0.0, 0))
    header = {"settings": SETTINGS, "recipe": 0, "image_shape": [1, 4, 4], "classes": 12}
    net = models.build(SETTINGS, (1, 4, 4), 12)
    model_files.save(tmp_path / "model.safetensors", net.state_dict(), header)
    settings = {"split": "train", "orderings": 2, "clamp": ["zero", "mean"], "points": 3, "layers": "all"}
    curves = analysed("ablate_cumulative", tmp_path, settings)
    assert list(curves)[-3:] == ["loss", "accuracy", "accuracy_top5"]
    assert (curves["accuracy_top5"] >= curves["accuracy"]).all()
    assert curves["accuracy_top5"].between(0.2, 0.8).all()  # chance is 5/12
    single = analysed("ablate_single", tmp_path, {"split": "test", "units": "all"})
    assert list(single)[-2:] == ["worst_class", "worst_class_drop"]


def test_a_network_without_checkpoints_is_refused(folder, tmp_path):
    state, header = model_files.load_state(folder / "model.safetensors")
    header["settings"]["keep_epochs"] = []
    model_files.save(tmp_path / "m.safetensors", state, header)
    options = ["--model", tmp_path / "m.safetensors", "--checkpoints", folder / "checkpoints.safetensors"]
    settings = {"split": "train", "layers": 3, "orderings": 2, "points": 5}
    done = script("ablate_checkpoints", settings, *options, "--table", tmp_path / "t.csv", *compute(folder))
    assert done.returncode == 2
    assert "keep_epochs is empty and keep_every is null" in done.stderr


def test_more_layers_than_there_are_is_refused(folder, tmp_path):
    settings = {"split": "train", "orderings": 2, "clamp": ["zero"], "points": 5, "layers": 12}
    options = ["--model", folder / "model.safetensors", "--table", tmp_path / "t.csv"]
    done = script("ablate_cumulative", settings, *options, *compute(folder))
    assert done.returncode == 2
    assert "the last 12 were requested, but this network has 11" in done.stderr


def test_selection_is_written_for_each_subset(tmp_path):
    rows = [(f"r{k}", rate, seed) for k, (rate, seed) in enumerate((r, s) for r in range(4) for s in (0, 1))]
    keys = pd.DataFrame(rows, columns=["run", "learning_rate", "seed"])
    keys.insert(0, "experiment", "e")
    areas = keys.assign(clamp="zero", ordering=0, auc=keys["learning_rate"] / 10)
    areas.to_csv(tmp_path / "areas.csv", index=False)
    keys.assign(test_accuracy=0.9 - keys["learning_rate"] / 10).to_csv(tmp_path / "runs.csv", index=False)
    table = tmp_path / "selection.csv"
    paths = ["--areas", tmp_path / "areas.csv", "--runs", tmp_path / "runs.csv", "--table", table]
    done = script("select_settings", {"subsets": 20, "experiment": "e"}, *paths)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(table)
    assert list(found) == [
        "experiment", "subset", "settings", "picked_auc", "picked_accuracy", "best_accuracy", "gap", "rank"
    ]  # fmt: skip
    assert found["subset"].tolist() == list(range(20))
    assert (found["settings"] == 2).all()
    assert (found["rank"] == 2).all()  # area prefers what tests worst
    keys.assign(test_accuracy=90 - keys["learning_rate"]).to_csv(tmp_path / "runs.csv", index=False)
    table.unlink()
    done = script("select_settings", {"subsets": 20, "experiment": "e"}, *paths)
    assert done.returncode == 2
    assert "table selection: column picked_accuracy is 8" in done.stderr
    assert not table.exists()


WRONG = """
from dataclasses import dataclass
from directions.core.columns import share
from directions.study.analysis_spec import AnalysisSpec, LAYER, SPLIT, UNIT, split_setting
from directions.study.settings import setting

@dataclass(frozen=True)
class Settings:
    split: str = split_setting("test")
    factor: float = setting(1.0, "of all shares", {"type": "number", "description": "a number"})

SPEC = AnalysisSpec(
    "shares", "one row per unit", (LAYER, UNIT, SPLIT, share("part", "of one")), Settings,
    cost=lambda settings, sizes: (1, 1.0),
)

def observe(trained, settings):
    return trained.numbered().assign(split=settings.split, part=0.5 * settings.factor)
"""


@pytest.mark.parametrize(("settings", "said"), [
    ({}, None),
    ({"factor": 2.5}, "table shares: column part is 1.25 in row 1, allowed is a number from 0 to 1"),
    ({"faktor": 2.5}, "faktor: unknown setting; did you mean factor? (known here: split, factor)"),
])  # fmt: skip
def test_an_analysis_in_a_file_of_ones_own_reads_its_settings_and_keeps_to_its_columns(
    folder, tmp_path, settings, said
):
    (tmp_path / "measure_shares.py").write_text(WRONG)
    table = tmp_path / "shares.csv"
    options = ["--analysis", tmp_path / "measure_shares.py", "--model", folder / "model.safetensors"]
    done = script("analyse", settings, *options, "--table", table, *compute(folder))
    if said is None:
        assert done.returncode == 0, done.stderr
        assert pd.read_csv(table)["split"].unique().tolist() == ["test"]
        return
    assert done.returncode == 2
    assert said in done.stderr
    assert not table.exists()


KILLED = {  # long enough for a kill in the second of two or three parts
    "ablate_cumulative": {
        "split": "train", "orderings": 40, "clamp": ["zero", "mean"], "points": "all", "layers": 5
    },
    "ablate_checkpoints": {"split": "train", "orderings": 30, "points": "all", "layers": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_analysis_goes_on_and_ends_with_the_same_table(folder, name, tmp_path):
    """Killed for real, once something was left; what goes on must not start afresh."""
    expected = tmp_path / "unbroken.csv"
    settings = KILLED[name]
    options = ["--checkpoints", folder / "checkpoints.safetensors"] if name == "ablate_checkpoints" else []
    common = [*options, "--model", folder / "model.safetensors", *compute(folder)]
    done = script(name, settings, *common, "--table", expected)
    assert done.returncode == 0, done.stderr
    resume, table = tmp_path / "resume.pt", tmp_path / "broken.csv"
    again = [*common, "--table", table, "--resume", resume, "--snapshot-seconds", "0"]
    called = [*command(name, settings), *map(str, again)]
    process = subprocess.Popen(called, stdout=subprocess.DEVNULL)
    while process.poll() is None and not resume.exists():
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert resume.exists()
    assert not table.exists()
    done = script(name, settings, *again)
    assert done.returncode == 0, done.stderr
    assert "resuming after" in done.stdout
    assert table.read_bytes() == expected.read_bytes()
    assert not resume.exists()


def kept(folder: Path, epoch: int) -> torch.nn.Module:
    """The network of `folder` with the weights that were kept after this epoch."""
    model, _ = model_files.load_model(folder / "model.safetensors")
    state, _ = model_files.load_state(folder / "checkpoints.safetensors", f"epoch-{epoch:06d}/")
    model.load_state_dict(state)
    return model


def training_set() -> tuple[torch.Tensor, torch.Tensor]:
    data = toy_dataset()
    return torch.as_tensor(data.train_images), torch.as_tensor(data.train_labels)


def test_the_kernel_is_that_of_every_checkpoint(folder):
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    table = analysed("measure_kernel", folder, {"images": 64, "ridge": 0.01, "shuffles": 3}, *checkpoints)
    assert table["epoch"].tolist() == [0, 3, 8]
    assert set(table["images"]) == {64}
    images, labels = training_set()
    targets = torch.eye(4, dtype=torch.float64)[labels] - 1 / 4  # classes of equal size
    for row in table.itertuples():
        kernel = tangent_kernel(kept(folder, row.epoch), images)
        trace = kernel.trace().item()
        assert row.trace == pytest.approx(trace / 64, rel=1e-9)
        assert row.ridge == pytest.approx(0.01 * trace / 64, rel=1e-9)
        solved = torch.linalg.solve(kernel + row.ridge * torch.eye(64, dtype=torch.float64), targets)
        assert row.complexity == pytest.approx(
            ((targets * solved).sum().item() * trace) ** 0.5 / 64, rel=1e-6
        )
    learned = table.iloc[-1]
    assert learned["complexity"] < 0.8 * learned["complexity_shuffled"]
    assert learned["alignment"] > 0.3 > learned["alignment_shuffled"]


def test_examples_are_scored_from_the_start_early_and_at_the_end(folder):
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    asked = {"images": 64, "scored": 20, "ridge": 0.1, "retrained": 2, "steps": 2}
    table = analysed("measure_examples", folder, asked, *checkpoints)
    images, labels = training_set()
    assert table["image"].tolist() == list(range(64))
    assert table["label"].tolist() == labels.tolist()
    assert set(table["labels"]) == {"clean"}
    for column, epoch in (("early_loss", 3), ("loss", 8)):
        with torch.no_grad():
            logits = kept(folder, epoch)(images / 255)
        losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        assert table[column].to_numpy() == pytest.approx(losses.numpy(), rel=1e-3, abs=1e-6)
    start = kept(folder, 0)
    kernel = tangent_kernel(start, images)
    ridge = 0.1 * kernel.diagonal().mean()
    with torch.no_grad():
        missing = torch.eye(4)[labels].double() - start(images / 255).double()
    left = ridge * torch.linalg.solve(kernel + ridge * torch.eye(64, dtype=torch.float64), missing)
    assert table["residual"].to_numpy() == pytest.approx(left.norm(dim=1).numpy(), rel=1e-5)
    most, least = table["information"].idxmax(), table["information"].idxmin()
    assert set(table.index[table["retrained_information"].notna()]) == {most, least}


def test_informative_tenths_are_scored_apart(folder):
    checkpoints = "--checkpoints", folder / "checkpoints.safetensors"
    asked = {"images": 64, "scored": 20, "ridge": 0.1}
    scored = analysed("measure_examples", folder, asked | {"retrained": 0, "steps": 1}, *checkpoints)
    curves = {"split": "train", "layers": "all", "orderings": 2, "points": 3, "precision": "float32"}
    table = analysed("ablate_examples", folder, curves | asked, *checkpoints)
    assert len(table) == 2 * 2 * 2 * 2 * 3  # scores, labels, parts, orderings, points
    assert set(table["images"]) == {4}  # one of the sixteen of each class
    images, labels = training_set()
    with torch.no_grad():
        right = (kept(folder, 8)(images / 255).argmax(1) == labels).numpy()
    for (score, part), rows in table[table["ablated"] == 0].groupby(["ranked_by", "part"]):
        of_class = scored.sort_values(score, kind="stable").groupby("label")["image"]
        chosen = of_class.last() if part == "most" else of_class.first()
        assert set(rows["accuracy"]) == {right[chosen].mean()}


@pytest.mark.parametrize(
    ("name", "epochs"), [("measure_examples", [1, 2]), ("measure_examples", [0]), ("ablate_examples", [1])]
)
def test_examples_need_the_weights_before_training_and_early_ones(name, epochs, tmp_path):
    late = trained(tmp_path, SETTING | {"keep_epochs": epochs, "epochs": 2})
    asked = SPECS[name].defaults
    options = "--checkpoints", late / "checkpoints.safetensors", "--model", late / "model.safetensors"
    done = script(name, asked, *options, "--table", late / "table.csv", *compute(late))
    assert done.returncode == 2
    assert "keep_epochs must list 0, the start, and an early epoch such as 3" in done.stderr
    assert not (late / "table.csv").exists()


def test_units_are_clamped_to_what_the_settings_say(folder):
    """With every unit off, or at its mean over the training set, the answer is that of this activity."""
    asked = {"split": "train", "layers": "all", "orderings": 1, "points": 2, "precision": "float32"}
    table = analysed("ablate_cumulative", folder, asked | {"clamp": ["zero", "mean"]})
    images, labels = training_set()
    model, _ = model_files.load_model(folder / "model.safetensors")
    for clamp in ("zero", "mean"):
        with torch.no_grad():
            activity = model[:-2](images / 255)
            fixed = torch.zeros_like(activity[:1]) if clamp == "zero" else activity.mean(0, keepdim=True)
            logits = model.readout(fixed.flatten(1)).expand(len(images), -1)
            loss = torch.nn.functional.cross_entropy(logits, labels).item()
        last = table[(table["clamp"] == clamp) & (table["ablated"] == table["units"])]
        assert last["loss"].item() == pytest.approx(loss, rel=1e-4)
