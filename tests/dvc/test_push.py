"""What `make push` takes and refuses; S3 and SSH; the user's own files among the raw data."""

import shutil

import pytest
import storage_servers
import yaml
from dvc_shares import Share

from directions.workflow.dvc.record import Record
from directions.workflow.dvc.tools import kept_as

TABLE = "results/tiny/tables/mnist_corruption/ablation.csv"


def test_another_result_of_the_same_job_is_recorded_only_on_purpose(author, tmp_path):
    study = author.copy(tmp_path / "study")
    table = study.folder / TABLE
    table.write_text(table.read_text() + "\n")
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")
    assert study.snakemake("--touch", "--force", "--", TABLE).returncode == 0  # declared to be right
    assert study.snakemake("--", "fig1a").returncode == 0
    said = study.refused("push", "fig1a")
    assert f"{TABLE}: dvc.lock has another content for the same settings, code and inputs" in said
    assert study.do("git", "status", "--porcelain") == ""
    assert "table-mnist_corruption-ablation" in study.script("push", "fig1a", "--renew")


def test_what_dvc_alone_brought_is_not_recorded_as_made_by_other_settings(author, tmp_path):
    study = author.clone(tmp_path / "study")
    tables = [f"table-mnist_corruption-{name}" for name in ("runs", "ablation", "areas")]
    for stage in (*tables, "fig1a"):
        study.dvc("pull", stage)  # files as old as Snakemake wants them, and no record
    study.edit("configs/tiny.yaml", "orderings: 3", "orderings: 4")
    assert study.jobs("results/tiny/figures/fig1a.png")["fig1a"] == 1
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")


def test_what_is_made_from_files_that_nothing_records_is_not_recorded(author, tmp_path):
    study = author.copy(tmp_path / "study")
    (study.folder / "dvc.lock").unlink()
    assert study.snakemake("--cleanup-metadata", "data/mnist.safetensors").returncode == 0
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")
    assert not (study.folder / "dvc.lock").exists()


def test_one_figure_of_a_finished_study_is_recorded_with_all_of_each_stage_behind_it(author, tmp_path):
    study = author.copy(tmp_path / "study")
    (study.folder / "dvc.lock").unlink()
    said = study.script("push", "fig2a")  # DVC has the ledgers of all experiments in one stage
    assert (
        "recorded: asked, data-mnist, labels-mnist, models-mnist_corruption, noise-mnist_corruption," in said
    )
    assert "fig1b" not in (study.folder / "dvc.lock").read_text()


def test_one_figure_of_an_unfinished_study_is_recorded_with_the_ledgers_of_networks_not_trained(
    author, tmp_path
):
    study = author.copy(tmp_path / "study")
    before = (study.folder / "dvc.lock").read_text()
    (study.folder / "dvc.lock").unlink()
    ledger = "results/tiny/labels/mnist/images-60_corrupt-0.0_seed-0.parquet"  # of conv_corruption, Figure 1b
    (study.folder / ledger).unlink()
    said = study.script("push", "fig2a")
    assert "making 1 more label ledgers, of networks that are not here" in said
    assert "labels-mnist" in said
    record = yaml.safe_load((study.folder / "dvc.lock").read_text())["stages"]
    assert record["labels-mnist"] == yaml.safe_load(before)["stages"]["labels-mnist"]
    assert "fig2a" in record
    assert "fig1b" not in record


@pytest.mark.parametrize("server", [storage_servers.s3, storage_servers.ssh])
def test_products_travel_over_a_real_server(author, tmp_path, server):
    with server(tmp_path) as (address, settings):
        study = author.copy(tmp_path / "author")
        study.remote(address, **settings)
        assert "recorded: nothing new" in study.script("push", "fig1a")
        assert study.do("git", "status", "--porcelain") == ""
        clone: Share = author.clone(tmp_path / "clone")
        clone.remote(address, **settings)
        clone.script("pull", "fig1a")
        assert clone.jobs("fig1a") == {}
        assert study.run("git", "grep", "--quiet", "--fixed-strings", address, "--", ".dvc") == 1


def test_a_file_of_the_user_among_the_raw_data_is_left_alone(author, tmp_path):
    study: Share = author.copy(tmp_path / "author").clone(tmp_path / "study")
    own = study.folder / "data/raw/mnist/mine.txt"
    own.parent.mkdir()
    own.write_text("mine\n")
    study.edit("src/directions/core/recipe.py", '"data": 1', '"data": 2')
    study.script("pull", "fig1a")  # the data set is to be made again, from its raw files
    assert {path.name for path in own.parent.iterdir()} == {
        "mine.txt", *(f"{part}-ubyte.gz" for part in (
            "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"
        )),
    }  # fmt: skip
    assert own.read_text() == "mine\n"
    assert study.jobs("fig1a")["prepare_data"] == 1


def test_a_recorded_file_that_was_copied_here_is_shared_too(author, tmp_path):
    study = author.clone(tmp_path / "study")
    (tmp_path / "storage").mkdir()
    study.remote(str(tmp_path / "storage"))
    path = "data/mnist.safetensors"
    shutil.copy2(author.folder / path, study.folder / path)  # neither Snakemake nor DVC knows it
    study.script("push")
    assert (tmp_path / "storage" / kept_as(Record(study.folder).by_path[path].outs[path])).is_file()
