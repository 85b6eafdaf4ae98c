"""How much jobs compute, and how long that takes: against numbers counted by hand."""

import copy
import dataclasses

import pytest
import yaml
from checkouts import ROOT

from directions import config
from directions.data.registry import KNOWN
from directions.errors import InputError
from directions.jobs import jobs
from directions.work import Pace, Work, fitted, work


@pytest.fixture(scope="module")
def paper() -> dict:
    return config.load(yaml.safe_load((ROOT / "config.yaml").read_text()) | {"study": "paper"}, ROOT)


def of(config: dict, rule: str, experiment: str) -> Work:
    return work(config, next(job for job in jobs(config) if (job.rule, job.experiment) == (rule, experiment)))


def test_training_an_mlp_is_its_products_three_times_per_image_and_evaluations(paper):
    per_image = 2 * (784 * 512 + 512 * 512 + 512 * 10)
    found = of(paper, "train", "mnist_corruption")
    steps = 640 * 469  # the last batch of an epoch is smaller
    evaluated = 70_000 * 640 / 10
    assert found.operations == pytest.approx(per_image * (3 * steps * 128 + evaluated))
    assert found.passes == pytest.approx(3 * steps + evaluated / 1000)


def test_a_resnet_computes_what_deviations_d29_says(paper):
    """4.3e18 to train it, and 2.8e18 for each of its 22,720 units alone; evaluations are not in D29."""
    assert of(paper, "train_distributed", "resnet_selectivity").operations == pytest.approx(4.3e18, rel=0.3)
    assert of(paper, "ablate_single", "resnet_selectivity").operations == pytest.approx(2.8e18, rel=0.2)
    assert of(paper, "ablate_cumulative", "resnet_corruption").operations == pytest.approx(3.7e17, rel=0.7)


def test_a_data_set_of_unknown_size_is_refused_by_name(paper, monkeypatch):
    job = next(job for job in jobs(paper) if job.experiment == "conv_selectivity" and job.rule == "train")
    monkeypatch.setitem(KNOWN, "cifar10", dataclasses.replace(KNOWN["cifar10"], train_images=None))
    with pytest.raises(InputError, match="size of data set cifar10 is not known"):
        work(paper, job)


def test_an_analysis_that_is_not_known_looks_once_at_every_image(paper):
    job = next(
        job for job in jobs(paper) if job.rule == "measure_units" and job.experiment == "mnist_selectivity"
    )
    new = copy.deepcopy(paper)
    new["experiments"][job.experiment]["measure_new"] = {"split": "test"}
    once, twice = work(new, dataclasses.replace(job, rule="measure_new")), work(paper, job)
    assert (2 * once.passes, 2 * once.operations) == (twice.passes, twice.operations)


def test_a_pace_is_found_again_from_what_it_took():
    true = Pace(3.0, 0.001, 1e-11)
    done = [Work(passes, operations) for passes in (10, 1e4, 1e6) for operations in (1e9, 1e12, 1e14)]
    found = fitted(done, [true.seconds(job) for job in done])
    assert found.start == pytest.approx(3.0)
    assert found.launch == pytest.approx(0.001)
    assert found.per_operation == pytest.approx(1e-11)
    with pytest.raises(InputError, match="no job of this kind was measured"):
        fitted([], [])
