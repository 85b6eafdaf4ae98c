"""ResNet-50 on a streamed folder of JPEGs, trained by two processes: the way of ImageNet, in small."""

import json
import shutil

import digits
import pandas as pd
import pytest
from checkouts import Checkout, counted
from data_samples import truncate

TRAIN, TEST = 96, 24  # images
CHANCE_TOP5 = 5 / digits.CLASSES
STUDY = {
    "imagefolder": {"path": "tree", "size": digits.SIZE, "stream": True},
    "defaults": {
        "ablate_cumulative": {"orderings": 2, "points": 9}, "measure_units": {"bins": 4, "shuffles": 2}
    },
    "experiments": {
        "resnet_corruption": {
            "training": {
                "dataset": "imagefolder", "width": 0.05, "batch": 32, "norm_batch": 16, "steps": 40,
                "learning_rate": 0.1, "precision": "float32",
            },
            "vary": {"corrupt": [0.0, 1.0], "seed": [0]},
        },
        "resnet_selectivity": {  # augmented and in bf16, as in the paper study
            "training": {
                "dataset": "imagefolder", "width": 0.05, "batch": 32, "norm_batch": 16, "steps": 6,
                "learning_rate": 0.1,
            },
            "vary": {"seed": [0]},
        },
    },
    "draw": {"fig1c": "resnet_corruption", "fig7d": "resnet_selectivity", "figA2b": "resnet_selectivity"},
}  # fmt: skip


def processes(count: int) -> tuple[str, ...]:
    """Options that have so many processes train each network."""
    return (
        *("--set-resources", f"train_distributed:processes={count}"),
        *("--set-threads", f"train_distributed={count}"),
    )


@pytest.fixture(scope="module")
def begun(fresh, tmp_path_factory):
    """The study with its images, before anything ran."""
    study = Checkout(shutil.copytree(fresh.folder, tmp_path_factory.mktemp("begun") / "study"))
    digits.tree(study.folder / "tree", TRAIN, TEST)
    study.write_study(STUDY)
    return study


@pytest.fixture(scope="module")
def drawn(begun, tmp_path_factory):
    """(the complete study, what Snakemake said)."""
    study = Checkout(shutil.copytree(begun.folder, tmp_path_factory.mktemp("drawn") / "study"))
    done = study.snakemake(*processes(2))
    assert done.returncode == 0, done.stdout + done.stderr
    return study, done.stdout + done.stderr


def test_two_processes_train_every_network_and_the_figures_are_drawn(drawn):
    study, said = drawn
    jobs = counted(said)
    assert jobs["train_distributed"] == 3
    assert "train" not in jobs
    for log in (study.folder / "logs/tiny/models").rglob("*.log"):
        assert "2 processes" in log.read_text()
    figures = study.folder / "results/tiny/figures"
    assert {path.name for path in figures.glob("*.png")} == {f"{name}.png" for name in STUDY["draw"]}


def test_top5_accuracy_is_counted_and_true_labels_are_learned_better_than_random_ones(drawn):
    folder = drawn[0].folder / "results/tiny"
    record = json.loads((folder / "models/resnet_selectivity/seed-0/record.json").read_text())
    assert record["train_accuracy"] <= record["train_accuracy_top5"] <= 1
    columns = {"ablation": "accuracy_top5", "areas": "auc_top5", "runs": "train_accuracy_top5"}
    tables = {name: pd.read_csv(folder / f"tables/resnet_corruption/{name}.csv") for name in columns}
    for name, column in columns.items():
        assert tables[name][column].between(0, 1).all()
    learned = tables["runs"].set_index("corrupt")["train_accuracy_top5"]
    assert learned[0.0] > CHANCE_TOP5 + 0.1
    assert learned[0.0] > learned[1.0]


@pytest.mark.parametrize("count", [2, 1])
def test_a_second_run_has_nothing_to_do_whatever_the_number_of_processes(drawn, count):
    done = drawn[0].snakemake("--dry-run", *processes(count))
    assert done.returncode == 0
    assert counted(done.stdout + done.stderr) == {}


def test_a_truncated_image_stops_the_run_by_name_before_anything_trains(begun, tmp_path):
    study = Checkout(shutil.copytree(begun.folder, tmp_path / "study"))
    bad = "tree/train/3 below/031.jpg"
    truncate(study.folder / bad)
    done = study.snakemake(*processes(2))
    assert done.returncode != 0
    end = (done.stdout + done.stderr).split("Exiting because a job execution failed")[1]
    assert f"error: 1 of {TRAIN} images in tree/train cannot be read: {bad} (" in end
    assert "stops fig1c, fig7d, figA2b" in end
    assert not (study.folder / "results").exists()
