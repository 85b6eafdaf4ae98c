"""What is written down about a network of the user's own: one row of the table `runs`."""

import logging

from torch import Tensor

from directions import models
from directions.errors import InputError
from directions.evaluation import evaluate, scaled
from directions.examples import Examples
from directions.trained import Trained

SURE = 1.5  # times chance: what knows less is likely given its images in another form than in training

log = logging.getLogger(__name__)


def record(name: str, network: Trained, train: Examples, test: Examples, data: str) -> dict:
    """Sizes and scores. Raises InputError for a network with another number of classes than its data."""
    check_answers(network, train)
    scores = {}
    for split, examples in (("train", train), ("test", test)):
        found = evaluate(network.model, examples.images, examples.labels)
        scores |= {f"{split}_loss": found.loss, f"{split}_accuracy": found.accuracy}
    if scores["test_accuracy"] < SURE / test.classes:
        log.warning(
            "%s: test accuracy is %.3f, about chance: are the images as the network was trained on them"
            " (see `normalize`), and are these its weights?", name, scores["test_accuracy"],
        )  # fmt: skip
    return {
        "network": name,
        "dataset": data,
        "train_images": len(train),
        "test_images": len(test),
        "classes": train.classes,
        "layers": len(network.layers),
        "units": sum(network.layers.values()),
        "parameters": models.parameter_count(network.model),
        **scores,
    }


def check_answers(network: Trained, examples: Examples) -> None:
    """Raises InputError unless the network's answers are logits (examples, classes) that cover the data's."""
    [images] = examples.images[:1].split(1)
    answers = network.model(scaled(images))
    shape = tuple(answers.shape) if isinstance(answers, Tensor) else type(answers).__name__
    if not isinstance(answers, Tensor) or len(shape) != 2 or shape[1] < examples.classes:
        lowest = int(examples.labels.min())
        hint = f" (labels start at {lowest} here: they must count from 0)" if lowest else ""
        raise InputError(
            f"the network answers one image with {shape}; its data have {examples.classes} classes{hint},"
            f" so it must be (1, {examples.classes})"
        )
    if shape[1] > examples.classes:
        log.warning("the network knows %d classes, its data have %d", shape[1], examples.classes)
