"""What is to be made again after one change in a clone with everything, as exact sets; nothing is run."""

import os
import time

import pytest
import yaml
from checkouts import counted, graph

from directions.workflow.dvc import pipeline, stages

ANALYSES = {
    "ablate_cumulative": 3, "ablate_checkpoints": 1, "add_noise": 2, "ablate_single": 1, "measure_units": 1
}  # fmt: skip
FIGURES = dict.fromkeys(("fig1a", "fig1b", "fig2a", "fig4a", "fig7a", "check_claims"), 1)
TABLES = {"collect": 10, "measure_areas": 2}
LEAVES = {  # of the config: one of each kind
    "one analysis everywhere": ("repeats: 2", "repeats: 3", {
        "add_noise": 2, "collect": 1, "fig2a": 1, "check_claims": 1
    }),
    "another analysis": ("bins: 4", "bins: 5", {
        "measure_units": 1, "collect": 1, "fig7a": 1, "check_claims": 1
    }),
    "one experiment": ("epochs: 1, batch: 20", "epochs: 2, batch: 20", {
        "train": 1, "ablate_cumulative": 1, "collect": 2, "measure_areas": 1, "fig1b": 1, "check_claims": 1
    }),
    "one seed more": ("corrupt: [0.0, 1.0], seed: [0]", "corrupt: [0.0, 1.0], seed: [0, 1]", {
        "corrupt_labels": 2, "train": 2, "ablate_cumulative": 2, "add_noise": 2,
        "collect": 3, "measure_areas": 1, "fig1a": 1, "fig2a": 1, "check_claims": 1,
    }),
    "overlaid by all experiments": ("hidden: [12, 8], epochs: 3", "hidden: [12, 9], epochs: 3", {}),
}  # fmt: skip


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_of_the_config_moves_the_same_stages_in_dvc_and_in_snakemake(whole, tmp_path, leaf):
    study = whole.copy(tmp_path / "study")
    old, new, expected = LEAVES[leaf]
    study.edit("configs/tiny.yaml", old, new)
    pipeline.write(study.folder)
    planned = study.snakemake("--dry-run")
    said = planned.stdout + planned.stderr
    assert counted(said) == expected
    products = stages.load(study.folder).products
    moved = yaml.safe_load(study.dvc("status", "--json"))
    assert moved.keys() - {"asked"} == {products[path].stage for path in graph(said) if path in products}


@pytest.mark.parametrize(("path", "old", "new", "expected"), [
    ("src/directions/figures/fig1a.py", '"""', '"""In my colours. ', {"fig1a": 1}),
    ("src/directions/interventions/noise.py", '"""', '"""Louder. ', {
        "add_noise": 2, "collect": 1, "fig2a": 1, "check_claims": 1
    }),
    ("src/directions/interventions/hooks.py", '"""', '"""All. ',
     ANALYSES | TABLES | FIGURES | {"collect": 6}),
    ("src/directions/training/loop.py", '"""', '"""A comment. ', {}),
    ("src/directions/core/recipe.py", '"train": 1', '"train": 2', {"train": 4} | ANALYSES | TABLES | FIGURES),
])  # fmt: skip
def test_a_change_of_code_redoes_what_it_would_at_the_authors(whole, tmp_path, path, old, new, expected):
    study = whole.copy(tmp_path / "study")
    text = (study.folder / path).read_text()
    assert old in text
    (study.folder / path).write_text(text.replace(old, new, 1))
    assert study.jobs() == expected


def test_new_times_and_a_missing_network_matter_to_no_figure(whole, tmp_path):
    study = whole.copy(tmp_path / "study")
    for folder in ("src", "scripts", "data", "results"):
        for path in (study.folder / folder).rglob("*"):
            os.utime(path, (time.time() + 60, time.time() + 60))
    assert study.jobs() == {}
    (study.folder / "results/tiny/models/mnist_corruption/corrupt-0.0_seed-0/model.safetensors").unlink()
    assert study.jobs("fig1a") == {}
