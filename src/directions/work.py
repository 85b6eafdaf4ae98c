"""How much each job computes, counted from its settings, and how long that takes where others were measured.

Two numbers for each job: passes of a batch through a network, which cost their start whatever the batch, and
floating-point operations. Seconds are start + passes x launch + operations / rate, fitted to measured jobs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.optimize import nnls
from torch.utils.flop_counter import FlopCounterMode

from directions import models
from directions.data.registry import KNOWN
from directions.errors import InputError
from directions.jobs import Job
from directions.runs import expand

PASS = 1_000  # images in one pass where nothing is trained
# Of the operations of whole passes, what is left where parts are shared: curves of 65 points that are walked
# backwards (docs/PERFORMANCE.md; of other models all), and single units, before which all layers are computed
# once (D29).
CURVE = {"mlp": 1 / 22, "conv11": 1 / 18, "conv11_mean": 1 / 18, "resnet50": 1 / 39}
SINGLE = 0.35
BACKWARD = 2  # a backward pass computes twice what the forward pass does


@dataclass(frozen=True)
class Work:
    """passes: batches through a network; operations: multiplications and additions."""

    passes: float
    operations: float


@cache
def _network(model: str, shape: tuple, classes: int, *settings: tuple) -> tuple[float, int]:
    """(operations per image, units) of a network with these settings, as (name, value) pairs."""
    chosen = {name: list(value) if isinstance(value, tuple) else value for name, value in settings}
    net = models.build({"model": model, "seed": 0, **chosen}, shape, classes).eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        net(torch.zeros(1, *shape))
    return counter.get_total_flops(), sum(models.unit_layers(net).values())


def work(config: Mapping, job: Job) -> Work:
    """What a job on one network computes; raises InputError for a data set whose files alone tell its size.

    An analysis that is not known here is taken to look once at every image.
    """
    settings = expand(config)[job.experiment][job.run]
    known = KNOWN.get(settings["dataset"])
    if known is None or settings["model"] in config["models"]:
        raise InputError(
            f"{job.experiment}: what a data set or model of your own computes is not known beforehand"
        )
    shape, train, test = known.shape, known.train_images, known.test_images
    classes = known.classes or 1_000  # ImageNet's are told by its files
    if None in (shape, train, test):
        raise InputError(f"the size of data set {known.name} is not known before its files are read")
    train = train if settings["images"] == "all" else settings["images"]
    test = test if settings.get("test_images", "all") == "all" else settings["test_images"]
    built = ("hidden", "width", "batch_norm", "pad", "dropout", "norm_batch")
    pairs = [(key, tuple(v) if isinstance(v := settings[key], list) else v) for key in built]
    per_image, units = _network(settings["model"], shape, classes, *pairs)
    if job.rule.startswith("train"):
        per_epoch = train // settings["batch"] if settings["norm_batch"] else -(-train // settings["batch"])
        steps = settings["steps"] or settings["epochs"] * per_epoch
        looked = (train + test) * (steps // max(1, per_epoch)) / settings["evaluate_every"]
        trained = steps * settings["batch"] * (1 + BACKWARD)
        return Work(steps * (1 + BACKWARD) + looked / PASS, (trained + looked) * per_image)
    asked = config["experiments"][job.experiment][job.rule]
    images = train if asked.get("split") == "train" else test
    times = {
        "ablate_cumulative": lambda: asked["orderings"] * _points(asked, units) * len(asked["clamp"]),
        "ablate_checkpoints": lambda: (
            asked["orderings"] * _points(asked, units) * len(settings["keep_epochs"])
        ),
        "add_noise": lambda: asked["repeats"] * asked["points"],
        "ablate_single": lambda: units if asked["units"] == "all" else min(units, asked["units"]),
        "measure_units": lambda: 2,
    }.get(job.rule, lambda: 1)()
    curve = CURVE.get(settings["model"], 1)
    share = {"ablate_cumulative": curve, "ablate_checkpoints": curve, "ablate_single": SINGLE}.get(
        job.rule, 1
    )
    return Work(times * max(1, images / PASS), times * images * per_image * share)


def _points(asked: Mapping, units: int) -> int:
    return units if asked["points"] == "all" else asked["points"]


@dataclass(frozen=True)
class Pace:
    """Seconds of a job: start + passes x launch + operations / rate."""

    start: float
    launch: float
    per_operation: float

    def seconds(self, job: Work) -> float:
        return self.start + job.passes * self.launch + job.operations * self.per_operation


def fitted(jobs: Sequence[Work], seconds: Sequence[float]) -> Pace:
    """The pace that misses the measured jobs least, each by its share; none of its parts is negative.

    Raises InputError where nothing was measured.
    """
    if not jobs:
        raise InputError("no job of this kind was measured")
    columns = np.array([[1.0, job.passes, job.operations] for job in jobs])
    scale = columns.max(axis=0)
    found, _ = nnls(columns / scale / np.array(seconds)[:, None], np.ones(len(jobs)))
    return Pace(*(found / scale))
