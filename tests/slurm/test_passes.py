"""Networks trained together on the cluster: one submission for a pass, and what a run without one makes."""

from clusters import model, wait_until
from safetensors.torch import load_file


def test_a_pass_that_is_preempted_goes_on_and_its_networks_are_those_trained_alone(study, cluster, unbroken):
    study.resources("    networks_per_job: 1 ", "    networks_per_job: 2 ")
    log = study.folder / "logs/tiny/passes/mnist_selectivity/001.log"
    process = study.start("--", model(0), model(1))
    wait_until(lambda: log.exists() and " epoch " in log.read_text(), 90, "the pass: " + study.said[-3000:])
    [number] = cluster.command("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()
    cluster.command("scontrol", "requeue", number)
    assert process.wait(timeout=700) == 0, study.said
    assert "resuming the pass after step" in log.read_text()
    for seed in range(2):
        assert "resuming after step 5999 of 6000" in study.log(seed)
        found, wanted = (load_file(made.folder / model(seed)) for made in (study, unbroken))
        assert all(found[key].sub(wanted[key]).abs().max() < 0.1 for key in wanted)
    assert len({job["JobId"] for job in cluster.ended(study)}) == 3
