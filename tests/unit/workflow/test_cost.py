"""How much jobs compute, and how long that takes: against numbers counted by hand."""

import copy
import dataclasses

import pytest
import yaml
from checkouts import ROOT

from directions.core.errors import InputError
from directions.data.registry import KNOWN
from directions.study import config as study_config
from directions.workflow.cost import Pace, Work, fitted, work
from directions.workflow.jobs import jobs


@pytest.fixture(scope="module")
def paper() -> dict:
    return study_config.load(yaml.safe_load((ROOT / "config.yaml").read_text()) | {"study": "paper"}, ROOT)


def of(config: dict, rule: str, experiment: str) -> Work:
    return work(config, next(job for job in jobs(config) if (job.rule, job.experiment) == (rule, experiment)))


def test_training_an_mlp_is_its_products_three_times_per_image_and_evaluations(paper):
    per_image = 2 * (784 * 512 + 512 * 512 + 512 * 10)
    found = of(paper, "train", "mnist_corruption")
    steps = 640 * 469  # the last batch of an epoch is smaller
    evaluated = 70_000 * 640 / 10
    assert found.operations == pytest.approx(per_image * (3 * steps * 128 + evaluated))
    assert found.passes == pytest.approx(3 * steps + evaluated / 1000)


def test_limit_trains_two_networks_and_memorised_labels_are_counted_on_the_training_images(paper):
    per_image = 2 * (784 * 512 + 512 * 512 + 512 * 10)
    of_limit = work(paper, next(
        job for job in jobs(paper)
        if (job.rule, job.experiment) == ("train", "mnist_limit") and "epochs-50_method-limit" in job.run
    ))  # fmt: skip
    steps, evaluated = 50 * 469, 70_000 * 50 / 10
    assert of_limit.operations == pytest.approx(per_image * (2 * 3 * steps * 128 + evaluated))
    assert of(paper, "measure_memorization", "mnist_limit").operations == pytest.approx(per_image * 60_000)


def test_a_resnet_computes_what_deviations_d29_says(paper):
    """4.3e18 to train it, 2.8e18 for each of its 22,720 units alone, 1.2e18 for its curves over three blocks;
    evaluations are not in D29."""
    assert of(paper, "train_distributed", "resnet_selectivity").operations == pytest.approx(4.3e18, rel=0.3)
    assert of(paper, "ablate_single", "resnet_selectivity").operations == pytest.approx(2.8e18, rel=0.2)
    assert of(paper, "ablate_cumulative", "resnet_corruption").operations == pytest.approx(1.2e18, rel=0.05)


def with_layers(study: dict, experiment: str, layers) -> dict:
    new = copy.deepcopy(study)
    new["experiments"][experiment]["ablate_cumulative"]["layers"] = layers
    return new


def test_a_curve_computes_what_follows_the_first_of_its_layers(paper):
    """By hand: multiplications of conv11's convolutions, and of the blocks of ResNet-50's last stage."""
    per_image = of(paper, "ablate_cumulative", "conv_ensemble").operations / (10 * 65 * 50_000)
    widths = [3, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512]
    sides = [32, 32, 16, 16, 16, 8, 8, 8, 4, 4, 4]
    products = [9 * a * b * side**2 for a, b, side in zip(widths, widths[1:], sides, strict=False)]
    assert per_image == pytest.approx(2 * (sum(products[2:]) + 512 * 16 * 10) / 3)
    last = of(with_layers(paper, "conv_ensemble", 3), "ablate_cumulative", "conv_ensemble").operations
    assert last / (10 * 65 * 50_000) == pytest.approx(2 * (sum(products) + 512 * 16 * 10) / 18)

    same = 49 * (2048 * 512 + 9 * 512 * 512 + 512 * 2048)
    first = 49 * (1024 * 512 + 9 * 512 * 512 + 512 * 2048 + 1024 * 2048)
    found = of(paper, "ablate_cumulative", "resnet_corruption").operations / (10 * 65 * 1_281_167)
    assert found == pytest.approx(2 * (first + 2 * same + 2048 * 1000), rel=1e-6)


def test_checkpoints_are_ablated_on_the_images_asked_for(paper):
    found = of(paper, "ablate_checkpoints", "mnist_early_stopping")
    assert found.passes == 190 * 10 * 33 * 10
    per_image = 2 * (784 * 2048 + 2048 * 2048 + 2048 * 10)
    assert found.operations == pytest.approx(190 * 10 * 33 * 10_000 * per_image / 22)


def test_a_data_set_of_unknown_size_is_refused_by_name(paper, monkeypatch):
    job = next(job for job in jobs(paper) if job.experiment == "conv_selectivity" and job.rule == "train")
    monkeypatch.setitem(KNOWN, "cifar10", dataclasses.replace(KNOWN["cifar10"], train_images=None))
    with pytest.raises(InputError, match="size of data set cifar10 is known only"):
        work(paper, job)


DECLARED = """
from dataclasses import dataclass
from directions.study.analysis_spec import AnalysisSpec, split_setting

@dataclass(frozen=True)
class Settings:
    split: str = split_setting("test")

def observe(trained, settings): ...

SPEC = AnalysisSpec("new", "one row", (), Settings, cost=lambda settings, sizes: (6, 0.5))
"""


def test_an_analysis_of_a_file_costs_what_it_declares(paper, tmp_path):
    job = next(
        job for job in jobs(paper) if job.rule == "measure_units" and job.experiment == "mnist_selectivity"
    )
    (tmp_path / "measure_new.py").write_text(DECLARED)
    new = copy.deepcopy(paper) | {"analysis_files": [str(tmp_path / "measure_new.py")]}
    new["experiments"][job.experiment]["measure_new"] = {"split": "test"}
    declared, two = work(new, dataclasses.replace(job, rule="measure_new")), work(paper, job)
    assert declared.passes == 3 * two.passes
    assert declared.operations == pytest.approx(1.5 * two.operations)


def test_a_pace_is_found_again_from_what_it_took():
    true = Pace(3.0, 0.001, 1e-11)
    done = [Work(passes, operations) for passes in (10, 1e4, 1e6) for operations in (1e9, 1e12, 1e14)]
    found = fitted(done, [true.seconds(job) for job in done])
    assert found.start == pytest.approx(3.0)
    assert found.launch == pytest.approx(0.001)
    assert found.per_operation == pytest.approx(1e-11)
    with pytest.raises(InputError, match="no job of this kind was measured"):
        fitted([], [])
