"""Train several networks in one pass over a device, which small ones leave nearly idle.

They must be alike (study/passes.py), but may differ in seed, labels, rates, dropout and in what is kept of
them. The pass takes all steps but the last. It then leaves for each network the snapshot that its own
training would have left there, had it been stopped: `loop.train` goes on from it, takes the last step and
ends as always. Order of examples, dropout and arithmetic are those of its own training, and so are the
weights, up to rounding.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from directions.core import snapshots
from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.core.seeds import number
from directions.data.examples import Examples
from directions.models.optimizers import make_optimizer
from directions.study import passes, training_steps
from directions.study.training_settings import TrainingSettings
from directions.training import schedule
from directions.training.checkpoints import (
    SNAPSHOT,
    Keeper,
    Progress,
    kept,
    random_states,
    set_random_states,
)
from directions.training.distributed import ALONE
from directions.training.loop import Loop, autocast
from directions.training.objectives import objective
from directions.training.preemption import Request, Stopped, noticed
from directions.training.stack import Stack, Updates, rates

PASS = "pass.pt"  # the snapshot of a whole pass, in the resume folder of its first network

log = logging.getLogger(__name__)


@dataclass
class Network:
    """One network of a pass; `model`, in its initial state, is trained in place.

    given: its settings as plain data, which `settings` are as well. resume, fingerprint: as of its own
    training (`loop.train`).
    """

    name: str
    model: nn.Module
    train_set: Examples
    test_set: Examples
    given: dict
    settings: TrainingSettings
    resume: Path
    fingerprint: str

    @property
    def names(self) -> dict[int, str]:
        """{step: name of the checkpoint after it}."""
        found = training_steps.checkpoints(self.settings, len(self.train_set))
        return {point.step: point.name for point in found}


def train_many(networks: Sequence[Network], snapshot_seconds: float = 30.0) -> dict[str, str]:
    """Bring networks to their last step but one, and leave each a snapshot to go on from.

    Returns {name: why} of networks that diverged; they get no snapshot, and their own training would fail as
    well. Networks that have such a snapshot are left as they are, and so is one that would be alone. A pass
    that was killed goes on from its own snapshot, `PASS`, and ends with the same bytes.
    Raises InputError if the networks cannot share a pass, or if one could not be trained by itself. Raises
    Stopped, after saving a snapshot, on SIGTERM or SIGUSR1.
    """
    passes.check([one.given for one in networks])
    check_images(networks)
    alike: dict[tuple, list[Network]] = {}
    for one in networks:
        alike.setdefault(rates(one.settings), []).append(one)
    ordered = [one for group in alike.values() for one in group]
    if ordered and saved_pass(ordered) is None:
        ordered = [one for one in ordered if not _ended(one)]
    if len(ordered) < 2:
        log.info("networks left for this pass: %d, so none is trained here", len(ordered))
        return {}
    with noticed() as request:
        return Pass(ordered, snapshot_seconds, request).train()


def check_images(networks: Sequence[Network]) -> None:
    """Raise InputError unless all networks see equally many images of one shape."""
    sizes = {(len(one.train_set), tuple(one.train_set.image_shape)) for one in networks}
    if len(sizes) > 1:
        (images, shape), (others, other), *_ = sorted(sizes)
        raise InputError(
            "the networks of a pass must see equally many images of one shape, and these see"
            f" {images} of {shape} and {others} of {other}: put them into passes of their own"
        )


def saved_pass(networks: Sequence[Network]) -> dict | None:
    """Load the snapshot of a pass of these networks if all checkpoints that precede it still exist."""
    path = networks[0].resume / PASS
    saved = snapshots.load(path, _fingerprint(networks))
    if saved is None:
        return None
    for one in networks:
        before = [kept(one.resume, name) for step, name in one.names.items() if step <= saved["step"]]
        if one.name not in saved["failed"] and not all(map(Path.is_file, before)):
            log.warning("snapshot %s lacks checkpoints of %s: starting over", path, one.name)
            return None
    return saved


def _fingerprint(networks: Sequence[Network]) -> str:
    return hashlib.sha256(" ".join(one.fingerprint for one in networks).encode()).hexdigest()


def _ended(network: Network) -> bool:
    """Return whether a pass has left this network's snapshot."""
    saved = snapshots.load(network.resume / SNAPSHOT, network.fingerprint)
    steps = training_steps.steps_in_all(network.settings, len(network.train_set))
    return saved is not None and saved["step"] == steps - 1


