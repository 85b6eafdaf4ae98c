"""How many steps training takes, and after which of them checkpoints are kept. Needs no torch."""

from dataclasses import dataclass

from directions.core.types import present
from directions.study.training_settings import TrainingSettings


@dataclass(frozen=True)
class Checkpoint:
    """Weights that are kept after a number of steps.

    epoch: the number of passes over the images, an int if it is whole or listed in `keep_epochs`.
    name: of its file during training, later the prefix of its tensors; names sort by step.
    """

    step: int
    epoch: int | float
    name: str


def steps_per_epoch(settings: TrainingSettings, images: int) -> int:
    """Number of steps per pass over the images; `norm_batch` drops the incomplete last batch (D28)."""
    return images // settings.batch if settings.norm_batch else -(-images // settings.batch)


def steps_in_all(settings: TrainingSettings, images: int) -> int:
    """Number of steps of a whole training run."""
    return settings.steps or present(settings.epochs) * steps_per_epoch(settings, images)


def checkpoints(settings: TrainingSettings, images: int) -> list[Checkpoint]:
    """List the checkpoints to keep, sorted by step: after `keep_epochs`, and every `keep_every` steps.

    A step that both settings list is kept once. An epoch cut short counts as one, as in the history.
    """
    per_epoch, steps = steps_per_epoch(settings, images), steps_in_all(settings, images)
    every = settings.keep_every
    epochs = {step: step / per_epoch for step in (range(every, steps + 1, every) if every else ())}
    epochs = {step: int(epoch) if step % per_epoch == 0 else epoch for step, epoch in epochs.items()}
    epochs |= {min(epoch * per_epoch, steps): epoch for epoch in settings.keep_epochs}
    return [Checkpoint(step, epochs[step], _name(step, epochs[step], per_epoch)) for step in sorted(epochs)]


def _name(step: int, epoch: int | float, per_epoch: int) -> str:
    """Name a checkpoint epoch-000003, or epoch-000003_017-of-469 for 17 more steps."""
    if isinstance(epoch, int):
        return f"epoch-{epoch:06d}"
    whole, more = divmod(step, per_epoch)
    return f"epoch-{whole:06d}_{more:0{len(str(per_epoch))}d}-of-{per_epoch}"
