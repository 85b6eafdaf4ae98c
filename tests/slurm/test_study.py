"""Two figures of the tiny study through sbatch, beside the same made here."""

import re

import pytest
from checkouts import Checkout, checkout
from clusters import Study

FIGURES = ["fig1a", "fig7a"]


@pytest.fixture(scope="module")
def submitted(cluster, tmp_path_factory) -> Study:
    """Two figures of the tiny study, made by Slurm in a checkout in which nothing was ever run."""
    made = Study(checkout(tmp_path_factory.mktemp("submitted")).folder)
    made.take_mnist()
    assert made.run("--", *FIGURES, seconds=600) == 0, made.said
    return made


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Checkout:
    """The same without Slurm."""
    made = checkout(tmp_path_factory.mktemp("local"))
    made.take_mnist()
    done = made.snakemake("--", *FIGURES)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_every_result_is_the_same_byte_for_byte_as_without_slurm(submitted, local):
    names = [
        path.relative_to(local.folder) for path in (local.folder / "results").rglob("*") if path.is_file()
    ]
    assert len(names) > 20
    for name in names:
        assert (submitted.folder / name).read_bytes() == (local.folder / name).read_bytes(), name
    assert submitted.jobs(*FIGURES) == {}  # a run without Slurm finds nothing to do


def test_jobs_run_in_their_partitions_with_what_the_profile_asks_for(submitted, cluster):
    jobs = {job["JobId"]: job for job in cluster.ended(submitted)}
    log = r"slurm_logs/(?:rule|group)_(analyses|figures|labels|\w+)\S*/(\d+)\.log"
    named = re.findall(log, submitted.said)
    partitions = {(name, jobs[number]["Partition"]) for name, number in named}
    assert partitions == {
        ("prepare_data", "cpu"), ("labels", "cpu"), ("train", "gpu"), ("analyses", "gpu"), ("figures", "cpu"),
    }  # fmt: skip
    gpus = cluster.gpus()
    for number, job in jobs.items():
        seen = {gpu for gpu in gpus[number] if gpu != ""}
        assert len(seen) == (job["Partition"] == "gpu"), (number, seen)


def test_the_analyses_of_a_network_are_one_submission_and_so_are_the_figures_of_an_experiment(submitted):
    groups = re.findall(r"slurm_logs/group_(analyses|figures|labels)", submitted.said)
    assert {name: groups.count(name) for name in groups} == {"labels": 1, "analyses": 3, "figures": 2}
    assert submitted.said.count("has been submitted with SLURM jobid") == 10  # of 18 jobs
