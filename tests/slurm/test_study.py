"""The whole tiny study through sbatch, beside the same study run here; and one network on several GPUs."""

import re

import pytest
from checkouts import checkout
from clusters import Study

TOGETHER = pytest.mark.xdist_group("study")  # in one process of pytest: the study is done once


@pytest.fixture(scope="module")
def submitted(cluster, tmp_path_factory) -> Study:
    """The tiny study, done by Slurm in a checkout in which nothing was ever run."""
    made = Study(checkout(tmp_path_factory.mktemp("submitted")).folder)
    made.take_mnist()
    assert made.run(seconds=600) == 0, made.said
    return made


@TOGETHER
def test_every_result_is_the_same_byte_for_byte_as_without_slurm(submitted, built):
    names = [
        path.relative_to(built.folder) for path in (built.folder / "results").rglob("*") if path.is_file()
    ]
    assert len(names) > 40
    for name in names:
        assert (submitted.folder / name).read_bytes() == (built.folder / name).read_bytes(), name
    assert submitted.jobs() == {}  # a run without Slurm finds nothing to do


@TOGETHER
def test_jobs_run_in_their_partitions_with_what_the_profile_asks_for(submitted, cluster):
    jobs = {job["JobId"]: job for job in cluster.ended(submitted)}
    log = r"slurm_logs/(?:rule|group)_(analyses|figures|labels|\w+)\S*/(\d+)\.log"
    named = re.findall(log, submitted.said)
    partitions = {(name, jobs[number]["Partition"]) for name, number in named}
    assert partitions == {
        ("prepare_data", "cpu"), ("labels", "cpu"), ("train", "gpu"), ("analyses", "gpu"), ("figures", "cpu"),
        ("check_claims", "cpu"),
    }  # fmt: skip
    gpus = cluster.gpus()
    for number, job in jobs.items():
        seen = {gpu for gpu in gpus[number] if gpu != ""}
        assert len(seen) == (job["Partition"] == "gpu"), (number, seen)


@TOGETHER
def test_the_analyses_of_a_network_are_one_submission_and_so_are_the_figures_of_an_experiment(submitted):
    groups = re.findall(r"slurm_logs/group_(analyses|figures|labels)", submitted.said)
    assert {name: groups.count(name) for name in groups} == {"labels": 1, "analyses": 4, "figures": 3}
    assert submitted.said.count("has been submitted with SLURM jobid") == 14  # of 34 jobs


NETWORK = "results/tiny/models/conv_corruption/corrupt-0.0_seed-0/model.safetensors"
ONE_NODE = "    gpu: 2\n    processes: 2\n"
TWO_NODES = "    nodes: 2\n    mpi: srun\n    tasks: 2\n    tasks_per_gpu: 0\n    gres: gpu:1\n"


def test_two_processes_train_the_same_network_on_one_node_on_two_and_without_slurm(cluster, tmp_path):
    """Batches of 20, of which each process takes 10 images."""
    made = Study(checkout(tmp_path).folder)
    made.take_mnist()
    made.edit("configs/tiny.yaml", "epochs: 1, batch: 20}", "epochs: 1, batch: 20, norm_batch: 10}")
    trained, before, threads = {}, "    gpu: 4\n    processes: 4\n", 32
    for asked, nodes, gpus, on_node in ((ONE_NODE, "1", {"0,1"}, 2), (TWO_NODES, "2", {"0"}, 1)):
        made.resources(before, asked)
        made.resources(f"train_distributed: {threads}", f"train_distributed: {on_node}")
        before, threads = asked, on_node
        assert made.run("--forcerun", "train_distributed", "--", NETWORK, seconds=300) == 0, made.said
        trained[nodes] = (made.folder / NETWORK).read_bytes()
        log = (made.folder / "logs/tiny/models/conv_corruption/corrupt-0.0_seed-0.log").read_text()
        assert "2 processes" in log
        job = cluster.ended(made)[-1]
        assert job["NodeCnt"] == nodes
        assert cluster.gpus()[job["JobId"]] == gpus
    here = ["--set-resources", "train_distributed:processes=2", "--set-threads", "train_distributed=2"]
    done = made.snakemake(*here, "--forcerun", "train_distributed", "--", NETWORK)
    assert done.returncode == 0, done.stderr
    assert trained == dict.fromkeys(trained, (made.folder / NETWORK).read_bytes())