class Pass:
    """A pass in progress; `loops` are the networks' own trainings, whose steps are taken here.

    step: optimizer steps done; end: of the pass. losses: of the latest step, one per network. random: {name:
    states of the global generators}, of networks with dropout. failed: {name: why it diverged}. Such a
    network is computed on, because the others would round differently without it, but not kept.
    """

    def __init__(self, networks: Sequence[Network], snapshot_seconds: float, request: Request):
        """networks: those of equal `rates` beside each other."""
        self.networks, self.seconds, self.request = networks, snapshot_seconds, request
        first = networks[0]
        self.precision, self.device = first.settings.precision, first.train_set.labels.device
        self.plan = [schedule.planned(one.model, one.train_set, one.settings, ALONE) for one in networks][0]
        self.end = self.plan.steps - 1
        self.loops = {one.name: self._loop(one) for one in networks}
        self.stack = Stack([one.model for one in networks])
        self.updates = Updates(self.stack, [one.settings for one in networks])
        self.objective = objective(first.settings, None)
        self.points = {step for one in networks for step in one.names}
        self.losses = torch.zeros(len(networks))
        self.random: dict[str, dict[str, Tensor]] = {}
        self.failed: dict[str, str] = {}
        self.step = 0
        self.restored = self._restore()
        self.first_step, self.started = self.step, time.monotonic()
        self.saved_at = self.started

    def _loop(self, one: Network) -> Loop:
        optimizer = make_optimizer(one.model.parameters(), one.settings)  # until the pass has ended
        keeper = Keeper(one.resume, one.fingerprint, self.seconds, one.model, optimizer, one.names)
        return Loop(
            one.train_set, one.test_set, one.settings, self.plan, keeper, Progress(), ALONE, self.request
        )

    def train(self) -> dict[str, str]:
        """Take the steps that are left, leave the snapshots, and return what failed."""
        if self.restored:
            log.info("resuming the pass after step %d of %d", self.step, self.plan.steps)
        else:
            self._checkpoint()
        for epoch in range(self.step // self.plan.per_epoch, self.plan.epochs):
            self._train_epoch(epoch)
            if epoch + 1 < self.plan.epochs:
                self._each(partial(self._end_epoch, epoch + 1))
            if len(self.failed) == len(self.loops):
                break
        if self.step > self.first_step:
            self._snapshot()
        for place, loop in enumerate(self.loops.values()):
            loop.keeper.optimizer = self.updates.of(place)
        self.stack.release()
        self._each(self._leave)
        (self.networks[0].resume / PASS).unlink(missing_ok=True)
        return self.failed

    def _train_epoch(self, epoch: int) -> None:
        """Take the remaining steps of this epoch (from 0), except for the last of training."""
        for name, loop in self.loops.items():
            if loop.random and not self.restored:
                torch.manual_seed(number("dropout", loop.settings.seed, epoch))
                self.random[name] = random_states(self.device)
        self.restored = False
        first, end = self.plan.left(epoch, self.step)
        last = epoch * self.plan.per_epoch + end
        for images, labels in self._batches(epoch, first, min(end, end - last + self.end)):
            self._keep()
            with autocast(self.precision, self.device):
                logits = self.stack(scaled(images), self._masks(images.shape[1]))
                losses = torch.vmap(self._loss)(logits, labels)
            self.updates.step(losses, self.step, self.plan.steps)
            self.losses = losses.detach()
            self.step += 1
            if self.step in self.points and self.step < last:
                self._checkpoint()

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of one network; its objective calls it, and no more, to get the logits."""
        return self.objective(cast(nn.Module, lambda _: logits), logits, labels)

    def _batches(self, epoch: int, first: int, end: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images (networks, n, c, h, w) and labels (networks, n), each network's in its own order."""
        if first >= end:
            return
        loops = self.loops.values()
        every = [schedule.batches(one.train_set, one.settings, epoch, (first, end), ALONE) for one in loops]
        for batch in zip(*every, strict=True):
            images, labels = zip(*batch, strict=True)
            yield torch.stack(images), torch.stack(labels)

    def _masks(self, images: int) -> dict[str, Tensor]:
        """Draw dropout's factors for one step, each network's from its own state of the global generators."""
        drawn: list[dict[str, Tensor]] = [{} for _ in self.loops]
        for place, name in enumerate(self.loops):
            if name in self.random:
                set_random_states(self.random[name], self.device)
                drawn[place] = self.stack.masks(place, images, self.precision)
                self.random[name] = random_states(self.device)
        return self.stack.joined(drawn)

    def _each(self, act: Callable[[str, Loop], None]) -> None:
        """Do something for every network that has not failed; an InputError ends that network alone."""
        for (name, loop), loss in zip(self.loops.items(), self.losses, strict=True):
            if name in self.failed:
                continue
            loop.progress.step, loop.loss = self.step, loss
            try:
                act(name, loop)
            except InputError as error:
                self.failed[name] = str(error)
                log.warning("%s goes no further in this pass: %s", name, error)

    def _end_epoch(self, done: int, name: str, loop: Loop) -> None:
        if done % loop.settings.evaluate_every == 0:
            log.info("%s:", name)
        loop.end_epoch(done)

    def _checkpoint(self) -> None:
        """Keep the weights of those networks that are to be kept after this step."""
        self._each(self._kept)

    def _kept(self, _name: str, loop: Loop) -> None:
        if self.step in loop.keeper.names:
            loop.check(loop.loss.item())
            loop.keeper.checkpoint(self.step)

    def _leave(self, name: str, loop: Loop) -> None:
        """Leave the snapshot from which a network's own training goes on."""
        loop.check(loop.loss.item())
        loop.keeper.snapshot(replace(loop.progress, random=self.random.get(name)))

    def _keep(self) -> None:
        """Save a snapshot of the pass when one is due, or when told to stop, and then raise Stopped."""
        asked = self.request.made
        if self.step > self.first_step and (asked or time.monotonic() - self.saved_at >= self.seconds):
            self._snapshot()
        if asked:
            raise Stopped(f"told to stop after step {self.step} of {self.plan.steps}: run again to resume")

    def _snapshot(self) -> None:
        """Replace the snapshot of the pass by its current state."""
        self._each(lambda _name, loop: loop.check(loop.loss.item()))
        state = {
            "step": self.step,
            "stack": self.stack.state(),
            "optimizer": self.updates.optimizer.state_dict(),
            "histories": {name: loop.progress.history for name, loop in self.loops.items()},
            "random": self.random,
            "failed": self.failed,
        }
        snapshots.save(self.networks[0].resume / PASS, _fingerprint(self.networks), state)
        self.saved_at = time.monotonic()
        pace = (self.saved_at - self.started) / (self.step - self.first_step)
        log.info("step %d/%d  %.3f s/step", self.step, self.plan.steps, pace)

    def _restore(self) -> bool:
        """Restore the state of a killed pass; return whether there is one."""
        saved = saved_pass(self.networks)
        if saved is None:
            return False
        self.stack.restore(saved["stack"])
        self.updates.optimizer.load_state_dict(saved["optimizer"])
        for name, loop in self.loops.items():
            loop.progress.history, loop.first_step = saved["histories"][name], saved["step"]
            loop.keeper.last = self.networks[0].resume / PASS
        self.step, self.random, self.failed = saved["step"], saved["random"], saved["failed"]
        return True
