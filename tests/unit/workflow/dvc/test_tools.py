"""How DVC is called: its state where nobody else can enter; what a kill or a full disk left is dealt with."""

import errno
import fcntl
import subprocess
import sys
import threading

import pytest

from directions.core.errors import InputError
from directions.workflow.dvc import recovery, tools


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(tools.SITE_CACHE, raising=False)


def test_dvc_keeps_its_pickled_state_where_only_its_owner_may_go(tmp_path):
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, check=True,
                   env={tools.SITE_CACHE: str(tmp_path / "other"), "HOME": str(tmp_path)})  # fmt: skip
    (tmp_path / ".dvc/tmp").chmod(0o777)
    tools.Dvc(tmp_path).do("status", "--json")
    site = tmp_path / ".dvc/tmp/site"
    assert site.stat().st_mode & 0o777 == 0o700
    assert list(site.rglob("cache.db"))


def test_a_folder_that_the_user_chose_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(tools.SITE_CACHE, "/elsewhere")
    assert tools.private(tmp_path) == "/elsewhere"
    assert not (tmp_path / ".dvc").exists()


@pytest.mark.parametrize("torn", ["", '{"write": {"/a/file": {"pid": 1, "c', "[]"])
def test_a_lock_file_that_a_kill_tore_does_not_stop_the_next_command(tmp_path, torn):
    init = [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"]
    subprocess.run(init, cwd=tmp_path, check=True, env={"HOME": str(tmp_path)})
    (tmp_path / ".dvc/tmp/rwlock").write_text(torn)
    (tmp_path / "file").write_text("content")
    tools.Dvc(tmp_path).do("add", "file")
    assert (tmp_path / "file.dvc").exists()


def test_a_lock_file_that_is_being_written_is_left_to_its_writer(tmp_path):
    path = tmp_path / recovery.RWLOCK
    path.parent.mkdir(parents=True)
    path.write_text("")
    with path.with_name("rwlock.lock").open("w") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        mending = threading.Thread(target=recovery.mend_rwlock, args=(tmp_path,))
        mending.start()
        path.write_text("{}")
    mending.join()
    assert path.read_text() == "{}"


def test_a_full_disk_is_named_and_what_was_copied_in_part_is_removed(tmp_path):
    partial = tmp_path / ".a1b2.tmp"
    partial.write_text("half")
    words = (
        f"ERROR: failed to transfer '1234' - [Errno 28] No space left on device: '/a/file' -> '{partial}'\n"
        "ERROR: failed to push data to the cloud - 1 files failed to upload\n"
    )
    with pytest.raises(InputError, match=f"the disk of {tmp_path} is full .*then rerun the same command"):
        recovery.refuse_full(words)
    assert not partial.exists()
    recovery.refuse_full("ERROR: something else")
    with pytest.raises(InputError, match="is full"):
        recovery.refuse_full("ERROR: unexpected error - database or disk is full")


def test_an_error_of_the_disk_is_a_full_one_only_where_nothing_is_left(monkeypatch):
    words = "ERROR: unexpected error - disk I/O error"
    recovery.refuse_full(words)
    monkeypatch.setattr(recovery, "LITTLE", float("inf"))
    with pytest.raises(InputError, match="is full"):
        recovery.refuse_full(words)


def test_a_full_disk_under_a_file_of_our_own_is_named():
    with pytest.raises(InputError, match="the disk of /dev/full is full"), recovery.full_disk_in_words():
        raise OSError(errno.ENOSPC, "No space left on device", "/dev/full")
    with pytest.raises(PermissionError), recovery.full_disk_in_words():
        raise PermissionError("not ours to put in words")


def test_an_index_that_may_be_incomplete_is_forgotten_but_not_that_of_other_checkouts(tmp_path, monkeypatch):
    index = tmp_path / "root/.dvc/tmp/site/repo/1a2b/index"
    other = tmp_path / "chosen/repo/1a2b/index"
    index.mkdir(parents=True)
    other.mkdir(parents=True)
    dvc = tools.Dvc(tmp_path / "root")
    assert dvc.forget_index()
    assert not index.exists()
    assert not dvc.forget_index()
    monkeypatch.setenv(tools.SITE_CACHE, str(tmp_path / "chosen"))
    assert not dvc.forget_index()
    assert other.exists()
