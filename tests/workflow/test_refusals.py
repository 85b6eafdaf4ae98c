"""What the workflow says before it starts: bad configs, unknown targets, missing data."""

import shutil

import pytest
from checkouts import Checkout


@pytest.mark.parametrize(("change", "said"), [
    (("config.yaml", "study: tiny ", "study: tinny"), "'tinny' is unknown"),
    (("config.yaml", "device: auto", "devise: auto"), "device"),
    (("configs/tiny.yaml", "epochs: 3", "epoch: 3"), "epochs"),
    (("configs/tiny.yaml", "orderings: 3", "ordering: 3"), "orderings"),
    (("configs/tiny.yaml", "vary: {corrupt:", "varied: {corrupt:"), "vary"),
    (("configs/tiny.yaml", "vary: {corrupt:", "vary: {corupt:"), "corrupt"),
    (("configs/tiny.yaml", "learning_rate: 0.05", "learning_rate: 5e-2"), "5.0e-2"),
    (("configs/tiny.yaml", "corrupt: [0.0, 1.0]", "corrupt: [0.0, 1.1]"), "1.1"),
    (("configs/tiny.yaml", "corrupt: [0.0, 1.0]", "corrupt: [-0.1, 1.0]"), "-0.1"),
    (("configs/paper.yaml", "[ablate_cumulative, add_noise, meas", "[add_noise, meas"), "fig1a"),
    (("configs/tiny.yaml", "images: 200", "images: 60001"), "60000"),
])  # fmt: skip
def test_a_config_that_cannot_be_meant_stops_before_the_graph(fresh, tmp_path, change, said):
    study = Checkout(shutil.copytree(fresh.folder, tmp_path / "study"))
    study.edit(*change)
    done = study.snakemake("--dry-run")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (study.folder / "results").exists()


def test_a_study_without_experiments_is_refused(fresh, tmp_path):
    study = Checkout(shutil.copytree(fresh.folder, tmp_path / "study"))
    study.write_study({"experiments": {}, "draw": {}})
    done = study.snakemake("--dry-run")
    assert done.returncode != 0
    assert "experiments: the study has none" in done.stdout + done.stderr


def test_a_network_that_is_not_in_the_study_is_no_target(fresh):
    done = fresh.snakemake("--dry-run", "--", "results/tiny/ablation/mnist_corruption/corrupt-0.5_seed-0.csv")
    assert done.returncode != 0
    assert "MissingRuleException" in done.stdout + done.stderr


def test_a_figure_by_name_plans_only_what_it_needs(fresh):
    assert fresh.jobs("fig7a") == {
        "prepare_data": 1, "corrupt_labels": 1, "train": 1, "ablate_single": 1, "measure_units": 1,
        "collect": 3, "fig7a": 1,
    }  # fmt: skip
    assert fresh.jobs("fig4c", config=("study=paper",)) == {
        "prepare_data": 1, "corrupt_labels": 2, "train": 192, "ablate_cumulative": 192, "collect": 2,
        "measure_areas": 1, "select_settings": 1, "fig4c": 1,
    }  # fmt: skip
    assert fresh.jobs(config=("figures=fig2a",)) == {
        "prepare_data": 1, "corrupt_labels": 2, "train": 2, "add_noise": 2, "collect": 2, "fig2a": 1,
        "check_claims": 1,
    }  # fmt: skip


def test_data_that_cannot_be_had_stop_the_run_with_the_ways_to_get_them(fresh, tmp_path):
    study = Checkout(shutil.copytree(fresh.folder, tmp_path / "study"))
    study.edit("config.yaml", "mnist: [local, mirror, wheel]", "mnist: [local]")
    done = study.snakemake()
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "train-images-idx3-ubyte" in said
    assert "data/raw/mnist" in said
    assert not (study.folder / "data/mnist.safetensors").exists()
    assert not (study.folder / "results/tiny/models").exists()


def test_a_model_file_that_is_broken_is_refused_by_name_and_made_again_once_it_is_deleted(built, tmp_path):
    study = Checkout(shutil.copytree(built.folder, tmp_path / "study", symlinks=True))
    model = "results/tiny/models/mnist_selectivity/seed-0/model.safetensors"
    (study.folder / model).write_bytes(b"garbage")
    done = study.snakemake("--", "fig7a")
    assert done.returncode != 0
    assert f"{model}: not what its job wrote" in done.stdout + done.stderr
    (study.folder / model).unlink()
    assert study.jobs(model) == {"train": 1}
