"""Commands run by copies of one process: to each it must be as if `python` had been started for it."""

import os
import subprocess
import sys

import pytest
import pythons

from directions.workflow.dvc import forked_commands

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


@pytest.fixture(params=[forked_commands.run, pythons.run])
def run(request):
    return request.param


def test_a_script_has_its_arguments_folder_environment_and_search_path(run, script, tmp_path):
    given = {"GIVEN": "yes", "PYTHONPATH": "/elsewhere"}  # without HOME, which all processes have
    done = run([sys.executable, script, "a b", 2], tmp_path, given)
    search = [str(script.parent), "/elsewhere"]
    assert done.stdout == f"one ['a b', '2'] {tmp_path} {given} {search}\n"
    assert (done.stderr, done.returncode) == ("a warning\n", 3)


def test_nothing_stays_for_the_next_command(run, script, tmp_path):
    run([sys.executable, script], tmp_path, os.environ | {"GIVEN": "once"})
    script.with_name("near.py").write_text("WORD = 'another'\n")
    done = run([sys.executable, script], tmp_path)
    assert done.stdout.startswith("another ")
    assert "GIVEN" not in done.stdout


def test_a_module_is_run_in_its_folder_and_what_it_lacks_is_in_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setitem(forked_commands.NEEDS, "mine", ("nothing_of_this_name",))
    command = [sys.executable, "-m", "mine", "--help"]
    assert "No module named mine" in forked_commands.run(command, tmp_path).stderr
    (tmp_path / "mine.py").write_text("import sys\nprint(sys.argv[1:])\nimport nothing_of_this_name\n")
    done = forked_commands.run(command, tmp_path)
    assert (done.stdout, done.returncode) == ("['--help']\n", 1)
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in done.stderr


def test_a_kill_is_reported(run, script, tmp_path):
    script.write_text("import os\nos.kill(os.getpid(), 9)\n")
    assert run([sys.executable, script], tmp_path).returncode == -9


def test_scripts_run_beside_each_other_and_write_to_what_they_are_given(script, tmp_path):
    """Each of two waits for the file of the other; the second line of a shared file follows the first."""
    script.write_text(
        "import sys, time\nfrom pathlib import Path\nmine, other = sys.argv[1:]\nPath(mine).touch()\n"
        "while not Path(other).exists():\n    time.sleep(0.01)\n"
        "print(mine, flush=True)\nprint(other, file=sys.stderr)\n"
    )
    env = pythons.quick_python(os.environ)
    both = [
        subprocess.Popen(f"python {script} {a} {b} > {a}.log 2>&1", cwd=tmp_path, env=env, shell=True)
        for a, b in ("xy", "yx")
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "x.log").read_text() == "x\ny\n"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("pass", 0, "first\nlast"),
        ("sys.exit()", 0, "first\nlast"),
        ("sys.exit('a reason')", 1, "a reason\nfirst\nlast"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\nfirst\nlast"),
    ],
)
def test_a_script_ends_as_python_ends_it(run, script, tmp_path, end, code, said):
    """Its threads end first, then what it registered runs, and all it printed is there."""
    script.write_text(
        "import atexit, sys, threading, time\n"
        "def late():\n    time.sleep(0.2)\n    print('first', file=sys.stderr)\n"
        "atexit.register(lambda: print('last', end='', file=sys.stderr))\n"
        "threading.Thread(target=late).start()\n"
        f"print('out')\n{end}\n"
    )
    done = run([sys.executable, script], tmp_path)
    assert (done.returncode, done.stdout) == (code, "out\n")
    assert done.stderr.endswith(said)
    bare = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (bare.returncode, bare.stdout, bare.stderr[-len(said) :]) == (code, "out\n", said)


def test_torchrun_s_processes_are_copies_too(script, tmp_path):
    script.write_text("import os, sys\nprint(os.environ['RANK'], 'torch' in sys.modules)\n")
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        script,
    ]
    done = pythons.run(torchrun, tmp_path, pythons.quick_python(os.environ))
    assert sorted(done.stdout.splitlines()) == ["0 True", "1 True"]
