"""Jobs that start with PyTorch loaded, as forks of one server: they must not differ from others."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from directions.workflow import forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server needs Linux")

ONE_THREAD = dict.fromkeys(forks.THREADS, "1")
SCRIPT = """
import os, signal, sys, time
from pathlib import Path

import beside

def stopped(*_):
    print("told to stop", flush=True)
    sys.exit(75)

word = sys.argv[1] if len(sys.argv) > 1 else ""
about = beside.name, sys.argv, os.getcwd(), os.environ.get("WORD"), __name__
print("torch" in sys.modules, *about, flush=True)
if word == "wait":
    signal.signal(signal.SIGUSR1, stopped)
    Path("started").write_text(str(os.getpid()))
    time.sleep(60)
elif word == "fail":
    raise ValueError("a fault")
elif word == "say":
    sys.exit("a reason")
elif word:
    sys.exit(int(word))
"""


SNAKEMAKE = """
import os
from directions.workflow import forks
forks.begin()
print(os.environ[forks.ADDRESS], flush=True)
input()
"""


def eventually(happened, seconds=60):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@contextmanager
def serving():
    """Begin as Snakemake does; yield that process and the address of a server that may still load."""
    with subprocess.Popen(
        [sys.executable, "-c", SNAKEMAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as snakemake:
        address = Path(snakemake.stdout.readline().strip())
        eventually(address.exists)
        yield snakemake, address
        snakemake.kill()
    eventually(lambda: not address.parent.exists())


def environment_of(address):
    return os.environ | ONE_THREAD | {forks.ADDRESS: str(address)}


@pytest.fixture(scope="module")
def environment():
    """Of a job that finds a server."""
    with serving() as (_, address):
        yield environment_of(address)


@pytest.fixture
def script(tmp_path):
    (tmp_path / "job.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("name = 'beside'")
    return tmp_path / "job.py"


def command(*arguments):
    return ["python", "-IS", forks.__file__, *map(str, arguments)]


def run(environment, *arguments, **options):
    return subprocess.run(command(*arguments), env=environment, capture_output=True, text=True, **options)


def started(environment, script):
    """Start a job that waits; return who asked for it, and the job."""
    asking = subprocess.Popen(
        command(script, "wait"), env=environment, cwd=script.parent, stdout=subprocess.PIPE, text=True
    )
    note = script.parent / "started"
    eventually(lambda: note.exists() and note.read_text())
    return asking, psutil.Process(int(note.read_text()))


def test_a_warm_job_differs_from_a_cold_one_only_in_what_is_loaded(environment, script):
    environment = environment | {"WORD": "tree"}
    warm = run(environment, script, "0", "--two words", cwd=script.parent)
    cold = subprocess.run(
        ["python", script, "0", "--two words"],
        env=environment,
        cwd=script.parent,
        capture_output=True,
        text=True,
    )
    assert (warm.returncode, warm.stderr) == (cold.returncode, cold.stderr) == (0, "")
    assert warm.stdout == "True" + cold.stdout.removeprefix("False")


@pytest.mark.parametrize(
    ("word", "code", "told"), [("3", 3, ""), ("say", 1, "a reason\n"), ("fail", 1, "ValueError: a fault\n")]
)
def test_it_ends_with_the_same_code_and_words(environment, script, word, code, told):
    done = run(environment, script, word)
    assert done.returncode == code
    assert done.stderr.endswith(told)
    assert ("Traceback" in done.stderr) == (word == "fail")


def test_a_fault_is_told_as_python_tells_it(environment, script):
    cold = subprocess.run(["python", script.name, "fail"], cwd=script.parent, capture_output=True, text=True)
    assert run(environment, script.name, "fail", cwd=script.parent).stderr == cold.stderr


def test_forks_share_no_random_numbers_and_no_folder_for_files(environment, tmp_path):
    """Who forgets to seed must not find the same numbers in all networks."""
    draws = tmp_path / "draws.py"
    draws.write_text(
        "import tempfile, numpy, torch\nprint(numpy.random.rand())\nprint(torch.rand(1).item())\n"
        "print(tempfile.gettempdir())\n"
    )
    mine = environment | {"TMPDIR": str(tmp_path)}
    first, second = (run(mine, draws).stdout.split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert first[2] == second[2] == str(tmp_path)


def test_its_output_goes_where_the_shell_says(environment, script, tmp_path):
    line = f'python -IS {forks.__file__} {script} say > "{tmp_path}/log" 2>&1'
    assert subprocess.run(["bash", "-c", line], env=environment, check=False).returncode == 1
    first, last = (tmp_path / "log").read_text().splitlines()
    assert first.startswith("True beside")
    assert last == "a reason"


def test_signals_are_passed_on(environment, script):
    asking, _ = started(environment, script)
    asking.send_signal(signal.SIGUSR1)
    assert asking.wait(20) == 75
    assert asking.stdout.read().endswith("told to stop\n")


def test_a_job_ended_by_a_signal_says_so(environment, script):
    asking, job = started(environment, script)
    job.kill()
    assert asking.wait(20) == -signal.SIGKILL


def test_a_job_ends_with_who_asked_for_it(environment, script):
    asking, job = started(environment, script)
    asking.kill()
    asking.wait()
    job.wait(20)
    assert run(environment, script).stdout.startswith("True")  # the server goes on


def test_jobs_run_beside_each_other(environment, script):
    asking, _ = started(environment, script)
    assert run(environment, script).stdout.startswith("True")
    assert asking.poll() is None
    asking.kill()
    asking.wait()


def test_a_signal_that_comes_at_once_is_not_lost(environment, script):
    for _ in range(10):
        fork = forks.Fork(environment[forks.ADDRESS], [str(script), "wait"], str(script.parent), environment)
        fork.send(signal.SIGTERM)
        assert fork.wait() == -signal.SIGTERM


def test_a_signal_before_it_has_begun_ends_it(script):
    with serving() as (_, address):  # which still loads libraries
        asking = subprocess.Popen(command(script, "wait"), env=environment_of(address), cwd=script.parent)
        time.sleep(0.3)
        asking.terminate()
        assert asking.wait(20) == -signal.SIGTERM


def test_it_starts_cold_if_the_server_dies_before_it_has_begun(script):
    with serving() as (snakemake, address):
        asking = subprocess.Popen(
            command(script, "3"), env=environment_of(address), stdout=subprocess.PIPE, text=True
        )
        time.sleep(0.3)
        psutil.Process(snakemake.pid).children()[0].kill()
        assert asking.communicate(timeout=20)[0].startswith("False")
        assert asking.returncode == 3
        shutil.rmtree(address.parent)


def test_with_a_closed_output_it_starts_cold(environment, script):
    line = f"python -IS {forks.__file__} {script} 3 <&-"
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout.startswith("False")


@pytest.mark.parametrize("changed", [{forks.ADDRESS: "/nowhere"}, {"OMP_NUM_THREADS": "2"}])
def test_without_a_server_and_for_several_threads_it_starts_cold(environment, script, changed):
    done = run(environment | changed, script, "3")
    assert done.returncode == 3
    assert done.stdout.startswith("False beside")


def test_after_the_end_of_snakemake_a_job_may_end_and_the_server_ends_with_it(script):
    """As without a server, after kill -9."""
    with serving() as (snakemake, address):
        asking, job = started(environment_of(address), script)
        server = job.parent()
        snakemake.kill()
    assert server.is_running()
    asking.send_signal(signal.SIGUSR1)
    assert asking.wait(20) == 75
    asking.communicate()
    server.wait(20)


def test_a_job_dies_with_the_server(script):
    """If it went on, Snakemake would run it again beside the first."""
    with serving() as (_, address):
        asking, job = started(environment_of(address), script)
        job.parent().kill()
        job.wait(20)
        assert asking.wait(20) == -signal.SIGKILL
        asking.communicate()
        assert run(environment_of(address), script, "3").stdout.startswith("False")  # the next starts cold
        shutil.rmtree(address.parent)


def test_without_a_server_there_is_a_warning(monkeypatch, caplog):
    monkeypatch.setenv(forks.ADDRESS, "")
    monkeypatch.delenv("DIRECTIONS_COLD", raising=False)
    monkeypatch.setattr(forks, "SERVER", "/nowhere/fork_server.py")
    forks.begin()
    assert "every job will load PyTorch anew: no server could be started" in caplog.text
    assert not os.environ[forks.ADDRESS]


def test_nothing_of_the_project_is_loaded_before_a_job(environment, tmp_path):
    """A job must see the code as it is when it starts (`check_code`)."""
    lists = tmp_path / "lists.py"
    lists.write_text("import sys\nprint([name for name in sys.modules if name.startswith('directions')])\n")
    assert run(environment, lists).stdout == "[]\n"
