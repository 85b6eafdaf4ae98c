"""One training loop for every model of the study. Raise RECIPES["train"] when a change alters its weights."""

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

from directions import snapshots, weights
from directions.errors import InputError
from directions.evaluation import Score, evaluate, scaled
from directions.examples import Examples
from directions.seeds import number, torch_stream

log = logging.getLogger(__name__)


def make_optimizer(model: nn.Module, settings: dict) -> optim.Optimizer:
    """SGD with momentum or Adam, as the settings say (docs/DEVIATIONS.md, D1)."""
    shared = {"lr": settings["learning_rate"], "weight_decay": settings["weight_decay"], "fused": True}
    if settings["optimizer"] == "sgd":
        return optim.SGD(model.parameters(), momentum=settings["momentum"], **shared)
    if settings["optimizer"] == "adam":
        return optim.Adam(model.parameters(), **shared)
    raise InputError(f"unknown optimizer {settings['optimizer']!r}: known are sgd, adam")


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """bfloat16 matrix products where the settings ask for them; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def check_batches(model: nn.Module, images: int, batch: int) -> None:
    """Raise InputError where batch norm would meet a batch of one image, which has no variance."""
    normed = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    if normed and (batch == 1 or images % batch == 1):
        raise InputError(
            f"batch: {images} images in batches of {batch} leave a batch of 1, of which batch norm cannot "
            "take a variance: change `batch` or `images`"
        )


def train_epoch(
    model: nn.Module, optimizer: optim.Optimizer, train: Examples, settings: dict, epoch: int
) -> None:
    """One pass over the training set, in an order and with dropout that depend on (seed, epoch) alone.

    So resuming needs no stored random state. Raises InputError when the loss is no longer a number.
    """
    device = train.images.device
    seed = settings["seed"]
    if settings["dropout"]:
        torch.manual_seed(number("dropout", seed, epoch))  # nn.Dropout knows only the global generator
    order = torch.randperm(len(train.labels), generator=torch_stream("order", seed, epoch)).to(device)
    images, labels = train.images[order], train.labels[order]
    model.train()
    for batch_images, batch_labels in zip(
        images.split(settings["batch"]), labels.split(settings["batch"]), strict=True
    ):
        optimizer.zero_grad(set_to_none=True)
        with autocast(settings["precision"], device):
            loss = cross_entropy(model(scaled(batch_images)), batch_labels)
        loss.backward()
        optimizer.step()
    if not torch.isfinite(loss):
        raise InputError(
            f"the loss is {loss.item()} after epoch {epoch + 1}: lower learning_rate "
            f"(now {settings['learning_rate']}) of this experiment"
        )


def train(
    model: nn.Module,
    train_set: Examples,
    test_set: Examples,
    settings: dict,
    *,
    resume: Path,
    fingerprint: str,
    snapshot_seconds: float = 30.0,
) -> list[dict]:
    """Train in place; return one row per evaluated epoch: losses in nats and accuracies on both sets.

    `resume` is a folder for what a killed job needs to go on: a snapshot and the checkpoints kept so far
    (see `kept`); a snapshot is written when the last is `snapshot_seconds` old, which changes no result.
    A snapshot with another `fingerprint` is ignored. Raises InputError when the network ends
    below `require_train_accuracy`, or cannot be trained in such batches.
    """
    check_batches(model, len(train_set), settings["batch"])
    optimizer = make_optimizer(model, settings)
    first, history = restored(model, optimizer, resume / "snapshot.pt", fingerprint)
    epochs = settings["epochs"]
    keep = set(settings["keep_epochs"])
    if first == 0 and 0 in keep:
        weights.save(kept(resume, 0), model.state_dict(), {})
    started = saved_at = time.monotonic()
    for epoch in range(first, epochs):
        train_epoch(model, optimizer, train_set, settings, epoch)
        done = epoch + 1
        if done % settings["evaluate_every"] == 0 or done == epochs:
            scores = (
                evaluate(model, train_set.images, train_set.labels),
                evaluate(model, test_set.images, test_set.labels),
            )
            history.append(row(done, *scores))
            pace = (time.monotonic() - started) / (done - first)
            report(history[-1], epochs, pace)
        if done in keep:
            weights.save(kept(resume, done), model.state_dict(), {})
        if time.monotonic() - saved_at >= snapshot_seconds and done < epochs:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            snapshots.save(resume / "snapshot.pt", fingerprint, state | {"epoch": done, "history": history})
            saved_at = time.monotonic()
    require(history[-1]["train_accuracy"], settings)
    return history


def restored(
    model: nn.Module, optimizer: optim.Optimizer, snapshot: Path, fingerprint: str
) -> tuple[int, list[dict]]:
    """(epochs done, history) of a killed job, its state put back into model and optimizer; else (0, [])."""
    saved = snapshots.load(snapshot, fingerprint)
    if saved is None:
        return 0, []
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    log.info("resuming after epoch %d", saved["epoch"])
    return saved["epoch"], saved["history"]


def row(epoch: int, on_train: Score, on_test: Score) -> dict:
    """One line of the history table."""
    return {
        "epoch": epoch,
        "train_loss": on_train.loss,
        "train_accuracy": on_train.accuracy,
        "test_loss": on_test.loss,
        "test_accuracy": on_test.accuracy,
    }


def report(latest: dict, epochs: int, pace: float) -> None:
    """Log where training stands and how long the rest takes; `pace` in seconds per epoch."""
    log.info(
        "epoch %d/%d  loss %.4f  train accuracy %.4f  test accuracy %.4f  %.2f s/epoch  %.0f s left",
        latest["epoch"], epochs, latest["train_loss"], latest["train_accuracy"], latest["test_accuracy"],
        pace, pace * (epochs - latest["epoch"]),
    )  # fmt: skip


def require(accuracy: float, settings: dict) -> None:
    """Raise InputError where a network that had to memorise its labels did not."""
    wanted = settings["require_train_accuracy"]
    if wanted is not None and accuracy < wanted:
        raise InputError(
            f"training accuracy is {accuracy:.4f} after {settings['epochs']} epochs, the experiment requires "
            f"{wanted}: raise `epochs`, or lower `require_train_accuracy` (null: no requirement)"
        )


def kept(resume: Path, epoch: int) -> Path:
    """Where the checkpoint of an epoch in `keep_epochs` waits until training is over."""
    return resume / f"epoch-{epoch:06d}.safetensors"


def checkpoints(resume: Path, settings: dict) -> Iterator[tuple[str, Tensor]]:
    """("epoch-000005/linear1.weight", tensor) of every checkpoint kept, in order of epochs."""
    for epoch in sorted(set(settings["keep_epochs"])):
        path = kept(resume, epoch)
        for name, tensor in weights.load_state(path)[0].items():
            yield f"{path.stem}/{name}", tensor
