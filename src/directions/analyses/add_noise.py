"""Noise of increasing size on all units: loss and accuracy."""

import numpy as np
import pandas as pd

from directions.analyses.network import Trained, grid_table
from directions.interventions import noise


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Build the table repeat, noise_sd_ratio, split, loss, accuracy; each repeat starts at ratio 0.

    settings: from the config; `ratios`, if given, replace the range.
    """
    examples = trained.examples(settings["split"])
    if settings.get("ratios"):
        ratios = np.array([0.0, *sorted(settings["ratios"])])
    else:
        ratios = noise.ratios(settings["lowest"], settings["highest"], settings["points"])
    loss, accuracy = noise.add_noise(
        trained.model,
        examples.images,
        examples.labels,
        spread={name: sd for name, (_, sd) in trained.moments().items()},
        noise_sd_ratios=ratios,
        repeats=settings["repeats"],
        seed=trained.seed,
        unfinished=trained.unfinished,
    )
    keys = ("repeat", range(settings["repeats"])), ("noise_sd_ratio", ratios)
    table = grid_table(*keys, loss=loss, accuracy=accuracy).assign(split=settings["split"])
    return table[["repeat", "noise_sd_ratio", "split", "loss", "accuracy"]]
