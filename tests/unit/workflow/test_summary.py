"""What a run says at its end."""

from pathlib import Path

from directions.workflow.summary import places, reason, summary, warnings


def test_pictures_are_told_folder_by_folder():
    made = ["a/figures/vit.png", "a/both.png", "a/figures/mlp.png"]
    assert places(made) == "figures in a: both\nfigures in a/figures: mlp, vit\n"
    assert places([]) == ""


def test_what_logs_warn_of_is_told_once(tmp_path):
    log = tmp_path / "mlp.log"
    log.write_text(
        "10:00:00 mlp: 3 layers\n10:00:01 warning: mlp: about chance\n10:00:02 warning: mlp: about chance\n"
    )
    assert warnings([log, tmp_path / "gone.log"]) == "warning: mlp: about chance\n"


def test_the_error_of_a_script_is_told_whole(tmp_path):
    log = tmp_path / "job.log"
    log.write_text(
        "12:00:00 trying\nerror: an early one\n12:00:01 again\nerror: no file\nways:\n  1. get it\n"
    )
    assert reason(log) == ["error: no file", "ways:", "  1. get it"]


def test_of_a_job_that_died_otherwise_the_last_line_is_told(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("Traceback (most recent call last):\n  ...\nMemoryError\n")
    assert reason(log) == ["MemoryError"]
    log.write_text("")
    assert reason(log) == reason(tmp_path / "none.log") == ["it left no log"]


TORCHRUN = """\
W1121 15:19:00.914000 18062 torch/distributed/elastic/api.py:1028] Sending process 18105 closing signal
E1121 15:19:00.950000 18062 torch/distributed/elastic/api.py:1002] failed (exitcode: -9) rank: 1
Traceback (most recent call last):
  ...
============================================================
scripts/train.py FAILED
"""


def test_what_torchrun_says_after_an_error_is_left_out(tmp_path):
    log = tmp_path / "job.log"
    log.write_text(f"error: no such number\nstart 1 or 2\n12:00:00 of another process\n{TORCHRUN}")
    assert reason(log) == ["error: no such number", "start 1 or 2"]
    log.write_text(f"error: no such number\n{TORCHRUN}")
    assert reason(log) == ["error: no such number"]


def test_of_processes_that_died_otherwise_the_last_line_and_how_one_ended_are_told(tmp_path):
    log = tmp_path / "job.log"
    log.write_text(f"12:00:00 2 processes\n12:00:09 step 7\n{TORCHRUN}")
    assert reason(log) == ["12:00:09 step 7", TORCHRUN.splitlines()[1]]


def test_figures_and_reasons(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("error: no file\n")
    assert summary(["fig1a", "fig2a"], ["fig7a"], {str(log): ["fig7a"], "none.log": []}).splitlines() == [
        "",
        "figures that are ready: fig1a, fig2a",
        "figures that are not: fig7a",
        "",
        f"{log} (stops fig7a):",
        "  error: no file",
        "",
        "none.log (stops no figure):",
        "  it left no log",
    ]
    assert "ready: none" in summary([], ["fig1a"], {})
    assert "figures that" not in summary([], [], {str(log): []})  # a table was asked for


def test_jobs_that_failed_for_the_same_reason_are_told_once(tmp_path):
    logs = [str(tmp_path / f"{name}.log") for name in ("a", "b", "c")]
    for log, why in zip(logs, ("no file", "no memory", "no file"), strict=True):
        Path(log).write_text(f"error: {why}\n")
    lost = summary([], ["fig1a"], {"gone.log": [], "lost.log": []})
    assert "gone.log (stops" in lost  # nobody knows why either failed
    assert "lost.log (stops" in lost
    said = summary([], ["fig1a", "fig2a"], dict(zip(logs, (["fig1a"], [], ["fig2a"]), strict=True)))
    assert said.splitlines()[4:] == [
        f"{logs[0]} and 1 more, for the same reason (stops fig1a, fig2a):",
        "  error: no file",
        "",
        f"{logs[1]} (stops no figure):",
        "  error: no memory",
    ]
