import os
import subprocess
import sys

import pytest

from directions.core import files
from directions.core.files import atomic, contents


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def fail():
        with atomic(target) as partial:
            partial.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_is_full_leaves_no_file(tmp_path):
    """A limit on file size is a real failing write, as on a full disk."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from directions.core.files import atomic\n"
        f"with atomic({str(tmp_path / 'big.bin')!r}) as partial: partial.write_bytes(bytes(5000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_kill_while_writing_leaves_no_file_that_counts(tmp_path):
    code = (
        "import os, signal\nfrom directions.core.files import atomic\n"
        f"with atomic({str(tmp_path / 'model.bin')!r}) as partial:\n"
        "    partial.write_bytes(bytes(5000)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert not (tmp_path / "model.bin").exists()


def test_a_digest_follows_content_and_order_and_not_the_time_or_the_place(tmp_path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("a")
        (tmp_path / folder / "b.py").write_text("b")
    os.utime(tmp_path / "there/a.py", (0, 0))
    found = contents(["a.py", "b.py"], tmp_path / "here")
    assert len(found) == 16
    assert contents(["a.py", "b.py"], tmp_path / "there") == found
    assert contents(["b.py", "a.py"], tmp_path / "here") != found
    (tmp_path / "there/a.py").write_text("c")
    os.utime(tmp_path / "there/a.py", (0, 0))  # the old time
    assert contents(["a.py", "b.py"], tmp_path / "there") != contents(["a.py", "gone.py"], tmp_path / "here")
    assert contents(["a.py", "b.py"], tmp_path / "there") != found


def test_a_file_is_read_once_however_many_jobs_it_decides(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("a")
    read = []
    hashed = files.hashlib.file_digest
    monkeypatch.setattr(files.hashlib, "file_digest", lambda *args: read.append(1) or hashed(*args))
    assert contents([tmp_path / "a.py"] * 3) == contents([tmp_path / "a.py"] * 3)
    assert len(read) == 1


def test_of_a_large_file_size_and_time_of_change_stand_for_the_content(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE", 3)
    (tmp_path / "w.pt").write_text("abc")
    os.utime(tmp_path / "w.pt", (5, 5))
    found = contents([tmp_path / "w.pt"])
    os.utime(tmp_path / "w.pt", (4, 4))  # older, too
    assert contents([tmp_path / "w.pt"]) != found
