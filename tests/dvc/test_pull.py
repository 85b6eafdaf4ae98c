"""A reader's clone: what `make pull` brings, and what Snakemake then has to do, as exact sets of jobs."""

import os
import time

import pytest
from dvc_shares import Share

TABLES = {f"results/tiny/tables/mnist_corruption/{name}.csv" for name in ("ablation", "areas", "runs")}
FIGURE = {f"results/tiny/figures/fig1a.{kind}" for kind in ("pdf", "png")}
ANALYSES = {
    "ablate_cumulative": 3, "ablate_checkpoints": 1, "add_noise": 2, "ablate_single": 1, "measure_units": 1
}  # fmt: skip
FIGURES = dict.fromkeys(("fig1a", "fig1b", "fig2a", "fig4a", "fig7a", "check_claims"), 1)
TABLE_JOBS = {"collect": 10, "measure_areas": 2}
FIG1A_AGAIN = {"ablate_cumulative": 2, "collect": 1, "measure_areas": 1, "fig1a": 1}
MORE_ORDERINGS = ("configs/tiny.yaml", "orderings: 3", "orderings: 4")


def test_a_figure_comes_with_its_tables_alone_and_there_is_nothing_to_do(reader):
    assert reader.products() == FIGURE | TABLES
    assert reader.jobs("fig1a") == {}
    assert reader.do("git", "status", "--porcelain") == ""
    assert "up to date" in reader.dvc("status", "fig1a")
    assert "Running stage" not in reader.dvc("repro", "--allow-missing", "fig1a")


def test_all_that_was_shared_comes_and_there_is_nothing_to_do(whole, author):
    assert whole.products() == {path for path in author.products() if "/raw/" not in path}
    assert whole.jobs() == {}
    assert whole.do("git", "status", "--porcelain") == ""
    assert "Running stage" not in whole.dvc("repro")


@pytest.mark.parametrize(("path", "old", "new", "expected"), [
    ("configs/tiny.yaml", "epochs: 1, batch: 20", "epochs: 2, batch: 20", {
        "train": 1, "ablate_cumulative": 1, "collect": 2, "measure_areas": 1, "fig1b": 1, "check_claims": 1
    }),
    ("configs/tiny.yaml", "corrupt: [0.0, 1.0], seed: [0]", "corrupt: [0.0, 1.0], seed: [0, 1]", {
        "corrupt_labels": 2, "train": 2, "ablate_cumulative": 2, "add_noise": 2,
        "collect": 3, "measure_areas": 1, "fig1a": 1, "fig2a": 1, "check_claims": 1,
    }),
    ("src/directions/figures/fig1a.py", '"""', '"""In my colours. ', {"fig1a": 1}),
    ("src/directions/noise.py", '"""', '"""Louder. ', {
        "add_noise": 2, "collect": 1, "fig2a": 1, "check_claims": 1
    }),
    ("src/directions/units.py", '"""', '"""All. ', ANALYSES | TABLE_JOBS | FIGURES | {"collect": 6}),
    ("src/directions/training.py", '"""', '"""A comment. ', {}),
    ("src/directions/recipe.py", '"train": 1', '"train": 2', {"train": 4} | ANALYSES | TABLE_JOBS | FIGURES),
])  # fmt: skip
def test_a_change_in_a_pulled_clone_redoes_what_it_would_at_the_authors(
    whole, tmp_path, path, old, new, expected
):
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


