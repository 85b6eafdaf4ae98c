"""The lines of a run: finished stages, what is running, and the time left."""

import pytest

from snakemake_logger_plugin_stages.lines import StageLines


class Run:
    """Eight jobs of two rules on two cores, with a clock that the test moves."""

    def __init__(self):
        self.now = 100.0
        self.lines = StageLines(lambda: self.now)
        self.lines.machine(2)
        self.said = [self.lines.planned({"train": 6, "fig1a": 2, "total": 8})]

    def job(self, number, rule, seconds, name="quick/models/a"):
        self.lines.started(number, rule, [f"logs/{name}.log"])
        self.now += seconds
        return self.lines.finished(number)


def test_the_plan_is_said_first():
    assert Run().said == ["8 jobs on 2 cores; Snakemake's own log is in .snakemake/log"]


def test_a_stage_has_a_line_when_its_last_job_is_done():
    run = Run()
    lines = [run.job(number, "train", 20) for number in range(6)]
    assert lines[:5] == [None] * 5
    assert lines[5] == "  2:00  6 of 8 jobs  about 40 s left    train: all 6 done"
    run.job(6, "fig1a", 5)
    assert run.job(7, "fig1a", 5) == "  2:10  8 of 8 jobs                     fig1a: all 2 done"


def test_the_time_left_counts_the_jobs_to_go_of_each_rule_by_their_own_mean():
    run = Run()
    run.job(6, "fig1a", 60)
    for number in range(4):
        run.job(number, "train", 10)
    assert run.lines.seconds_left() == pytest.approx(2 * 10 + 60)
    run.lines.started(4, "train", None)
    run.lines.started(5, "train", None)
    run.now += 5  # two at once from now on: 110 seconds of work in 105
    assert run.lines.seconds_left() == pytest.approx((2 * 5 + 60) * 105 / 110)


def test_nothing_is_estimated_from_too_few_jobs():
    run = Run()
    for number in range(4):
        run.job(number, "train", 10)
    assert run.lines.seconds_left() is None


def test_what_is_running_is_said_after_a_silence():
    run = Run()
    run.lines.started(0, "train", ["logs/quick/models/a.log"])
    run.lines.started(1, "train", ["logs/quick/models/b.log"])
    run.now += 14
    assert run.lines.beat() is None
    run.now += 1
    assert run.lines.beat() == "  0:15  0 of 8 jobs                     running quick/models/a and 1 more"
    assert run.lines.beat() is None


def test_failed_jobs_are_counted_and_no_longer_running():
    run = Run()
    run.lines.started(0, "train", ["logs/quick/models/a.log"])
    run.lines.failed(0)
    run.lines.failed(0)
    run.lines.started(1, "train", ["logs/quick/models/b.log"])
    run.now += 20
    assert run.lines.beat().endswith("  1 failed  running quick/models/b")
    assert run.lines.finished(0) is None


@pytest.mark.parametrize(
    ("message", "heard"),
    [("Building DAG of jobs...", False), ("Nothing to be done (all", True), ("Will exit after", True)],
)
def test_only_what_says_nothing_about_the_run_is_left_out(message, heard):
    assert StageLines().heard(message) == heard


def test_what_snakemake_says_again_and_again_is_said_once():
    lines = StageLines()
    assert [lines.heard(said) for said in ("stop", "stop", "go", "stop")] == [True, False, True, True]
