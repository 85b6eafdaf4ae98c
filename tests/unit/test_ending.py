"""What a run that failed says at its end."""

from directions.ending import reason, summary


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
