"""Networks and data from outside the package, through the workflow: two files and a config entry each."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from checkouts import Checkout, counted
from safetensors.torch import save_file
from torch import nn

from directions.workflow import forks

STROKES = """
\"\"\"A data set of one's own: bars that stand or lie.\"\"\"
import os
from pathlib import Path

import numpy as np

def read():
    Path("mine/kept").write_text(" ".join(f"{name}={value}" for name, value in os.environ.items()))
    rng = np.random.default_rng(0)
    def split(count):
        labels = np.arange(count) % 2
        images = rng.integers(0, 60, (count, 8, 8))
        for image, label in zip(images, labels, strict=True):
            place = rng.integers(1, 7)
            image[(slice(None), place) if label else (place, slice(None))] = 250
        return images.astype(np.uint8), labels
    return *split(60), *split(40)
"""
NETS = """
\"\"\"A model of one's own.\"\"\"
from torch import nn
from widths import MAPS

def build():
    maps = nn.Conv2d(1, MAPS, 3), nn.ReLU(inplace=True), nn.AdaptiveMaxPool2d(1), nn.Flatten()
    return nn.Sequential(*maps, nn.Linear(MAPS, 2))
"""
OWN = {"own": {
    "networks": {
        "bars": {
            "build": "mine/nets.py:build", "weights": "mine/bars.safetensors", "layers": ["1"],
            "data": "mine/strokes.py:read",
        },
        "digits": {
            "build": "examples/mlp.py:build", "weights": "mine/digits.pt",
            "layers": {"fc1": "relu", "fc2": "relu"}, "normalize": {"mean": [0.13], "sd": [0.31]},
            "data": "mnist", "labels": {"train": "mine/threes.csv"},
            "analyses": ["ablate_cumulative", "measure_units"],
        },
    },
    "train_images": 50, "test_images": 30,
    "ablate_cumulative": {"orderings": 2, "points": 5}, "add_noise": {"repeats": 2, "points": 3},
    "measure_units": {"bins": 4, "shuffles": 2},
}}  # fmt: skip
DOUBT = (
    "warning: digits: The network fits only the training images, but its units were measured on test images"
)
TABLES = {"runs", "ablation", "noise", "single", "units", "areas"}


def bars() -> nn.Module:
    """Hand-set: map 0 fires on upright bars, map 1 on lying ones, map 2 never."""
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network[0].weight[0, 0, :, 1] = network[0].weight[1, 0, 1] = 1
        network[0].bias[:] = -2
        network[4].weight[1, 0] = network[4].weight[0, 1] = 9
    return network


def own(study: Checkout, *options: str):
    return study.snakemake(*options, "--configfile", "configs/own.yaml", "--", "own")


def jobs(study: Checkout) -> dict[str, int]:
    """{rule: number} that a dry run lists for `own`."""
    done = own(study, "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    found = counted(done.stdout + done.stderr)
    found.pop("own", None)
    return found


@pytest.fixture(scope="module")
def analysed(fresh, tmp_path_factory) -> Checkout:
    """Both networks, all that `own` makes of them."""
    study = Checkout(shutil.copytree(fresh.folder, tmp_path_factory.mktemp("own") / "study"))
    study.take_mnist()
    mine = study.folder / "mine"
    mine.mkdir()
    (mine / "strokes.py").write_text(STROKES)
    (mine / "nets.py").write_text(NETS)
    (mine / "widths.py").write_text("MAPS = 3\n")
    save_file(bars().state_dict(), mine / "bars.safetensors")
    weights = {"fc1": (128, 784), "fc2": (128, 128), "readout": (10, 128)}
    state = {f"{name}.weight": torch.zeros(shape) for name, shape in weights.items()}
    state |= {f"{name}.bias": 2 * (torch.arange(shape[0]) == 3) for name, shape in weights.items()}
    torch.save(
        {name: tensor.float() for name, tensor in state.items()}, mine / "digits.pt"
    )  # answers 3, always
    pd.DataFrame({"label": np.full(60_000, 3)}).to_csv(mine / "threes.csv", index=False)
    (study.folder / "configs/own.yaml").write_text(yaml.safe_dump(OWN))
    done = own(study)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "figures in results/own: comparison\nfigures in results/own/figures: bars, digits\n" in done.stderr
    assert (
        "Accuracy is about chance" not in done.stderr
    )  # it knows its training labels, not those of the test
    assert DOUBT in done.stderr
    return study


@pytest.fixture
def study(analysed, tmp_path) -> Checkout:
    return Checkout(shutil.copytree(analysed.folder, tmp_path / "study", symlinks=True))


def tables(study: Checkout, network: str) -> dict[str, pd.DataFrame]:
    folder = study.folder / "results/own/tables" / network
    return {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}


def test_a_model_and_a_data_set_from_outside_give_all_tables_and_figures(analysed):
    figures = (analysed.folder / "results/own").rglob("*.png")
    assert {path.name for path in figures} == {"bars.png", "digits.png", "comparison.png"}
    found = tables(analysed, "bars")
    assert found.keys() == TABLES
    assert found["runs"][["units", "train_images", "test_images"]].to_numpy().tolist() == [[3, 50, 30]]
    assert found["runs"]["test_accuracy"].item() == 1
    units = found["units"]
    assert units["dead"].tolist() == [False, False, True]
    assert (units["selectivity"][:2] > 0.5).all()
    assert found["single"]["importance"].to_numpy()[2] == 0
    assert found["ablation"].query("ablated == 3")["accuracy"].tolist() == [0.5] * 2
    assert found["areas"]["auc"].between(0.5, 1).all()
    assert found["areas"]["auc_se"].to_numpy() == pytest.approx([found["areas"]["auc"].sem()] * 2)
    assert "with 2 orderings; " in (analysed.folder / "logs/own/tables/bars/areas.log").read_text()


def test_jobs_keep_the_memory_that_they_free(analysed):
    seen = (analysed.folder / "mine/kept").read_text().split()
    assert {f"{name}={value}" for name, value in forks.KEPT.items()} <= set(seen)


def test_labels_replace_those_of_the_data_set_and_analyses_may_be_few(analysed):
    found = tables(analysed, "digits")
    assert found.keys() == TABLES - {"noise", "single"}
    runs = found["runs"].iloc[0]
    assert (runs["train_accuracy"], runs["units"]) == (1, 256)  # all threes, as the file says
    assert runs["test_accuracy"] < 0.5
    log = (analysed.folder / "logs/own/models/digits.log").read_text()
    assert "fc1_relu (128 units), fc2_relu (128 units)" in log


def test_a_second_run_does_nothing_and_a_change_redoes_exactly_its_chain(study):
    assert jobs(study) == {}
    study.edit("configs/own.yaml", "repeats: 2", "repeats: 3")
    assert jobs(study) == {"own_add_noise": 1, "own_collect": 1, "own_summary": 1, "own_comparison": 1}
    chain = {"own_import": 1, "own_collect": 5, "own_areas": 1, "own_summary": 1, "own_comparison": 1}
    chain |= dict.fromkeys(
        ("own_ablate_cumulative", "own_add_noise", "own_ablate_single", "own_measure_units"), 1
    )
    with (study.folder / "mine/widths.py").open("a") as file:  # which the factory imports
        file.write("# a comment\n")
    os.utime(study.folder / "mine/widths.py", (0, 0))  # as mv, cp -p, rsync -a and tar leave it
    assert jobs(study) == chain
    study.edit("mine/strokes.py", "rng(0)", "rng(1)")
    assert jobs(study) == chain | {"own_data": 1}


def test_a_network_that_fails_is_told_by_name_and_the_other_is_drawn(study):
    config = yaml.safe_load((study.folder / "configs/own.yaml").read_text())
    config["own"]["networks"]["bars"]["layers"] = ["9"]
    (study.folder / "configs/own.yaml").write_text(yaml.safe_dump(config))
    done = own(study)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "error: no layer '9': layers of this network are " in said
    assert "figures that are ready: digits" in said
    assert "stops bars, comparison" in said
    assert DOUBT in done.stderr  # what is to be known of the other is not lost


def test_doubts_of_import_and_analyses_are_said_at_the_end_of_the_run(study):
    study.edit("mine/threes.csv", "3", "4")
    config = yaml.safe_load((study.folder / "configs/own.yaml").read_text())
    config["own"]["networks"]["digits"]["ablate_cumulative"] = {"norm_images": 40}
    (study.folder / "configs/own.yaml").write_text(yaml.safe_dump(config))
    done = own(study)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning: digits: Accuracy is about chance: are these the network's weights" in done.stderr
    assert "(train 0.000, " in done.stderr
    assert "warning: the network has no batch norm, so norm_images is not used" in done.stderr


def test_own_without_a_network_says_how_to_name_one(fresh):
    done = fresh.snakemake("--dry-run", "--", "own")
    assert done.returncode != 0
    assert (
        "the config names no network of your own: --configfile configs/own.yaml" in done.stdout + done.stderr
    )
