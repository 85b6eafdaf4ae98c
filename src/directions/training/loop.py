"""The training loop for all models. Raise RECIPES["train"] when a change alters trained weights."""

import logging
import math
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim

from directions.core.errors import InputError
from directions.core.scoring import Score, Totals, scaled, totals
from directions.core.seeds import number
from directions.data.examples import Examples
from directions.models.optimizers import learning_rate, make_optimizer
from directions.study import training_steps
from directions.study.training_settings import TrainingSettings
from directions.training import schedule
from directions.training.checkpoints import Keeper, Progress, random_states, set_random_states
from directions.training.distributed import ALONE, Processes
from directions.training.ghost_batch_norm import over_groups, running_statistics
from directions.training.objectives import Objective, objective, plain
from directions.training.preemption import Request, Stopped, noticed

log = logging.getLogger(__name__)


def check_precision(precision: str, device: torch.device) -> None:
    """Warn about bf16 on a CPU without it, where float32 is many times faster (docs/PERFORMANCE.md)."""
    if precision != "bf16" or device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        log.warning(
            "warning: this processor has no bf16 instructions: precision: float32 is several times faster"
        )


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Use bfloat16 matrix products if the settings ask for them; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def take_step(
    model: nn.Module,
    optimizer: optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    precision: str,
    objective: Objective = plain,
) -> Tensor:
    """Take one step on uint8 images (n, c, h, w) and labels (n,); return the objective before it."""
    optimizer.zero_grad(set_to_none=True)
    with autocast(precision, images.device):
        loss = objective(model, scaled(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def train(
    model: nn.Module,
    train_set: Examples,
    test_set: Examples,
    settings: TrainingSettings,
    *,
    resume: Path,
    fingerprint: str,
    snapshot_seconds: float = 30.0,
    processes: Processes = ALONE,
    auxiliary: nn.Module | None = None,
) -> list[dict]:
    """Train in place; return one row per evaluated epoch: losses in nats and accuracies on both sets.

    `resume` is a folder with the state to resume an interrupted job: a snapshot and the checkpoints kept so
    far (see `Keeper`; in the end all of `training_steps.checkpoints`). A snapshot is written when the last is
    `snapshot_seconds` old, which changes no result. A snapshot with another `fingerprint` is ignored. All of
    several `processes` call this; only the first writes. `auxiliary` is the second network of the method
    limit, trained beside the first and in the snapshot, but not in the checkpoints.
    Raises InputError if the network ends below `require_train_accuracy`, if its loss becomes NaN or infinite,
    or if it cannot be trained in such batches or by so many processes. Raises Stopped, after saving a
    snapshot, in the first process that receives SIGTERM or SIGUSR1; the others lose it and end, too.
    """
    plan = schedule.planned(model, train_set, settings, processes)
    both = model if auxiliary is None else nn.ModuleList([model, auxiliary])
    optimizer = make_optimizer(both.parameters(), settings)
    names = {found.step: found.name for found in training_steps.checkpoints(settings, len(train_set))}
    keeper = Keeper(resume, fingerprint, snapshot_seconds, model, optimizer, names, auxiliary=auxiliary)
    progress = keeper.restored(processes)
    if progress.step:
        log.info("resuming after step %d of %d", progress.step, plan.steps)
    elif 0 in keeper.names and processes.first:
        keeper.checkpoint(0)
    with over_groups(model, settings.norm_batch), noticed() as request:
        loop = Loop(train_set, test_set, settings, plan, keeper, progress, processes, request)
        for epoch in range(progress.step // plan.per_epoch, plan.epochs):
            loop.train_epoch(epoch)
            loop.end_epoch(epoch + 1)
    if processes.first:
        require(progress.history[-1]["train_accuracy"], settings, plan)
    return progress.history


@dataclass
class Loop:
    """A training run in progress; the keeper holds the network and its optimizer."""

    train_set: Examples
    test_set: Examples
    settings: TrainingSettings
    plan: schedule.Plan
    keeper: Keeper
    progress: Progress
    processes: Processes
    request: Request

    def __post_init__(self):
        self.model, self.optimizer = self.keeper.model, self.keeper.optimizer
        self.replica = self.processes.replica(self.model)
        self.objective = objective(self.settings, self.keeper.auxiliary)
        self.statistics = running_statistics(self.model)
        self.loss = torch.zeros(())  # of the latest step, on this process's share
        self.first_step, self.started = self.progress.step, time.monotonic()

    @property
    def random(self) -> bool:
        """Whether training draws from the global generators."""
        return bool(self.settings.dropout or self.settings.limit_sample)

    def train_epoch(self, epoch: int) -> None:
        """Take the remaining steps of this epoch (from 0), with snapshots and checkpoints when due.

        Image order, dropout and drawn gradients depend only on (seed, epoch).
        """
        settings, progress = self.settings, self.progress
        if self.random:  # nn.Dropout knows only the global generator
            torch.manual_seed(number("dropout", settings.seed, epoch))
            if progress.random:
                set_random_states(progress.random, self.train_set.images.device)
                progress.random = None
        self.model.train()
        if self.keeper.auxiliary is not None:
            self.keeper.auxiliary.train()
        left = self.plan.left(epoch, progress.step)
        last = epoch * self.plan.per_epoch + left[1]  # kept once the epoch is evaluated
        for images, labels in schedule.batches(self.train_set, settings, epoch, left, self.processes):
            if self.processes.first:
                self.keep()  # here, the last epoch has been evaluated and kept as well
            if settings.schedule != "constant":
                for group in self.optimizer.param_groups:
                    group["lr"] = learning_rate(settings, progress.step, self.plan.steps)
            self.loss = take_step(
                self.replica, self.optimizer, images, labels, settings.precision, self.objective
            )
            self.processes.average(self.statistics)
            progress.step += 1
            if progress.step in self.keeper.names and progress.step < last and self.processes.first:
                self.check(self.loss.item())
                self.keeper.checkpoint(progress.step)

    def end_epoch(self, done: int) -> None:
        """Evaluate, log and keep what is due after this many epochs."""
        if self.processes.first:
            self.check(self.loss.item())
        if done % self.settings.evaluate_every == 0 or done == self.plan.epochs:
            on_train, on_test = self.score(self.train_set), self.score(self.test_set)
            self.progress.history.append(row(done, on_train, on_test))
            if self.processes.first:
                self.check(on_train.loss, on_test.loss)
                report(self.progress, self.plan, self.pace())
        if self.progress.step in self.keeper.names and self.processes.first:
            self.keeper.checkpoint(self.progress.step)

    def keep(self) -> None:
        """Save a snapshot when one is due, or when told to stop, and then raise Stopped."""
        asked, step = self.request.made, self.progress.step
        if step > self.first_step and (asked or self.keeper.due()):
            self.snapshot()
        if asked:
            raise Stopped(f"told to stop after step {step} of {self.plan.steps}: run again to resume")

    def snapshot(self) -> None:
        """Save a snapshot, unless loss or weights are no longer finite."""
        loss = self.loss.item()
        self.check(loss)
        random = random_states(self.train_set.images.device) if self.random else None
        self.keeper.snapshot(replace(self.progress, random=random))
        log.info("step %d/%d  loss %.4f  %.3f s/step", self.progress.step, self.plan.steps, loss, self.pace())

    def pace(self) -> float:
        """Return the seconds per step, evaluation included."""
        return (time.monotonic() - self.started) / (self.progress.step - self.first_step)

    def score(self, examples: Examples) -> Score:
        """Score the network; each process evaluates part of the images."""
        mine = self.processes.part(len(examples))
        sums, classes = totals(self.model, examples.images[mine], examples.labels[mine])
        sums = Totals(*self.processes.summed(sums, examples.labels.device))
        return sums.means(len(examples), classes)

    def check(self, *losses: float) -> None:
        """Raise InputError if one of the losses, or any weight, is NaN or infinite."""
        tensors = self.model.state_dict().values()
        if all(map(math.isfinite, losses)) and torch.stack([t.isfinite().all() for t in tensors]).all():
            return
        epoch = -(-self.progress.step // self.plan.per_epoch)
        raise InputError(
            f"training diverged in epoch {epoch}, by step {self.progress.step} of {self.plan.steps} (loss "
            f"{', '.join(map(str, losses))}): lower learning_rate (now {self.settings.learning_rate}) "
            f"of this experiment; last good checkpoint: {self.keeper.last or 'none was kept'}"
        )


def row(epoch: int, on_train: Score, on_test: Score) -> dict:
    """Build one row of the history table; with top-5 accuracies if they are computed."""
    scores = {"train": on_train, "test": on_test}
    line: dict[str, Any] = {"epoch": epoch}
    for split, score in scores.items():
        line |= {f"{split}_loss": score.loss, f"{split}_accuracy": score.accuracy}
    if on_train.accuracy_top5 is not None:
        line |= {f"{split}_accuracy_top5": score.accuracy_top5 for split, score in scores.items()}
    return line


def report(progress: Progress, plan: schedule.Plan, pace: float) -> None:
    """Log progress and the time left; `pace` is in seconds per step."""
    latest = progress.history[-1]
    log.info(
        "epoch %d/%d  loss %.4f  train accuracy %.4f  test accuracy %.4f  %.2f s/epoch  %.0f s left",
        latest["epoch"], plan.epochs, latest["train_loss"], latest["train_accuracy"], latest["test_accuracy"],
        pace * plan.per_epoch, pace * (plan.steps - progress.step),
    )  # fmt: skip


def require(accuracy: float, settings: TrainingSettings, plan: schedule.Plan) -> None:
    """Raise InputError if a network that had to memorise its labels did not."""
    wanted = settings.require_train_accuracy
    if wanted is not None and accuracy < wanted:
        longer = "epochs" if settings.steps is None else "steps"
        raise InputError(
            f"training accuracy is {accuracy:.4f} after {plan.epochs} epochs, but the experiment requires "
            f"{wanted}: raise `{longer}`, or lower `require_train_accuracy` (null: no requirement);"
            " either way it trains from the start"
        )
