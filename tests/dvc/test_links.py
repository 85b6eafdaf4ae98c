"""Links into DVC's cache; a pull that is killed, and two at once."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dvc_shares import Share


def corrupted(cache: Path) -> list[str]:
    """Objects of a DVC cache whose content is no longer what their name says."""
    files = [path for path in (cache / "files/md5").rglob("*") if path.is_file() and path.suffix != ".dir"]
    assert files
    return [
        str(path) for path in files
        if hashlib.md5(path.read_bytes()).hexdigest() != path.parent.name + path.name
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["copy", "symlink", "reflink"])
def test_nothing_is_written_through_a_link_into_the_cache(whole, tmp_path, kind):
    study = whole.copy(tmp_path / "study")
    study.dvc("config", "--local", "cache.type", kind)
    if study.run(sys.executable, "-m", "dvc", "checkout", "--relink") and kind == "reflink":
        pytest.skip("this disk knows no reflinks")
    made = study.folder / "results/tiny/tables/mnist_selectivity/units.csv"
    assert made.is_symlink() == (kind == "symlink")
    study.script("pull", "fig7a")
    assert study.jobs("fig7a") == {}
    before = made.read_bytes()
    study.edit("configs/tiny.yaml", "bins: 4", "bins: 5")
    assert study.snakemake("--", "fig7a").returncode == 0
    assert made.read_bytes() != before
    assert corrupted(study.folder / ".dvc/cache") == []


def test_hard_links_are_refused(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    study.dvc("config", "--local", "cache.type", "hardlink")
    assert "cache.type is hardlink" in study.refused("pull", "fig1a")


def test_a_pull_that_was_killed_is_completed_by_the_next_and_two_at_once_take_turns(author, tmp_path):
    study: Share = author.clone(tmp_path / "study")
    command = [sys.executable, "tools/pull.py"]
    first = subprocess.Popen(command, cwd=study.folder, start_new_session=True, stdout=subprocess.DEVNULL)
    while not any((study.folder / ".dvc/cache").rglob("*")):
        assert first.poll() is None
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    pulls = [
        subprocess.Popen([*command, "fig1a"], cwd=study.folder, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [pull.communicate()[0] for pull in pulls]
    assert [pull.returncode for pull in pulls] == [0, 0]
    assert sum("another pull or push is running" in words for words in said) == 1
    assert study.jobs("fig1a") == {}
