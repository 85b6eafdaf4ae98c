"""Exactly what must be redone is redone: each test changes one thing and pins the jobs that follow."""

import os
import shutil
import time

import pytest
import yaml

ANALYSES = {
    "ablate_cumulative": 3, "ablate_checkpoints": 1, "add_noise": 2, "ablate_single": 1, "measure_units": 1
}  # fmt: skip
TABLES = {"collect": 10, "measure_areas": 2}
FIGURES = dict.fromkeys(("fig1a", "fig1b", "fig2a", "fig4a", "fig7a", "check_claims"), 1)
TRAINED = {"train": 4} | ANALYSES | TABLES | FIGURES


def test_a_second_run_has_nothing_to_do(study):
    done = study.snakemake()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_new_times_of_equal_files_redo_nothing(study):
    now = time.time()
    for folder in ("src", "scripts", "data", "results", "configs"):
        for path in (study.folder / folder).rglob("*"):
            os.utime(path, (now, now))
    os.utime(study.folder / "data/mnist.safetensors", (now + 60, now + 60))
    assert study.jobs() == {}


def test_one_more_seed_runs_its_own_jobs_and_what_sums_up(study):
    study.edit("configs/tiny.yaml", "corrupt: [0.0, 1.0], seed: [0]", "corrupt: [0.0, 1.0], seed: [0, 1]")
    assert study.jobs() == {
        "corrupt_labels": 2, "train": 2, "ablate_cumulative": 2, "add_noise": 2,
        "collect": 3, "measure_areas": 1, "fig1a": 1, "fig2a": 1, "check_claims": 1,
    }  # fmt: skip


def test_a_parameter_of_one_analysis_redoes_its_chain_only(study):
    study.edit("configs/tiny.yaml", "orderings: 3", "orderings: 4")
    assert study.jobs() == {
        "ablate_cumulative": 3, "collect": 2, "measure_areas": 2, "fig1a": 1, "fig1b": 1, "check_claims": 1
    }  # fmt: skip


def test_a_parameter_of_training_redoes_that_experiment(study):
    study.edit(
        "configs/tiny.yaml", "vary: {seed: [0]}", "vary: {seed: [0]}\n    ablate_single: {split: train}"
    )
    assert study.jobs() == {"ablate_single": 1, "collect": 1, "fig7a": 1, "check_claims": 1}
    study.edit("configs/tiny.yaml", "epochs: 1, batch: 20", "epochs: 2, batch: 20")
    assert study.jobs() == {
        "train": 1, "ablate_cumulative": 1, "ablate_single": 1, "collect": 3, "measure_areas": 1, "fig1b": 1,
        "fig7a": 1, "check_claims": 1,
    }  # fmt: skip


def test_a_parameter_of_all_training_redoes_all(study):
    study.edit("configs/tiny.yaml", "defaults:\n  training: {", "defaults:\n  training: {weight_decay: 0.1, ")
    assert study.jobs() == TRAINED


def test_a_setting_that_a_model_does_not_read_redoes_nothing(study):
    study.edit("configs/tiny.yaml", "hidden: [12, 8], epochs: 3", "hidden: [12, 9], epochs: 3")
    study.edit(
        "configs/tiny.yaml", "defaults:\n  training: {", "defaults:\n  training: {width: 0.7, pad: 3, "
    )
    assert study.jobs() == {}  # the mlps have a `hidden` of their own, and so has conv11 its width and pad


def test_two_parameters_that_swap_their_values_are_seen(study):
    study.edit("configs/tiny.yaml", "repeats: 2, points: 3", "repeats: 3, points: 2")
    assert study.jobs() == {"add_noise": 2, "collect": 1, "fig2a": 1, "check_claims": 1}


def test_the_order_of_keys_means_nothing(study):
    path = study.folder / "configs/tiny.yaml"

    def turned(value):
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    path.write_text(yaml.safe_dump(turned(yaml.safe_load(path.read_text())), sort_keys=False))
    assert study.jobs() == {}


