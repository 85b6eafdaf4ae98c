"""Which runs may be trained in one pass over a device (training/many.py). Needs no torch."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from directions.core.errors import InputError

Settings = Mapping[str, Any]

MODELS = ("mlp", "conv11", "conv11_mean")  # chains of layers that training/stack.py can compute together
# What the runs of a pass have in common: the same steps, on equally many images, in networks of one shape.
SHARED = (
    "dataset", "images", "model", "hidden", "width", "batch_norm", "pad", "optimizer", "batch", "epochs",
    "steps", "precision", "method",
)  # fmt: skip


def why_alone(settings: Settings) -> str | None:
    """Return why a run can be in no pass; None if it can."""
    if settings["model"] not in MODELS:
        return f"model {settings['model']} is none of {', '.join(MODELS)}"
    if settings["norm_batch"]:
        return "norm_batch: several processes may train it (train_distributed)"
    if settings["augment"]:
        return "augment: its images stay in their files"
    if settings.get("method") == "limit":
        return "method limit trains a second network beside it"
    return None


def check(runs: Sequence[Settings]) -> None:
    """Raise InputError unless runs may be trained in one pass, naming the setting that forbids it."""
    for settings in runs:
        if why := why_alone(settings):
            raise InputError(f"it cannot be trained in one pass with others ({why}): train it by train.py")
    for name in SHARED:
        found = {json.dumps(settings.get(name)) for settings in runs}
        if len(found) > 1:
            raise InputError(
                f"{name} differs among the runs of a pass ({' and '.join(sorted(found)[:2])}): all of"
                f" {', '.join(SHARED)} must be equal; put these runs into passes of their own"
            )


def passes(runs: Mapping[str, Settings], size: int) -> list[list[str]]:
    """Divide the runs of an experiment into passes of at most `size` runs; a run that is left alone has none.

    Each is a list of names, in the order of `runs`.
    """
    alike: dict[str, list[str]] = {}
    for name, settings in runs.items():
        if why_alone(settings) is None:
            key = json.dumps([settings.get(setting) for setting in SHARED])
            alike.setdefault(key, []).append(name)
    parts = (names[first : first + size] for names in alike.values() for first in range(0, len(names), size))
    return [part for part in parts if len(part) > 1]
