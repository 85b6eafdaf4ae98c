"""Units ablated alone: what each costs."""

import numpy as np
import pandas as pd

from directions import ablation
from directions.evaluation import FEW
from directions.trained import Trained


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Table layer, unit, split, losses, importance, accuracies, and the drop of the worst class's accuracy.

    Where classes are few, the drop of each: of ImageNet's thousand it would make half a gigabyte.
    """
    examples = trained.examples(settings["split"])
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