@pytest.mark.parametrize(("path", "expected"), [
    ("src/directions/figures/fig1a.py", {"fig1a": 1}),
    ("src/directions/figures/style.py", {figure: 1 for figure in FIGURES if figure != "check_claims"}),
    ("src/directions/interventions/noise.py", {"add_noise": 2, "collect": 1, "fig2a": 1, "check_claims": 1}),
    ("src/directions/analyses/auc.py", {
        "measure_areas": 2, "ablate_checkpoints": 1, "collect": 1, "fig1a": 1, "fig1b": 1, "fig4a": 1,
        "check_claims": 1,
    }),
    ("src/directions/claims/verdicts.py", {"check_claims": 1}),
    ("data/paper/claims.csv", {"check_claims": 1}),
    ("data/paper/figures/fig1a.csv", {"fig1a": 1, "check_claims": 1}),
    ("src/directions/interventions/hooks.py", ANALYSES | TABLES | FIGURES | {"collect": 6}),
    ("src/directions/training/loop.py", {}),  # training carries RECIPE instead of its code
    ("scripts/train.py", {}),
    ("src/directions/data/sources.py", {}),
])  # fmt: skip
def test_a_changed_source_file_redoes_what_runs_it(study, path, expected):
    with (study.folder / path).open("a") as file:
        file.write("\n# a comment\n" if path.endswith(".py") else "\n")
    os.utime(study.folder / path, (0, 0))  # older than all products: so mv, cp -p, rsync -a and tar leave it
    assert study.jobs() == expected


def test_without_the_paper_s_curves_the_figures_are_drawn_again(study):
    study.edit("config.yaml", "paper_curves: true", "paper_curves: false")
    assert study.jobs() == {figure: 1 for figure in FIGURES if figure != "check_claims"}


def test_a_comment_in_the_snakefile_redoes_nothing(study):
    for path in ("Snakefile", "rules/common.smk", "rules/train.smk", "rules/figures.smk"):
        with (study.folder / path).open("a") as file:
            file.write("# a comment\n")
    assert study.jobs() == {}


def test_a_raised_recipe_retrains_all(study):
    study.edit("src/directions/core/recipe.py", '"train": 1', '"train": 2')
    assert study.jobs() == TRAINED
    study.edit("src/directions/core/recipe.py", '"labels": 1', '"labels": 2')
    assert study.jobs() == {"corrupt_labels": 3} | TRAINED


def test_without_records_networks_are_known_by_their_header_and_what_follows_is_made_again(study):
    shutil.rmtree(study.folder / ".snakemake")
    assert study.jobs() == ANALYSES | TABLES | FIGURES
    study.edit("configs/tiny.yaml", "epochs: 1, batch: 20", "epochs: 2, batch: 20")
    assert study.jobs() == ANALYSES | TABLES | FIGURES | {"train": 1}


def test_device_folders_and_sources_are_no_part_of_a_result(study):
    study.edit("config.yaml", "device: auto", "device: cpu ")
    study.edit("config.yaml", "mnist: [local, mirror, wheel]", "mnist: [wheel]")
    assert study.jobs() == {}


def test_a_job_that_failed_after_a_change_of_parameter_is_still_asked_for(study):
    """Snakemake records the new parameters of a failed job, so the old figure looks current to it."""
    study.edit("configs/tiny.yaml", "repeats: 2, points: 3", "repeats: 4, points: 3")
    script = study.folder / "src/directions/interventions/noise.py"
    sound = script.read_text()
    script.write_text("raise SystemExit('out of luck')\n")
    assert study.snakemake().returncode != 0
    assert (study.folder / "results/tiny/figures/fig2a.png").exists()
    script.write_text(sound)
    assert study.jobs("fig2a") == {"add_noise": 2, "collect": 1, "fig2a": 1}
    assert study.snakemake().returncode == 0
    assert study.jobs() == {}
