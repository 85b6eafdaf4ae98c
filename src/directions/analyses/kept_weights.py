"""The weights that training kept, one checkpoint after the other."""

from collections.abc import Iterator

import torch

from directions.analyses.network import Trained
from directions.core.errors import InputError
from directions.core.suggest import rebuild
from directions.models import files as model_files
from directions.study import training_settings, training_steps
from directions.study.training_steps import Checkpoint


def kept_weights(trained: Trained) -> Iterator[tuple[Checkpoint, dict[str, torch.Tensor]]]:
    """Yield (checkpoint, weights as of `state_dict`) of all checkpoints, by step.

    Raises InputError if training kept none, or if the file lacks one.
    """
    settings = training_settings.read(trained.header["settings"])
    kept = training_steps.checkpoints(settings, len(trained.examples("train")))
    if not kept:
        raise InputError(
            "keep_epochs is empty and keep_every is null: set one to choose when the network is analysed"
        )
    assert trained.checkpoints is not None
    for checkpoint in kept:
        state, _ = model_files.load_state(trained.checkpoints, f"{checkpoint.name}/")
        if not state:
            raise InputError(
                f"{trained.checkpoints} has no {checkpoint.name}: {rebuild(trained.checkpoints)}"
            )
        yield checkpoint, state
