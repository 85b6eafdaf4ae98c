"""How far a study is, from the files that are there and from what Snakemake said last."""

import pandas as pd
import pytest

from directions.workflow.jobs import Job
from directions.workflow.progress import counted, last_events, left, states

SAID = """\
rule train:
    output: results/s/models/e/a/model.safetensors
    log: logs/s/models/e/a.log
    jobid: 3
Group job analyses-e-a (jobs in lexicogr. order):
    rule add_noise:
        output: results/s/noise/e/a.csv
        log: logs/s/noise/e/a.log
[Sat Nov 21 17:48:09 2026]
Error in rule train:
    message: None
    log: logs/s/models/e/a.log, more.log (check log file(s) for error details)
"""
AGAIN = "rule train:\n    log: logs/s/models/e/a.log\n"
JOBS = [
    Job("train", "s/models/e/a", "results/s/models/e/a/model.safetensors", ("fig1a", "fig2a"), "e", "a"),
    Job("train", "s/models/e/b", "results/s/models/e/b/model.safetensors", ("fig1a", "fig2a"), "e", "b"),
    Job("train", "s/models/f/a", "results/s/models/f/a/model.safetensors", ("fig3a",), "f", "a"),
    Job("add_noise", "s/noise/e/a", "results/s/noise/e/a.csv", ("fig2a",), "e", "a"),
    Job("check_claims", "s/claims", "results/s/tables/claims.csv", ()),
]


def test_the_last_word_of_snakemake_on_a_job_counts():
    assert last_events(SAID) == {"s/models/e/a": "failed", "s/noise/e/a": "running"}
    assert last_events(SAID + AGAIN)["s/models/e/a"] == "running"
    assert last_events(SAID + "\nComplete log(s): x\n") == {"s/models/e/a": "failed"}
    assert last_events("") == {}


@pytest.fixture
def table(tmp_path) -> pd.DataFrame:
    """One network of experiment e is trained, in 40 seconds."""
    model = tmp_path / JOBS[1].product
    model.parent.mkdir(parents=True)
    model.touch()
    benchmark = tmp_path / f"benchmarks/{JOBS[1].name}.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\tmax_rss\n40.0\t100\n")
    return states(JOBS, tmp_path, SAID)


def test_jobs_are_counted_per_rule_and_per_figure_that_waits(table):
    assert counted(table, "rule").to_dict("index") == {
        "train": {"done": 1, "running": 0, "failed": 1, "waiting": 1},
        "add_noise": {"done": 0, "running": 1, "failed": 0, "waiting": 0},
        "check_claims": {"done": 0, "running": 0, "failed": 0, "waiting": 1},
    }
    assert counted(table, "figures").to_dict("index") == {
        "fig1a": {"done": 1, "running": 0, "failed": 1, "waiting": 0},
        "fig2a": {"done": 1, "running": 1, "failed": 1, "waiting": 0},
        "fig3a": {"done": 0, "running": 0, "failed": 0, "waiting": 1},
    }


def test_a_product_that_would_be_made_again_is_not_done(table, tmp_path):
    stale = states(JOBS, tmp_path, SAID, {JOBS[1].product: "params have changed"})
    assert counted(stale, "rule").loc["train"].to_dict() == {
        "done": 0, "running": 0, "failed": 1, "waiting": 2
    }  # fmt: skip
    assert left(stale) == {"seconds": 120.0, "unknown": 2}  # as long as when it was last made


def test_what_is_left_takes_as_long_as_what_was_done_of_its_kind(table):
    assert left(table) == {"seconds": 80.0, "unknown": 2}  # two networks; neither noise nor claims were seen