def test_a_figure_in_ones_own_colours_needs_its_tables_only(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    before = (study.folder / "results/tiny/figures/fig1a.png").read_bytes()
    study.edit("src/directions/figures/style.py", "0.88 * fraction", "0.44 * fraction")
    assert study.jobs("fig1a") == {"fig1a": 1}
    started = time.monotonic()
    assert study.snakemake("--", "fig1a").returncode == 0
    assert time.monotonic() - started < 60
    assert (study.folder / "results/tiny/figures/fig1a.png").read_bytes() != before
    assert study.products() == FIGURE | TABLES
    assert "Nothing to be done" in study.dvc("repro", "--allow-missing", "fig1a")  # DVC only records it


def test_what_is_to_be_made_again_gets_its_unchanged_inputs(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    study.edit(*MORE_ORDERINGS)
    assert "ablate_cumulative 2, collect 1, measure_areas 1, fig1a 1" in study.script("pull", "fig1a")
    assert study.jobs("fig1a") == FIG1A_AGAIN
    models = {path for path in study.products() if "/models/" in path}
    assert {path.split("/")[-1] for path in models} == {"model.safetensors"}  # of both networks, and no more
    assert study.products() - models - FIGURE - TABLES == {
        "data/mnist.safetensors",
        *(f"results/tiny/labels/mnist/images-200_corrupt-{p}_seed-0.parquet" for p in ("0.0", "1.0")),
    }


def test_a_file_put_in_by_hand_is_refused_by_name_and_never_lost(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    table = study.folder / "results/tiny/tables/mnist_corruption/ablation.csv"
    table.write_text("mine\n")
    assert "tables/mnist_corruption/ablation.csv: not what dvc.lock records" in study.refused("pull", "fig1a")
    assert table.read_text() == "mine\n"
    assert study.jobs("fig1a") == {"measure_areas": 1, "fig1a": 1}
    table.unlink()
    study.script("pull", "fig1a")
    assert study.jobs("fig1a") == {}


def test_an_old_figure_is_never_called_current(reader, tmp_path):
    """A failed job leaves a record of its new settings: Snakemake alone would take the old figure for new."""
    study = reader.copy(tmp_path / "study")
    study.edit(*MORE_ORDERINGS)
    blocked = study.folder / "results/tiny/figures/.fig1a.partial.png"
    study.script("pull", "fig1a")
    blocked.mkdir()  # the figure's job will fail
    assert study.snakemake("--", "fig1a").returncode != 0
    blocked.rmdir()
    assert study.jobs("fig1a") == {"fig1a": 1}
    study.dvc("checkout", "fig1a")  # the old one, newer than all it could be made from
    assert study.jobs("fig1a") == {"fig1a": 1}
    assert "fig1a 1" in study.script("pull", "fig1a")
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")
    study.edit(*MORE_ORDERINGS[:1], *reversed(MORE_ORDERINGS[1:]))
    study.script("pull", "fig1a")  # settings taken back: what they made gives way to what is recorded
    assert study.jobs("fig1a") == {}


def test_two_branches_each_have_nothing_to_do_after_a_checkout(author, tmp_path):
    study = author.copy(tmp_path / "study")
    study.do("git", "checkout", "-q", "-b", "more")
    study.edit(*MORE_ORDERINGS)
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")
    assert study.snakemake().returncode == 0
    assert "recorded: asked, ablation-mnist_corruption, ablation-conv_corruption, " in study.script("push")
    study.commit("More orderings")
    assert "fig1a_clean_above_corrupted" in study.dvc("metrics", "diff", "main")
    assert "defaults.ablate_cumulative.orderings" in study.dvc("params", "diff", "main")
    for branch in ("main", "more"):
        study.do("git", "checkout", "-q", branch)
        study.dvc("checkout")
        study.script("pull")
        assert study.jobs() == {}
        assert "up to date" in study.dvc("status")
        assert study.do("git", "status", "--porcelain") == ""


def test_a_share_without_a_remote_or_with_an_object_missing_says_what_to_do(author, tmp_path):
    study: Share = author.copy(tmp_path / "author").clone(tmp_path / "study")
    study.dvc("remote", "remove", "--local", "storage")
    assert "no remote is configured: `make remote DIR=...`" in study.refused("pull", "fig1a")
    study.remote(str(tmp_path / "empty"))
    said = study.refused("pull", "fig1a")
    assert "remote 'storage' has no results/tiny/figures/fig1a.p" in said
    assert "which fig1a needs" in said
    assert "the tiny study has no 'fig9z': it has fig1a, " in study.refused("pull", "fig9z")
