"""The folder of a training under way: one process at a time, and deleted so that a kill does no harm."""

import fcntl
import os
import shutil

import pytest
import torch

from directions.core import snapshots
from directions.core.errors import InputError
from directions.training import checkpoints
from directions.training.distributed import ALONE


def test_a_second_process_is_told_who_has_the_folder_and_what_to_do(tmp_path):
    resume = tmp_path / "resume"
    with checkpoints.held(resume):
        with pytest.raises(InputError) as caught, checkpoints.held(resume):
            pytest.fail("both have it")
        assert f"{resume} is in use by process {os.getpid()} on " in str(caught.value)
        assert "wait until it ends, or end it, then run again" in str(caught.value)
        (resume / checkpoints.SNAPSHOT).touch()
    assert [path.name for path in resume.iterdir()] == [checkpoints.SNAPSHOT]
    with checkpoints.held(resume):
        checkpoints.forget(resume)
    assert not resume.exists()


def test_a_lock_on_a_file_that_its_holder_has_just_removed_is_no_lock(tmp_path, monkeypatch):
    resume, lock = tmp_path / "resume", fcntl.flock

    def end_of_the_holder(file, how):
        monkeypatch.setattr(fcntl, "flock", lock)
        shutil.rmtree(resume)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", end_of_the_holder)
    with checkpoints.held(resume), pytest.raises(InputError, match="is in use by"), checkpoints.held(resume):
        pytest.fail("both have it")


def test_where_nothing_was_kept_no_folder_is_left(tmp_path):
    with pytest.raises(KeyError), checkpoints.held(tmp_path / "resume"):
        raise KeyError
    assert not (tmp_path / "resume").exists()


def test_a_file_system_without_locks_stops_no_training(tmp_path, monkeypatch, caplog):
    def unknown(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with checkpoints.held(tmp_path / "resume"):
        assert "no locks on this file system" in caplog.text


def test_a_kill_while_the_folder_is_deleted_leaves_no_snapshot(tmp_path, monkeypatch):
    for name in (checkpoints.SNAPSHOT, "epoch-000001.safetensors"):
        (tmp_path / name).touch()
    monkeypatch.setattr(
        shutil, "rmtree", lambda *_args, **_options: None
    )  # killed before it has done a thing
    checkpoints.forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000001.safetensors"]


def test_a_snapshot_is_gone_once_another_training_has_begun_to_replace_its_checkpoints(tmp_path):
    def keeper(settings):
        model = torch.nn.Linear(1, 1)
        return checkpoints.Keeper(
            tmp_path, settings, 30.0, model, torch.optim.SGD(model.parameters()), {0: "0"}
        )

    first = keeper("these settings")
    first.checkpoint(0)
    first.snapshot(checkpoints.Progress(step=3))
    assert keeper("other settings").restored(ALONE).step == 0
    assert keeper("these settings").restored(ALONE).step == 3
    keeper("other settings").checkpoint(0)  # and is killed before it has a snapshot of its own
    assert keeper("these settings").restored(ALONE).step == 0


@pytest.mark.parametrize("first", range(8))
def test_a_snapshot_with_a_bit_that_flipped_is_never_gone_on_from(tmp_path, first):
    path = tmp_path / checkpoints.SNAPSHOT
    snapshots.save(path, "this one", {"weight": torch.arange(64.0), "step": 3})
    right = path.read_bytes()
    known = repr(snapshots.load(path, "this one"))
    taken = set()
    for place in range(first, len(right), 8):
        path.write_bytes(right[:place] + bytes([right[place] ^ 1 << first]) + right[place + 1 :])
        taken.add(repr(snapshots.load(path, "this one")))
    assert taken - {"None"} <= {known}  # a bit before the digest hides it: the parts have checksums, too
    assert "None" in taken


def test_a_snapshot_of_before_there_were_digests_is_gone_on_from_unless_it_is_damaged(tmp_path):
    path = tmp_path / checkpoints.SNAPSHOT
    torch.save({"form": snapshots.FORM, "fingerprint": "this one", "state": {"w": torch.ones(64)}}, path)
    assert snapshots.load(path, "this one")["w"].sum() == 64
    content = path.read_bytes()
    path.write_bytes(content.replace(torch.ones(2).numpy().tobytes(), torch.zeros(2).numpy().tobytes(), 1))
    assert snapshots.load(path, "this one") is None
