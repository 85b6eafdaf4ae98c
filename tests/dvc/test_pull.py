"""A reader's clone: what `make pull` brings, and what Snakemake then has to do, as exact sets of jobs."""

import shutil
import sys

import yaml
from dvc_shares import Share

TABLES = {f"results/tiny/tables/mnist_corruption/{name}.csv" for name in ("ablation", "areas", "runs")}
FIGURE = {f"results/tiny/figures/fig1a.{kind}" for kind in ("pdf", "png")}
FIG1A_AGAIN = {"ablate_cumulative": 2, "collect": 1, "measure_areas": 1, "fig1a": 1}
FIG1A_FROM_NOTHING = {"prepare_data": 1, "corrupt_labels": 2, "train": 2, **FIG1A_AGAIN, "collect": 2}
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


def test_a_figure_in_ones_own_colours_needs_its_tables_only(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    before = (study.folder / "results/tiny/figures/fig1a.png").read_bytes()
    study.edit("src/directions/figures/style.py", "0.88 * fraction", "0.44 * fraction")
    assert study.jobs("fig1a") == {"fig1a": 1}
    study.do(sys.executable, "-m", "snakemake", "--cores", "2", "--", "fig1a")
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
    assert study.jobs("fig1a") == FIG1A_FROM_NOTHING  # not drawn from what no job made
    assert study.snakemake("--", "fig1a").returncode != 0
    assert table.read_text() == "mine\n"
    table.unlink()
    study.script("pull", "fig1a")
    assert study.jobs("fig1a") == {}


def test_a_file_put_in_by_hand_is_found_also_by_the_pull_of_another_figure(whole, tmp_path):
    study = whole.copy(tmp_path / "study")
    table = study.folder / "results/tiny/tables/mnist_corruption/noise.csv"
    table.write_text(table.read_text() + "\n")
    study.script("pull", "fig1a")
    assert study.jobs("fig1a", "fig2a") == {"collect": 1, "fig2a": 1}


def publish(study: Share) -> None:
    """Commit the study's tables and figures as `make results` does."""
    for folder in ("tables", "figures"):
        shutil.copytree(study.folder / "results/tiny" / folder, study.folder / "docs/results/tiny" / folder)
    study.do("git", "add", "docs/results")
    study.do("git", "commit", "--quiet", "--message", "published")


def test_a_published_figure_needs_no_remote(author, tmp_path):
    share: Share = author.copy(tmp_path / "author")
    publish(share)
    study = share.clone(tmp_path / "study")
    study.dvc("remote", "remove", "--local", "storage")
    assert "DVC's cache and the copies in git" in study.script("pull", "fig1a")
    assert study.products() == FIGURE | TABLES
    assert study.jobs("fig1a") == {}
    assert study.do("git", "status", "--porcelain") == ""
    assert "mnist.safetensors" in study.refused("pull")  # data and networks are not in git


def test_a_study_that_is_published_but_not_recorded_says_where_its_figures_are(author, tmp_path):
    share: Share = author.copy(tmp_path / "author")
    publish(share)
    lock = share.folder / "dvc.lock"
    record = yaml.safe_load(lock.read_text())
    record["stages"] = {name: one for name, one in record["stages"].items() if not name.startswith("fig")}
    lock.write_text(yaml.safe_dump(record))
    said = share.refused("pull", "fig1a")
    assert "has no figure of study tiny. Its tables and figures are in docs/results/tiny" in said
    assert "`directions figure fig1a docs/results/tiny --output FILE`" in said


def test_a_published_copy_that_was_changed_is_not_used(author, tmp_path):
    share: Share = author.copy(tmp_path / "author")
    publish(share)
    study = share.clone(tmp_path / "study")
    table = study.folder / "docs/results/tiny/tables/mnist_corruption/areas.csv"
    table.write_text(table.read_text().replace("zero", "zeroes"))
    study.script("pull", "fig1a")  # from the remote
    assert study.jobs("fig1a") == {}
    alone = share.clone(tmp_path / "alone")
    (alone.folder / table.relative_to(study.folder)).write_text("mine")
    alone.dvc("remote", "remove", "--local", "storage")
    said = alone.refused("pull", "fig1a")
    assert "areas.csv, needed by fig1a: neither here nor in git, and no remote is configured" in said
    assert "If you changed docs/results/tiny: `git checkout -- docs/results/tiny`." in said
    assert "`snakemake --cores all --config study=tiny -- fig1a`" in said
    assert alone.products() == set()
    alone.do("git", "checkout", "--", "docs/results/tiny")
    file = alone.folder / "no folder"
    file.touch()
    alone.dvc("config", "--local", "cache.dir", str(file / "cache"))
    assert "cannot be written to" in alone.refused("pull", "fig1a")


def test_a_share_without_a_remote_or_with_an_object_missing_says_what_to_do(author, tmp_path):
    study: Share = author.copy(tmp_path / "author").clone(tmp_path / "study")
    study.dvc("remote", "remove", "--local", "storage")
    assert "no remote is configured: `make remote DIR=...`" in study.refused("pull", "fig1a")
    assert "no remote is configured: `make remote DIR=...`" in study.refused("push")
    assert "figures and their tables need no remote: `make pull FIG=fig1a`" in study.refused("pull")
    study.remote(str(tmp_path / "empty"))
    said = study.refused("pull", "fig1a")
    assert "remote 'storage' has no results/tiny/figures/fig1a.p" in said
    assert "needed by fig1a" in said
    assert "the tiny study has no 'fig9z': it has fig1a, " in study.refused("pull", "fig9z")
