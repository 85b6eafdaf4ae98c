"""Commands run by copies of one process: to each it must be as if `python` had been started for it."""

import os
import sys

import pytest

from directions.workflow.dvc import fork_server

SHOW = """\
import os, sys
from near import WORD
given = {name: os.environ[name] for name in ("GIVEN", "HOME", "PYTHONPATH") if name in os.environ}
print(WORD, sys.argv[1:], os.getcwd(), given, sys.path[:2])
print("a warning", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "scripts/show.py"
    path.parent.mkdir()
    path.write_text(SHOW)
    path.with_name("near.py").write_text("WORD = 'one'\n")
    return path


def test_a_script_has_its_arguments_folder_environment_and_search_path(script, tmp_path):
    given = {"GIVEN": "yes", "PYTHONPATH": "/elsewhere"}  # without HOME, which all processes have
    done = fork_server.run([sys.executable, script, "a b", 2], tmp_path, given)
    search = [str(script.parent), "/elsewhere"]
    assert done.stdout == f"one ['a b', '2'] {tmp_path} {given} {search}\n"
    assert (done.stderr, done.returncode) == ("a warning\n", 3)


def test_nothing_stays_for_the_next_command(script, tmp_path):
    fork_server.run([sys.executable, script], tmp_path, os.environ | {"GIVEN": "once"})
    script.with_name("near.py").write_text("WORD = 'another'\n")
    done = fork_server.run([sys.executable, script], tmp_path)
    assert done.stdout.startswith("another ")
    assert "GIVEN" not in done.stdout


def test_a_module_is_run_in_its_folder_and_what_it_lacks_is_in_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setitem(fork_server.NEEDS, "mine", ("nothing_of_this_name",))
    command = [sys.executable, "-m", "mine", "--help"]
    assert "No module named mine" in fork_server.run(command, tmp_path).stderr
    (tmp_path / "mine.py").write_text("import sys\nprint(sys.argv[1:])\nimport nothing_of_this_name\n")
    done = fork_server.run(command, tmp_path)
    assert (done.stdout, done.returncode) == ("['--help']\n", 1)
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in done.stderr


def test_a_kill_and_processor_time_are_reported_children_included(script, tmp_path):
    script.write_text("import os\nos.kill(os.getpid(), 9)\n")
    assert fork_server.run([sys.executable, script], tmp_path).returncode == -9
    busy = "import time; [0 for _ in iter(lambda: time.process_time() < 0.2, False)]"
    script.write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])\n")
    assert fork_server.run([sys.executable, script], tmp_path).seconds >= 0.2
