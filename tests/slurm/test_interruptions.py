"""What may happen to Snakemake and to the cluster while a network is trained, and what the user is told."""

import shutil
import signal
import time

import psutil
import pytest
from clusters import PATIENCE, model, snapshot, wait_until

PARTITION = "  train: &gpu\n    slurm_partition: gpu\n"


def recovered(study, running, unbroken):
    """The training went on from its snapshot and ended well."""
    seconds = wait_until(lambda: "resuming after step" in study.log(), 150, study.said)
    print(f"training goes on after {seconds:.0f} s")
    assert running.wait(timeout=120 * PATIENCE) == 0, study.said
    assert study.weights() == unbroken.weights()


def test_jobs_wait_while_nodes_are_drained_and_ctrl_c_cancels_them(study, cluster, unbroken):
    nodes = "NodeName=node1,node2"
    cluster.command("scontrol", "update", nodes, "State=DRAIN", "Reason=test")
    try:
        running = study.start("--", model(0))
        wait_until(lambda: cluster.queue(study) == ["PENDING"], 60, study.said)
        time.sleep(5)
        assert cluster.queue(study) == ["PENDING"]
        assert running.poll() is None
    finally:
        cluster.command("scontrol", "update", nodes, "State=RESUME")
    study.wait_for_training()
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60 * PATIENCE) != 0
    wait_until(lambda: not cluster.queue(study), 30, "cancelled")
    assert (study.folder / snapshot(0)).exists()
    recovered(study, study.start("--", model(0)), unbroken)


def test_after_kill_9_of_snakemake_the_documented_steps_lose_nothing(study, cluster, unbroken):
    """docs/CLUSTER.md: cancel what still runs, unlock, run again."""
    labels = study.folder / "results/tiny/labels"
    before = {path: path.stat().st_mtime_ns for path in labels.rglob("*.parquet")}
    running = study.start("--", model(0))
    study.wait_for_training()
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    for process in family:
        process.kill()
    running.wait()
    assert cluster.queue(study) == ["RUNNING"]  # nobody told Slurm
    name = study.said.split("SLURM run ID: ")[1].split()[0]
    cluster.command("scancel", f"--name={name}")
    wait_until(lambda: not cluster.queue(study), 30, "cancelled")
    assert "told to stop" in study.log()
    assert study.run("--unlock") == 0
    recovered(study, study.start("--", model(0)), unbroken)
    assert {path: path.stat().st_mtime_ns for path in labels.rglob("*.parquet")} == before


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


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        ("nowhere", "invalid partition specified: nowhere"),
        ("members", "Invalid account or account/partition combination specified"),
    ],
)
def test_a_wrong_partition_or_account_is_said_at_once(study, cluster, partition, message):
    study.resources(PARTITION, PARTITION.replace("partition: gpu", f"partition: {partition}"))
    assert study.run("--", model(0), seconds=120) != 0
    assert message in study.said
    assert cluster.ended(study) == []
