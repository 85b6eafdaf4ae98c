"""What `make push` takes and refuses; S3, links into the cache, kills, two pulls at once."""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import storage_servers
from dvc_shares import Share

TABLE = "results/tiny/tables/mnist_corruption/ablation.csv"


def corrupted(cache: Path) -> list[str]:
    """Objects of a DVC cache whose content is no longer what their name says."""
    files = [path for path in (cache / "files/md5").rglob("*") if path.is_file() and path.suffix != ".dir"]
    assert files
    return [
        str(path) for path in files
        if hashlib.md5(path.read_bytes()).hexdigest() != path.parent.name + path.name
    ]  # fmt: skip


def test_another_result_of_the_same_job_is_recorded_only_on_purpose(author, tmp_path):
    study = author.copy(tmp_path / "study")
    table = study.folder / TABLE
    table.write_text(table.read_text() + "\n")
    assert "not up to date, so not recorded: fig1a" in study.refused("push", "fig1a")
    assert study.snakemake("--", "fig1a").returncode == 0  # made from what was edited by hand
    said = study.refused("push", "fig1a")
    assert f"{TABLE}: dvc.lock has another content for the same settings, code and inputs" in said
    assert study.do("git", "status", "--porcelain") == ""
    assert "table-mnist_corruption-ablation" in study.script("push", "fig1a", "--renew")


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


@pytest.mark.parametrize("kind", ["symlink", "reflink"])
def test_nothing_is_written_through_a_link_into_the_cache(whole, tmp_path, kind):
    study = whole.copy(tmp_path / "study")
    study.dvc("config", "--local", "cache.type", kind)
    if study.run(sys.executable, "-m", "dvc", "checkout", "--relink") and kind == "reflink":
        pytest.skip("this disk knows no reflinks")
    study.script("pull")
    assert study.jobs() == {}
    study.edit("configs/tiny.yaml", "repeats: 2", "repeats: 3")
    assert study.snakemake().returncode == 0
    assert corrupted(study.folder / ".dvc/cache") == []


def test_hard_links_are_refused(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    study.dvc("config", "--local", "cache.type", "hardlink")
    assert "cache.type is hardlink" in study.refused("pull", "fig1a")


def test_a_pull_that_was_killed_is_completed_by_the_next_and_two_at_once_take_turns(author, tmp_path):
    study: Share = author.clone(tmp_path / "study")
    command = [sys.executable, "scripts/pull.py"]
    first = subprocess.Popen(command, cwd=study.folder, start_new_session=True, stdout=subprocess.DEVNULL)
    while not any((study.folder / ".dvc/cache").rglob("*")):
        assert first.poll() is None
        time.sleep(0.01)
    subprocess.run(["kill", f"-{signal.SIGKILL}", f"-{first.pid}"], check=True)
    first.wait()
    pulls = [
        subprocess.Popen([*command, "fig1a"], cwd=study.folder, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [pull.communicate()[0] for pull in pulls]
    assert [pull.returncode for pull in pulls] == [0, 0]
    assert sum("another pull or push is at work" in words for words in said) == 1
    assert study.jobs("fig1a") == {}


def test_a_file_of_the_user_among_the_raw_data_is_left_alone(author, tmp_path):
    study: Share = author.copy(tmp_path / "author").clone(tmp_path / "study")
    own = study.folder / "data/raw/mnist/mine.txt"
    own.parent.mkdir()
    own.write_text("mine\n")
    study.edit("src/directions/recipe.py", '"data": 1', '"data": 2')
    study.script("pull", "fig1a")  # the data set is to be made again, from its raw files
    assert {path.name for path in own.parent.iterdir()} == {
        "mine.txt", *(f"{part}-ubyte.gz" for part in (
            "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"
        )),
    }  # fmt: skip
    assert own.read_text() == "mine\n"
    assert study.jobs("fig1a")["prepare_data"] == 1
