"""The record of a trained network, stored next to its weights."""

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from directions import models
from directions.core.files import atomic
from directions.core.recipe import RECIPES
from directions.core.types import Images
from directions.data.examples import Examples
from directions.data.streaming import ImageFiles
from directions.study.training_settings import TrainingSettings


def header(settings: dict, train_set: Examples) -> dict:
    """Return what is needed to rebuild the network: settings, image shape (c, h, w), number of classes.

    settings: plain data, with `build` and `code` of a user's model.
    """
    return {
        "settings": settings,
        "recipe": RECIPES["train"],
        "image_shape": list(train_set.image_shape),
        "classes": train_set.classes,
    }


def fingerprint(header: dict, train_set: Examples, test_set: Examples) -> str:
    """Digest all that determines weights and history; a snapshot with another fingerprint is not resumed."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for content in (train_set.images, train_set.labels, test_set.images, test_set.labels):
        digest.update(_bytes(content))
    return digest.hexdigest()


def _bytes(content: Images) -> bytes:
    """Return what stands for images or labels: the digest of files, or the numbers themselves."""
    if isinstance(content, ImageFiles):
        return content.digest.encode()
    assert isinstance(content, Tensor)
    return content.cpu().numpy().tobytes()


def describe(
    settings: TrainingSettings,
    model: nn.Module,
    units: int | None,
    train_set: Examples,
    device: torch.device,
    threads: int,
) -> str:
    """Describe the training run in one line for the log: network, data and device."""
    length = f"{settings.steps} steps" if settings.steps else f"{settings.epochs} epochs"
    return (
        f"{settings.model} with {'an unknown number of' if units is None else units} units and "
        f"{models.parameter_count(model)} parameters, {len(train_set)} images of {settings.dataset}, "
        f"corrupt {settings.corrupt}, seed {settings.seed}, {length}, "
        f"{settings.precision} on {device} with {threads} threads, torch {torch.__version__}"
    )


def save(
    path: Path | str,
    header: dict,
    model: nn.Module,
    units: int | None,
    train_set: Examples,
    test_set: Examples,
    last: dict,
) -> None:
    """Write record.json: flat, one row of the table `runs`.

    units: their number, None if unknown. last: the last row of the history.
    """
    settings = {
        name: "x".join(map(str, value)) if isinstance(value, list) else value
        for name, value in header["settings"].items()
    }
    sizes = {
        "train_images": len(train_set),
        "test_images": len(test_set),
        "classes": train_set.classes,
        "units": units,
        "parameters": models.parameter_count(model),
        "changed_share": train_set.changed_share,
    }
    with atomic(path) as partial:
        scores = {name: value for name, value in last.items() if name != "epoch"}
        record = settings | sizes | scores
        partial.write_text(json.dumps(record, indent=1) + "\n")
