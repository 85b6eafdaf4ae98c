"""Single-unit ablation: the loss caused by each unit."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from directions.analyses.network import Trained
from directions.core.errors import InputError
from directions.core.scoring import FEW
from directions.interventions import ablation


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Build the table layer, unit, split, losses, importance, accuracies, largest accuracy drop of a class.

    With few classes it has the drop of every class; ImageNet's thousand would take half a gigabyte.
    """
    examples = trained.examples(settings["split"])
    if isinstance(settings["units"], dict):
        units = numbers(trained.layers, settings["units"])
    else:
        units = ablation.sample(sum(trained.layers.values()), settings["units"], trained.seed)
    found = ablation.single(
        trained.model,
        examples.images,
        examples.labels,
        layers=trained.layers,
        classes=examples.classes,
        values=trained.clamp_values("zero", trained.layers),
        units=units,
        unfinished=trained.unfinished,
    )
    drops = found.class_accuracy_before - found.class_accuracy
    drops[:, found.class_images == 0] = np.nan
    share = found.class_images / found.class_images.sum()
    classes = range(examples.classes if examples.classes <= FEW else 0)
    return (
        trained.numbered()
        .iloc[units]
        .assign(
            split=settings["split"],
            loss_before=found.loss_before,
            loss_after=found.loss,
            importance=found.loss - found.loss_before,
            accuracy_before=found.class_accuracy_before @ share,
            accuracy_after=found.class_accuracy @ share,
            worst_class=np.nanargmax(drops, axis=1),
            worst_class_drop=np.nanmax(drops, axis=1),
            **{f"drop_class_{label}": drops[:, label] for label in classes},
        )
    )


def numbers(layers: Mapping[str, int], wanted: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Number the wanted units, {layer: numbers within it}, through all layers, ascending.

    Raises InputError for a layer or unit that does not exist.
    """
    starts = dict(zip(layers, np.cumsum([0, *layers.values()]).tolist(), strict=False))
    found = []
    for name, units in wanted.items():
        if name not in layers:
            raise InputError(f"units: {name} is not a layer of units: there are {', '.join(layers)}")
        for unit in units:
            if not 0 <= unit < layers[name]:
                raise InputError(f"units: {name} has units 0 to {layers[name] - 1}, not {unit}")
            found.append(starts[name] + unit)
    return np.unique(found)
