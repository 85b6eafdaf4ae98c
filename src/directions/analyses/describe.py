"""Describe an own network by its row of the table `runs`, and check that it can be analysed."""

import logging
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from directions import models
from directions.analyses import sanity
from directions.analyses.network import Trained
from directions.core.errors import InputError
from directions.core.scoring import evaluate, scaled
from directions.core.types import Images
from directions.data.dataset import SPLITS
from directions.data.examples import Examples
from directions.interventions import ablation, self_check

PROBE = 64  # images per batch in the checks
SAME = 1e-4  # tolerance relative to the largest logit, far above float32 rounding; our own bound

log = logging.getLogger(__name__)


def record(name: str, network: Trained, train: Examples, test: Examples | None, data: str) -> dict:
    """Return sizes and scores; without a test set, 0 test images and NaN for their scores.

    Raises InputError as `check_answers` does, and for logits that are not finite.
    """
    check_answers(network, train)
    splits = {"train": train} if test is None else {"train": train, "test": test}
    scores = {f"{split}_{score}": math.nan for split in SPLITS for score in ("loss", "accuracy")}
    for split, examples in splits.items():
        found = evaluate(network.model, examples.images, examples.labels)
        if not math.isfinite(found.loss):
            raise InputError(
                f"the network returns NaN or infinite logits for some {split} images (loss {found.loss}):"
                " did its training diverge, or do weights or images contain such values?"
            )
        _check_original(network, examples.images)
        scores |= {f"{split}_loss": found.loss, f"{split}_accuracy": found.accuracy}
    made = {
        "network": name,
        "dataset": data,
        **{f"{split}_images": len(splits.get(split, ())) for split in SPLITS},
        "classes": train.classes,
        "layers": len(network.layers),
        "units": sum(network.layers.values()),
        "units_by_layer": "; ".join(f"{layer} {units}" for layer, units in network.layers.items()),
        "parameters": models.parameter_count(network.model),
        **scores,
    }
    for doubt in sanity.of_scores(made):
        said = ", ".join(f"{split} {scores[f'{split}_accuracy']:.3f}" for split in splits)
        log.warning("warning: %s: %s (%s)", name, doubt, said)
    return made


def check_answers(network: Trained, examples: Examples) -> None:
    """Raise InputError unless the network returns logits (examples, classes) for all classes of the data."""
    [images] = examples.images[:PROBE].split(PROBE)
    with torch.no_grad():
        answers = network.model(scaled(images))
    _check_batch(network.original or network.model, scaled(images))
    shape: Any = tuple(answers.shape) if isinstance(answers, Tensor) else type(answers).__name__
    fits = isinstance(answers, Tensor) and len(shape) == 2 and shape[0] == len(images)
    if not fits or shape[1] < examples.classes:
        lowest = int(examples.labels.min())
        hint = f" (labels start at {lowest} here: they must count from 0)" if lowest else ""
        if not hint and int(examples.labels.max()) == examples.classes - 1:
            hint = f" (the highest label is {examples.classes - 1}: labels must count from 0 without gaps)"
        raise InputError(
            f"for {len(images)} images the network returns {shape}; its data have {examples.classes} classes"
            f"{hint}, so it must be ({len(images)}, {examples.classes})"
        )
    if not answers.is_floating_point():
        raise InputError(f"the network returns {answers.dtype}: logits must be floating point")
    if lowest := int(examples.labels.min()):
        log.warning("warning: no training image has label 0, labels start at %d: count from 0", lowest)
    self_check.of_network(network.model, network.layers, examples.images)
    _check_original(network, examples.images[:PROBE])
    _check_paths(network, scaled(images))
    if (
        shape[1] > 1
        and (answers >= 0).all()
        and torch.allclose(answers.sum(1), torch.ones_like(answers[:, 0]))
    ):
        raise InputError(
            "the network returns probabilities, which sum to 1, as after softmax; the loss is computed from"
            " logits: leave out the softmax, or return torch.log of it"
        )
    if shape[1] > examples.classes:
        log.warning("warning: the network has %d classes, its data have %d", shape[1], examples.classes)


@torch.no_grad()
def _check_original(network: Trained, images: Images) -> None:
    """Raise InputError if the prepared network differs from the one given, on any image."""
    if network.original is None:
        return
    for start in range(0, len(images), PROBE):
        [batch] = images[start : start + PROBE].split(PROBE)
        inputs = scaled(batch)
        answers, wanted = network.model(inputs.clone()), network.original.to(inputs.device)(inputs.clone())
        if self_check.agree(answers, wanted, SAME):
            continue
        apart = (answers - wanted).nan_to_num(torch.inf).abs()
        alike = (answers == wanted) | (answers.isnan() & wanted.isnan())  # also if infinite
        apart = apart.where(~alike, 0).amax(1)
        raise InputError(
            f"prepared for ablation, this network computes something else: its logits for image"
            f" {start + int(apart.argmax())} are off by {float(apart.max()):.3g}. Usual causes are its own"
            " hooks, or an operation in place whose result is not assigned: write `h = self.relu(h)`, move"
            " hooks into forward(), give every activation its own module, called once"
        )


@torch.no_grad()
def _check_batch(network: nn.Module, images: Tensor) -> None:
    """Raise InputError for norms or dropout in training mode; warn if logits depend on the batch."""
    network = network.to(images.device)
    whole = network(images.clone())
    if training := [name for name, module in network.named_modules() if module.training and _acts(module)]:
        raise InputError(
            f"{training[0]} is in training mode though the network was put in evaluation mode: does the"
            " network's own train() or forward() set it? Its logits are then not those of the trained network"
        )
    half = len(images) // 2
    if half < 2 or not isinstance(whole, Tensor) or not whole.isfinite().all():
        return
    parts = torch.cat([network(images[:half].clone()), network(images[half:].clone())])
    if not self_check.agree(parts, whole):
        log.warning(
            "warning: the logits for an image depend on the other images in the batch, as with batch norm"
            " without running statistics: results depend on the batch size"
        )


@torch.no_grad()
def _check_paths(network: Trained, images: Tensor) -> None:
    """Warn if logits still depend on the image with all units ablated: curves then do not end at chance."""
    every, values = np.arange(sum(network.layers.values())), dict.fromkeys(network.layers, 0.0)
    with ablation.ablated(network.model, network.layers, every, values):
        answers = network.model(images)
    if not self_check.agree(answers, answers[:1].expand_as(answers)):
        log.warning(
            "warning: with all units of these layers at 0 the logits still depend on the image: some path"
            " bypasses these layers, so ablation curves need not end at chance"
        )


def _acts(module: nn.Module) -> bool:
    """Return whether a module behaves differently in training."""
    return isinstance(module, _BatchNorm | _DropoutNd)
