"""Remotes and caches whose bytes are not those that name them; locks and torn files that a kill leaves."""

import functools
import shutil
import sys
import threading
from contextlib import contextmanager, nullcontext
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dvc_shares import Share

from directions.workflow.dvc.record import Record
from directions.workflow.dvc.tools import kept_as

FIGURE = "results/tiny/figures/fig1a.png"


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def http(folder: Path):
    """The address of a server that hands out the files of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture
def storage(author, tmp_path) -> Path:
    """A copy of the author's remote, to be damaged."""
    return Path(shutil.copytree(author.dvc("config", "remote.storage.url").strip(), tmp_path / "storage"))


def kept(author: Share, path: str = FIGURE) -> str:
    """Where a remote or a cache keeps a product."""
    return kept_as(Record(author.folder).by_path[path].outs[path])


def damage(file: Path) -> bytes:
    """Give a file other content, and DVC's sign that it was checked; return what it was."""
    before = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    file.chmod(0o444)
    return before


@pytest.mark.parametrize("served", [http, nullcontext])
def test_a_damaged_object_is_never_taken_and_named_with_its_remote_and_the_way_out(
    author, storage, tmp_path, served
):
    damaged = storage / kept(author)
    right = damage(damaged)
    study: Share = author.clone(tmp_path / "study")
    with served(storage) as address:
        study.remote(str(address))  # without `verify`, which only `make remote` sets
        said = study.refused("pull", "fig1a")
        assert f"remote 'storage' ({address}) is damaged" in said
        assert f"{kept(author)} ({FIGURE})" in said
        assert "Delete it there, then `make push`" in said
        assert not (study.folder / FIGURE).exists()
        assert not (study.folder / ".dvc/cache" / kept(author)).exists()
        damaged.chmod(0o644)
        damaged.write_bytes(right)
        study.script("pull", "fig1a")
    assert (study.folder / FIGURE).read_bytes() == right
    assert study.jobs("fig1a") == {}


def test_a_damaged_object_that_dvc_alone_brought_without_a_check_is_never_declared(author, storage, tmp_path):
    damage(storage / kept(author))
    study: Share = author.clone(tmp_path / "study")
    with http(storage) as address:
        study.remote(address)
        state = study.folder / ".dvc/tmp/site"  # as in an activated .venv
        state.mkdir(parents=True)
        # Over http it checks nothing, and takes what came for right from then on.
        dvc = (sys.executable, "-m", "dvc")
        assert study.run(*dvc, "pull", "fig1a", DVC_SITE_CACHE_DIR=str(state)) == 0, study.said
        said = study.refused("pull", "fig1a")
        # Found by its content, or by DVC itself if its state does not vouch for the file.
        assert f"{FIGURE}: not what dvc.lock records" in said or f"damaged copy of {FIGURE}" in said
        assert study.jobs("fig1a") != {}
        (study.folder / FIGURE).unlink(missing_ok=True)
        assert "is damaged" in study.refused("pull", "fig1a")


def test_a_damaged_copy_in_the_cache_is_replaced_by_that_of_the_remote(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    right = damage(study.folder / ".dvc/cache" / kept(reader))
    (study.folder / FIGURE).unlink()
    assert f"removed a damaged copy of {FIGURE}" in study.script("pull", "fig1a")
    assert (study.folder / FIGURE).read_bytes() == right


def test_a_lock_that_a_killed_pull_left_is_named_with_what_removes_it(reader, tmp_path):
    study = reader.copy(tmp_path / "study")
    (study.folder / FIGURE).unlink()  # so that the pull has something to tell Snakemake
    lock = study.folder / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(f"{FIGURE}\n")
    said = study.refused("pull", "fig1a")
    assert ".snakemake/locks/0.output.lock locks it" in said
    assert "`snakemake --unlock`" in said
    assert study.snakemake("--unlock").returncode == 0
    assert not lock.exists()
