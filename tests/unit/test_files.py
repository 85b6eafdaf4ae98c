import subprocess
import sys

import pytest

from directions.files import atomic


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
        "from directions.files import atomic\n"
        f"with atomic({str(tmp_path / 'big.bin')!r}) as partial: partial.write_bytes(bytes(5000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_kill_while_writing_leaves_no_file_that_counts(tmp_path):
    code = (
        "import os, signal\nfrom directions.files import atomic\n"
        f"with atomic({str(tmp_path / 'model.bin')!r}) as partial:\n"
        "    partial.write_bytes(bytes(5000)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert not (tmp_path / "model.bin").exists()
