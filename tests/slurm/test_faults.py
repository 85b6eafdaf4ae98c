"""What may happen to a training job on a cluster, done to one: it ends with an unbroken run's weights."""

import os
import shutil
import signal
import time

import psutil
import pytest
from clusters import MODEL, SNAPSHOT, wait_until

TRAIN = "  train: &gpu\n    slurm_partition: gpu\n    gpu: 1\n    mem_mb: 8000 * attempt\n"


def recovered(study, running, unbroken):
    """The training went on from its snapshot and ended well."""
    seconds = wait_until(lambda: "resuming after step" in study.log, 150, study.said)
    print(f"training goes on after {seconds:.0f} s")
    assert running.wait(timeout=120) == 0, study.said
    assert study.model == unbroken.model


def test_a_cancelled_job_is_submitted_again_and_resumes(study, cluster, unbroken):
    running = study.start("--", MODEL)
    study.wait_for_training()
    cluster.command("scancel", *cluster.ids(study))
    recovered(study, running, unbroken)
    assert [job["JobState"] for job in cluster.ended(study)] == ["CANCELLED", "COMPLETED"]
    assert "returned non-zero exit status 75" in study.said


def test_a_job_that_slurm_queues_again_as_after_preemption_resumes(study, cluster, unbroken):
    running = study.start("--", MODEL)
    study.wait_for_training()
    (number,) = cluster.ids(study)
    cluster.command("scontrol", "requeue", number)
    wait_until((study.folder / SNAPSHOT).exists, 30, study.log)
    # Slurm waits two minutes before it runs such a job again; the test does not.
    wait_until(lambda: cluster.queue(study) == ["PENDING"], 30, "back in the queue")
    cluster.command("scontrol", "update", f"JobId={number}", "StartTime=now")
    recovered(study, running, unbroken)
    assert study.said.count("has been submitted with SLURM jobid") == 1


@pytest.mark.parametrize(("signal_at", "state"), [("--signal=TERM@10", "FAILED"), ("--nice=0", "TIMEOUT")])
def test_a_job_whose_time_is_up_leaves_a_snapshot_and_gets_more(study, cluster, signal_at, state):
    """Asked some seconds before (the profile's way), it ends by itself; else Slurm ends it at its limit."""
    study.edit("configs/tiny.yaml", "epochs: 1000", "epochs: 100000")
    study.resources(TRAIN + "    runtime: 240 * attempt", TRAIN + "    runtime: 1 if attempt == 1 else 60")
    study.resources("--signal=TERM@120", signal_at)
    running = study.start("--", MODEL)
    wait_until(lambda: "resuming after step" in study.log, 240, study.said)
    running.send_signal(signal.SIGINT)
    running.wait(timeout=60)
    first, *_ = cluster.ended(study)
    assert (first["JobState"], first["TimeLimit"]) == (state, "1")
    assert "returned non-zero exit status 75" in study.said


def test_a_job_out_of_memory_is_submitted_again_with_more(study, cluster, unbroken):
    study.resources(TRAIN, TRAIN.replace("8000 * attempt", "450 if attempt == 1 else 8000"))
    running = study.start("--", MODEL)
    assert running.wait(timeout=200) == 0, study.said
    asked = [(job["JobState"], job["Tres"].split("mem=")[1].split(",")[0]) for job in cluster.ended(study)]
    assert asked == [("FAILED", "450M"), ("COMPLETED", "8000M")]
    assert study.model == unbroken.model


def test_a_job_that_fails_within_a_group_is_explained_at_the_end(study):
    shutil.rmtree(study.folder / "results/tiny/labels")
    study.edit(
        "scripts/corrupt_labels.py",
        "    parser = cli",
        '    raise SystemExit("error: broken")\n    parser = cli',
    )
    assert study.run("--retries", "0", "--", "fig7a") != 0
    end = study.said.split("Exiting because a job execution failed")[-1]
    assert "figures that are not: fig7a\n" in end
    assert "(stops fig7a):\n  error: broken\n" in end
    assert "Traceback" not in end


def test_jobs_wait_while_nodes_are_drained(study, cluster):
    nodes = "NodeName=node1,node2"
    cluster.command("scontrol", "update", nodes, "State=DRAIN", "Reason=test")
    try:
        running = study.start("--", MODEL)
        wait_until(lambda: cluster.queue(study) == ["PENDING"], 60, study.said)
        time.sleep(5)
        assert cluster.queue(study) == ["PENDING"]
        assert running.poll() is None
    finally:
        cluster.command("scontrol", "update", nodes, "State=RESUME")
    assert running.wait(timeout=150) == 0, study.said


def test_ctrl_c_cancels_the_jobs_and_the_next_run_goes_on(study, cluster, unbroken):
    running = study.start("--", MODEL)
    study.wait_for_training()
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) != 0
    wait_until(lambda: not cluster.queue(study), 30, "cancelled")
    assert (study.folder / SNAPSHOT).exists()
    recovered(study, study.start("--", MODEL), unbroken)


def test_after_kill_9_of_snakemake_the_documented_steps_lose_nothing(study, cluster, unbroken):
    """docs/CLUSTER.md: cancel what still runs, unlock, run again."""
    labels = study.folder / "results/tiny/labels"
    before = {path: path.stat().st_mtime_ns for path in labels.rglob("*.parquet")}
    running = study.start("--", MODEL)
    study.wait_for_training()
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    for process in family:
        process.kill()
    running.wait()
    assert cluster.queue(study) == ["RUNNING"]  # nobody told Slurm
    name = study.said.split("SLURM run ID: ")[1].split()[0]
    cluster.command("scancel", f"--name={name}")
    wait_until(lambda: not cluster.queue(study), 30, "cancelled")
    assert "asked to end" in study.log
    assert study.run("--unlock") == 0
    recovered(study, study.start("--", MODEL), unbroken)
    assert {path: path.stat().st_mtime_ns for path in labels.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        ("nowhere", "invalid partition specified: nowhere"),
        ("members", "Invalid account or account/partition combination specified"),
    ],
)
def test_a_wrong_partition_or_account_is_said_at_once(study, cluster, partition, message):
    study.resources(TRAIN, TRAIN.replace("partition: gpu", f"partition: {partition}"))
    started = time.monotonic()
    assert study.run("--", MODEL, seconds=120) != 0
    assert message in study.said
    assert cluster.ended(study) == []
    assert time.monotonic() - started < 60
    assert os.path.exists(study.folder / "data/mnist.safetensors")
