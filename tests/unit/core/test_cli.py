"""How a script sets up torch, and what it does when its code is edited."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from directions.core import cli
from directions.core.errors import InputError
from directions.core.files import contents
from directions.study.deciding_files import Deciding

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def leave_no_trace():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def test_subnormal_numbers_become_zero(monkeypatch):
    monkeypatch.setattr(torch, "set_num_interop_threads", lambda _count: None)  # torch takes it once only
    smallest = torch.finfo(torch.float32).tiny
    numbers = torch.full((1000,), smallest)
    assert (numbers * 0.5).count_nonzero() == 1000
    cli.prepare_torch("cpu", 1)
    assert (numbers * 0.5).count_nonzero() == 0
    assert (numbers * 1.0).count_nonzero() == 1000


def test_ctrl_c_ends_a_script_with_one_line(tmp_path):
    script = tmp_path / "waits.py"
    script.write_text(
        "import signal, time\nfrom directions.core import cli\n\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run in the background\n"
        "def main(_):\n    print('here', flush=True)\n    time.sleep(60)\n\ncli.start(main)\n"
    )
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waits:
        assert waits.stdout.readline() == "here\n"
        waits.send_signal(signal.SIGINT)
        assert waits.communicate(timeout=20)[1] == "interrupted\n"
    assert waits.returncode == 130


@pytest.mark.parametrize("modules", [(), ("directions.figures.fig1a",)])
def test_a_script_runs_only_with_the_code_that_the_workflow_planned(modules):
    script = str(ROOT / "scripts/plot_figure.py")
    planned = Deciding(ROOT).code("plot_figure", *modules)
    cli.check_code([script, "--code", planned, "--png", "x.png"])
    cli.check_code([script, "--png", "x.png"])  # by hand
    with pytest.raises(InputError, match="edited after this job was planned.*: run again"):
        cli.check_code([script, "--code", "0" + planned[1:] if planned[0] != "0" else "1" + planned[1:]])


ENDS = """
import atexit, sys, threading, time
from directions.core import cli

class Loud:
    def __del__(self):
        print("memory was freed")

kept = Loud()

def main(argv):
    atexit.register(print, "exit handler")
    threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
    print("main", *argv)
    if argv:
        raise ValueError("a bug")

cli.start(main)
"""


def test_a_script_ends_as_python_does_but_frees_no_memory(tmp_path):
    script = tmp_path / "ends.py"
    script.write_text(ENDS)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["main", "thread", "exit handler", ""]
    failed = subprocess.run([sys.executable, script, "badly"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "ValueError: a bug" in failed.stderr


@pytest.fixture
def stays(monkeypatch):
    """The process of the tests goes on after `start`."""
    monkeypatch.setattr(cli, "leave", lambda: None)


def test_an_edit_while_a_script_runs_makes_it_fail(monkeypatch, capsys, stays):
    edited, ran = [], []
    monkeypatch.setattr(cli, "contents", lambda _files, _root: "new" if edited else "old")
    monkeypatch.setattr(sys, "argv", [str(ROOT / "scripts/collect.py"), "--code", "old"])
    cli.start(ran.append)
    with pytest.raises(SystemExit) as ended:
        cli.start(edited.append)
    assert ended.value.code == 2
    assert "error: the code was edited" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.start(ran.append)
    assert len(ran) == 1  # the last one did not begin


def test_files_of_the_user_that_change_under_a_job_make_it_fail(monkeypatch, capsys, tmp_path, stays):
    """Though they may be put back later, under their old time: the job's result would not be of them."""
    mine = tmp_path / "nets.py"
    mine.write_text("planned")
    command = ["scripts/try_network.py", "--unchanged", contents([mine]), str(mine), "--threads", "2"]
    monkeypatch.setattr(sys, "argv", command)
    cli.start(lambda _argv: None)
    with pytest.raises(SystemExit) as ended:
        cli.start(lambda _argv: mine.write_text("edited while it ran"))
    assert ended.value.code == 2
    assert f"error: {mine}: changed after this job was planned" in capsys.readouterr().err
    ran = []
    with pytest.raises(SystemExit):
        cli.start(ran.append)
    assert not ran
