"""What Snakemake would call current and is not: in a workflow of three rules that need no library."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
import pythons
from checkouts import counted

SNAKEFILE = """
from directions.workflow import snakemake_records

snakemake_records.install()


rule figure:
    input:
        "table.txt",
    output:
        "figure.txt",
    params:
        asked=f"{{\\"settings\\": {config['setting']}}}",
    shell:
        "cp {input} {output}"


rule table:
    output:
        "table.txt",
    params:
        asked=f"{{\\"settings\\": {config['setting']}}}",
        setting=config["setting"],
    shell:
        "test ! -e broken && echo {params.setting} > {output}"


rule slow:
    output:
        "slow.txt",
    shell:
        "touch started; sleep 60; touch {output}"


onstart:
    if not workflow.touch:
        snakemake_records.check(workflow.persistence)
"""


class Small:
    """A folder with the workflow, and what `snakemake` says there."""

    def __init__(self, folder, setting=1):
        self.folder, self.setting = folder, setting

    def command(self, *arguments):
        chosen = ["--cores", "2", "--rerun-incomplete", "--keep-going", "--config", f"setting={self.setting}"]
        return [sys.executable, "-m", "snakemake", *chosen, *arguments]

    def run(self, *arguments, code=0):
        done = pythons.run(self.command(*arguments), self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def jobs(self):
        return counted(self.run("--dry-run"))

    def path(self, name):
        return self.folder / name


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "Snakefile").write_text(SNAKEFILE)
    study = Small(folder)
    study.run()
    return study


@pytest.fixture
def small(made, tmp_path):
    study = Small(shutil.copytree(made.folder, tmp_path / "study"))
    assert study.jobs() == {}
    return study


def test_products_whose_record_is_lost_are_made_again(small):
    shutil.rmtree(small.path(".snakemake"))
    assert small.jobs() == {"table": 1, "figure": 1}
    small.setting = 2
    assert "figure.txt, table.txt: exists, but no record says which settings" in small.run()
    assert small.path("figure.txt").read_text() == "2\n"
    assert small.jobs() == {}


def test_a_table_edited_by_hand_is_refused_and_kept_unless_it_is_declared(small):
    table = small.path("table.txt")
    before = table.stat()
    os.utime(table, (2e9, 2e9))  # another time alone is no edit
    assert small.jobs() == {}
    table.write_text("mine\n")
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))  # and the same time alone is no proof
    assert small.jobs() == {"table": 1, "figure": 1}
    os.utime(table)
    assert counted(small.run("--dry-run", "--", "table.txt")) == {"table": 1}  # also where nobody reads it
    assert "table.txt: not what its job wrote: edited by hand" in small.run(code=1)
    assert (table.read_text(), small.path("figure.txt").read_text()) == ("mine\n", "1\n")
    small.run("--touch", "--force", "--", "table.txt")
    assert small.jobs() == {"figure": 1}
    small.run()
    assert small.path("figure.txt").read_text() == "mine\n"


def test_an_output_of_old_put_back_after_its_job_failed_is_not_current_though_the_run_was_killed(small):
    shutil.copy2(small.path("table.txt"), small.path("old.txt"))
    small.path("broken").touch()
    small.setting = 2
    run = subprocess.Popen(
        small.command("--", "table.txt", "slow.txt"), cwd=small.folder, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for line in run.stdout:
        if "Error in rule table" in line:
            break
    while small.path("table.txt").exists() or not small.path("started").exists():
        assert run.poll() is None
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    small.run("--unlock")
    shutil.copy2(small.path("old.txt"), small.path("table.txt"))
    assert small.jobs() == {"table": 1, "figure": 1}
