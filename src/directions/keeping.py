"""How many steps training takes, and after which of them its weights are kept. Needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Checkpoint:
    """Weights that are kept after so many steps.

    epoch: how many passes over the images these are, an int where it is whole or stands in `keep_epochs`.
    name: of its file while training goes on, then in front of its tensors; names sort by step.
    """

    step: int
    epoch: int | float
    name: str


def steps_per_epoch(settings: Mapping, images: int) -> int:
    """Steps that make a pass over so many images; with `norm_batch` without the incomplete last one (D28)."""
    return images // settings["batch"] if settings["norm_batch"] else -(-images // settings["batch"])


def steps_in_all(settings: Mapping, images: int) -> int:
    """Steps that training on so many images takes."""
    return settings["steps"] or settings["epochs"] * steps_per_epoch(settings, images)


def checkpoints(settings: Mapping, images: int) -> list[Checkpoint]:
    """What training on so many images keeps: after `keep_epochs`, every `keep_every` steps; by rising step.

    A step that both ask for is kept once. An epoch that ends early counts as one, as in the history.
    """
    per_epoch, steps = steps_per_epoch(settings, images), steps_in_all(settings, images)
    every = settings.get("keep_every")  # a setting that is left out where it is null, see runs.py
    epochs = {step: step / per_epoch for step in (range(every, steps + 1, every) if every else ())}
    epochs = {step: int(epoch) if step % per_epoch == 0 else epoch for step, epoch in epochs.items()}
    epochs |= {min(epoch * per_epoch, steps): epoch for epoch in settings["keep_epochs"]}
    return [Checkpoint(step, epochs[step], _name(step, epochs[step], per_epoch)) for step in sorted(epochs)]


def _name(step: int, epoch: int | float, per_epoch: int) -> str:
    """epoch-000003, or epoch-000003_017-of-469 for 17 steps more."""
    if isinstance(epoch, int):
        return f"epoch-{epoch:06d}"
    whole, more = divmod(step, per_epoch)
    return f"epoch-{whole:06d}_{more:0{len(str(per_epoch))}d}-of-{per_epoch}"
