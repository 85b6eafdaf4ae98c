"""What may happen to training jobs on a cluster: each network ends with an unbroken run's weights.

All of it happens at once, to six networks that one Snakemake submits: a time limit is a minute at least.
"""

import re
import signal
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from clusters import PATIENCE, Study, copied, model, snapshot, wait_until

CANCELLED, REQUEUED, WARNED, TIMED_OUT, KILLED, STARVED = range(6)  # the seed of each network
SIZES = "    mem_mb: 8000 * attempt\n    runtime: 240 * attempt\n    # Slurm asks"
MB = f"450 if run == 'seed-{STARVED}' or (run == 'seed-{KILLED}' and attempt == 1) else 8000"
MINUTES = f"60 if attempt > 1 or run not in ['seed-{WARNED}', 'seed-{TIMED_OUT}'] else 30"
SMALL = (
    SIZES.replace("8000 * attempt", MB)
    .replace("240 * attempt", MINUTES)
    .replace("run ==", "wildcards.run ==")
    .replace("run not", "wildcards.run not")
)
# Slurm looks every 30 seconds for what is due within 30 seconds: a minute or less before such a job's end.
SIGNAL = f"\"'--signal=TERM@30' if wildcards.run == 'seed-{WARNED}' else '--nice=0'\""


class Held:
    """A training that is stopped, so that its time passes although the network is small."""

    def __init__(self, study: Study, seed: int):
        (self.process,) = [
            process for process in psutil.process_iter(["cmdline", "cwd"])
            if process.info["cwd"] == str(study.folder)
            and {"scripts/train.py", model(seed)} <= set(process.info["cmdline"])
        ]  # fmt: skip
        self.process.suspend()

    def asked_to_end(self) -> bool:
        """Does Slurm's SIGTERM wait for it to go on?"""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        pending = int(re.search(r"ShdPnd:\s*(\w+)", status)[1], 16)
        return bool(pending & 1 << signal.SIGTERM - 1)

    def go_on_when_asked_to_end(self) -> None:
        """At a time limit Slurm lets it go on itself: then it may have ended already."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            wait_until(self.asked_to_end, 150, "Slurm's SIGTERM")
            self.process.resume()


@pytest.fixture(scope="session")
def disturbed(cluster, prepared, tmp_path_factory) -> Study:
    """The study after all that was done to it."""
    study, held = copied(prepared, tmp_path_factory.mktemp("disturbed") / "study"), {}
    study.resources(SIZES, SMALL)
    study.resources("\"'--signal=TERM@120'\"", SIGNAL)

    def hold(seed, minutes):
        """Its time is up so many minutes from now, however long it took to start."""
        held[seed] = Held(study, seed)
        cluster.leave(study.slurm_logs(seed)[0].stem, minutes)

    to_do = {
        CANCELLED: lambda seed: cluster.command("scancel", study.slurm_logs(seed)[0].stem),
        REQUEUED: lambda seed: cluster.command("scontrol", "requeue", study.slurm_logs(seed)[0].stem),
        WARNED: lambda seed: hold(seed, 2),
        TIMED_OUT: lambda seed: hold(seed, 1),
    }

    def all_done():
        assert running.poll() is None, study.said
        for seed in [seed for seed in to_do if " epoch " in study.log(seed)]:
            to_do.pop(seed)(seed)
        return not to_do

    running = study.start("--", *map(model, range(6)))
    wait_until(all_done, 120, "training")
    # Slurm waits two minutes before it runs such a job again; the test does not.
    wait_until((study.folder / snapshot(REQUEUED)).exists, 30, "snapshot")
    number = study.slurm_logs(REQUEUED)[0].stem
    wait_until(lambda: cluster.state(number) == "PENDING", 30, "back in the queue")
    cluster.command("scontrol", "update", f"JobId={number}", "StartTime=now")
    for stopped in held.values():
        stopped.go_on_when_asked_to_end()
    running.wait(timeout=240 * PATIENCE)
    return study


def submissions(study, cluster, seed) -> list[dict[str, str]]:
    """What Slurm wrote down of the jobs of a network, in turn."""
    numbers = [path.stem for path in study.slurm_logs(seed)]
    found = [job for job in cluster.ended(study) if job["JobId"] in numbers]
    for job, after in zip(found, found[1:], strict=False):
        waited = datetime.fromisoformat(after["StartTime"]) - datetime.fromisoformat(job["EndTime"])
        print(f"seed {seed}: runs again after {waited.total_seconds():.0f} s")
    return found


def states(study, cluster, seed) -> list[str]:
    return [job["JobState"] for job in submissions(study, cluster, seed)]


def resumed(study, seed, unbroken) -> bool:
    """The training went on from its snapshot and ended well."""
    return "resuming after step" in study.log(seed) and study.weights(seed) == unbroken.weights(seed)


def said_again(study, seed) -> bool:
    """The first job left a snapshot and ended with the exit code that says "again"."""
    return "returned non-zero exit status 75" in study.slurm_logs(seed)[0].read_text()


def test_a_cancelled_job_is_submitted_again_and_resumes(disturbed, cluster, unbroken):
    assert states(disturbed, cluster, CANCELLED) == ["CANCELLED", "COMPLETED"]
    assert said_again(disturbed, CANCELLED)
    assert resumed(disturbed, CANCELLED, unbroken)


def test_a_job_that_slurm_queues_again_as_after_preemption_resumes(disturbed, cluster, unbroken):
    assert states(disturbed, cluster, REQUEUED)[-1] == "COMPLETED"
    assert len(disturbed.slurm_logs(REQUEUED)) == 1  # Snakemake submitted it once
    assert resumed(disturbed, REQUEUED, unbroken)


@pytest.mark.parametrize(("seed", "state"), [(WARNED, "FAILED"), (TIMED_OUT, "TIMEOUT")])
def test_a_job_whose_time_is_up_leaves_a_snapshot_and_gets_more(disturbed, cluster, unbroken, seed, state):
    """Asked some time before (the profile's way), it ends by itself; else Slurm ends it at its limit."""
    first, second = submissions(disturbed, cluster, seed)
    assert (first["JobState"], second["JobState"]) == (state, "COMPLETED")
    assert int(first["TimeLimit"]) < int(second["TimeLimit"]) == 60
    assert said_again(disturbed, seed)
    assert resumed(disturbed, seed, unbroken)


def test_a_job_out_of_memory_is_submitted_again_with_more(disturbed, cluster, unbroken):
    asked = [
        (job["JobState"], job["Tres"].split("mem=")[1].split(",")[0])
        for job in submissions(disturbed, cluster, KILLED)
    ]
    assert asked == [("FAILED", "450M"), ("COMPLETED", "8000M")]
    assert disturbed.weights(KILLED) == unbroken.weights(KILLED)


def test_a_job_that_fails_four_times_is_given_up_and_the_others_go_on(disturbed, cluster):
    assert states(disturbed, cluster, STARVED) == 4 * ["FAILED"]
    assert not (disturbed.folder / model(STARVED)).exists()
    assert disturbed.said.count("Finished jobid: ") == 5
