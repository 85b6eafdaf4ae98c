"""Cost of each job, counted from its settings, and its run time estimated from measured jobs.

A job's cost is two numbers: passes of a batch through a network, each with a fixed launch cost, and
floating-point operations. Seconds are start + passes x launch + operations / rate, fitted to measured jobs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from scipy.optimize import nnls
from torch.utils.flop_counter import FlopCounterMode

from directions import models
from directions.core.errors import InputError
from directions.core.types import present
from directions.data.registry import KNOWN
from directions.interventions.hooks import find_layer
from directions.study import training_settings
from directions.study.analysis_spec import AnalysisSpec
from directions.study.architectures import ARCHITECTURES
from directions.study.catalogue import specs
from directions.study.run_table import Runs, expand
from directions.study.training_settings import TrainingSettings
from directions.study.training_steps import checkpoints, steps_in_all, steps_per_epoch
from directions.workflow.jobs import Job, jobs

PASS = 1_000  # images per pass when nothing is trained
WALKED = 1 / 3  # of the products recomputed at each point in reverse, as units are off at both ends
BACKWARD = 2  # a backward pass computes twice as much as the forward pass


@dataclass(frozen=True)
class Work:
    """passes: batches through a network; operations: multiplications and additions."""

    passes: float
    operations: float


@dataclass(frozen=True)
class Sizes:
    """Of a network: operations per image, {unit layer: units}, {unit layer: operations up to its output}."""

    model: str
    operations: float
    layers: Mapping[str, int]
    before: Mapping[str, float]
    checkpoints: int = 0

    def curve(self, layers: Sequence[str]) -> float:
        """Estimate the fraction of the operations of whole passes that a curve over these layers needs.

        A chain is computed in reverse (chain.py): products are recomputed from the second ablated layer on,
        and what precedes it is practically free. Otherwise everything from the block of the first ablated
        layer on is computed.
        """
        every, built_in = list(self.layers), ARCHITECTURES[self.model]
        place = every.index(layers[0])
        if built_in.chain and place < len(every) - built_in.chain:
            block = layers[0].split(".")[0]
            first = next(number for number, name in enumerate(every) if name.split(".")[0] == block)
            return 1 - (self.before[every[first - 1]] / self.operations if first else 0)
        anew = self.operations - self.before[every[min(place + 1, len(every) - 1)]]
        return max(built_in.curve, WALKED * anew / self.operations)


@cache
def _network(model: str, shape: tuple, classes: int, *settings: tuple) -> Sizes:
    """Measure the sizes of a network with these settings, given as (name, value) pairs."""
    chosen = {name: list(value) if isinstance(value, tuple) else value for name, value in settings}
    net = models.build({"model": model, "seed": 0, **chosen}, shape, classes).eval()
    counter, before = FlopCounterMode(display=False), {}
    layers = models.unit_layers(net)
    for name in layers:
        find_layer(net, name).register_forward_hook(
            lambda *_, name=name: before.update({name: counter.get_total_flops()})
        )
    with torch.no_grad(), counter:
        net(torch.zeros(1, *shape))
    return Sizes(model, counter.get_total_flops(), layers, before)


def every_work(config: Mapping) -> list[tuple[Job, Work]]:
    """Count what each job on one network computes. Raises InputError as `work`."""
    runs = expand(config)
    return [(job, _work(config, runs, job)) for job in jobs(config) if job.run]


def work(config: Mapping, job: Job) -> Work:
    """Count what a job on one network computes; raises InputError if only the data files tell their size."""
    return _work(config, expand(config), job)


def _work(config: Mapping, runs: Runs, job: Job) -> Work:
    run = runs[present(job.experiment)][present(job.run)]
    settings = training_settings.read(run)
    known = KNOWN.get(settings.dataset)
    if known is None or settings.model in config["models"]:
        raise InputError(
            f"{job.experiment}: the cost of a data set or model of your own is not known in advance"
        )
    shape, train, test = known.shape, known.train_images, known.test_images
    classes = known.classes or 1_000  # ImageNet's classes are known from its files
    if shape is None or train is None or test is None:
        raise InputError(f"the size of data set {known.name} is known only once its files are read")
    train = train if isinstance(settings.images, str) else settings.images
    test = test if isinstance(settings.test_images, str) else settings.test_images
    built = ("hidden", "width", "batch_norm", "pad", "dropout", "norm_batch")
    pairs = [(key, tuple(v) if isinstance(v := run[key], list) else v) for key in built]
    network = _network(settings.model, shape, classes, *pairs)
    if job.rule.startswith("train"):
        return _training(settings, network, train, test)
    asked = config["experiments"][job.experiment][job.rule]
    network = replace(network, checkpoints=len(checkpoints(settings, train)))
    images = test if asked.get("split") == "test" else train
    return _analysis(specs(config)[job.rule], asked, network, images)


def _training(settings: TrainingSettings, network: Sizes, train: int, test: int) -> Work:
    steps = steps_in_all(settings, train)
    epochs = steps // max(1, steps_per_epoch(settings, train))
    looked = (train + test) * epochs / settings.evaluate_every
    passes = steps * (1 + BACKWARD) * (2 if settings.method == "limit" else 1)  # it trains two networks
    trained = passes * settings.batch
    return Work(passes + looked / PASS, (trained + looked) * network.operations)


def _analysis(spec: AnalysisSpec, asked: Mapping, network: Sizes, images: int) -> Work:
    if asked.get("images", "all") != "all":
        images = min(images, asked["images"])
    times, share = spec.cost(spec.read(asked), network)
    return Work(times * max(1, images / PASS), times * images * network.operations * share)


@dataclass(frozen=True)
class Pace:
    """Seconds of a job: start + passes x launch + operations / rate."""

    start: float
    launch: float
    per_operation: float

    def seconds(self, job: Work) -> float:
        return self.start + job.passes * self.launch + job.operations * self.per_operation


def fitted(done: Sequence[Work], seconds: Sequence[float]) -> Pace:
    """Fit the pace with the smallest relative error on the measured jobs; no part of it is negative.

    Raises InputError if nothing was measured.
    """
    if not done:
        raise InputError("no job of this kind was measured")
    columns = np.array([[1.0, job.passes, job.operations] for job in done])
    scale = columns.max(axis=0)
    found, _ = nnls(columns / scale / np.array(seconds)[:, None], np.ones(len(done)))
    return Pace(*(found / scale))
