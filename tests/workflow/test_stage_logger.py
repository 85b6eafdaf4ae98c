"""`snakemake --logger stages`, as in `make quick`: what it says of a run that works and of one that fails."""

import os
import subprocess
import sys

from checkouts import ROOT

SNAKEFILE = """
rule all:
    input: "c.txt"
rule first:
    output: "{name}.first"
    log: "logs/{name}.log"
    shell: "echo {wildcards.name} > {output}"
rule second:
    input: "a.first", "b.first"
    output: "c.txt"
    log: "logs/second.log"
    shell: "if [ -e broken ]; then echo the disk is full > {log}; exit 1; fi; cat {input} > {output}"
"""


def run(folder):
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--logger", "stages", "--show-failed-logs"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env)


def test_a_run_says_a_line_per_stage_and_a_failure_its_log(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "broken").touch()
    failed = run(tmp_path)
    assert failed.returncode == 1
    assert "first: all 2 done" in failed.stderr
    assert "second: done" not in failed.stderr
    assert "Error in rule second" in failed.stderr
    assert "the disk is full" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "RuleException" not in failed.stderr

    (tmp_path / "broken").unlink()
    works = run(tmp_path)
    assert works.returncode == 0
    plan, *lines = works.stderr.strip().splitlines()
    assert plan.startswith("2 jobs on 2 cores")
    assert [line.split("  ")[-1].strip() for line in lines] == ["second: done"]

    assert "Nothing to be done" in run(tmp_path).stderr
