"""Selectivity and mutual information of every unit."""

import numpy as np
import pandas as pd

from directions.analyses import selectivity
from directions.analyses.network import Trained

VALUES = [
    "selectivity", "information_bits", "information_null_bits", "information_bits_coarse",
    "information_bits_fine", "l1", "dead", "negative", "mean", "sd",
]  # fmt: skip


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Build the table layer, unit, split and VALUES: information with its floor and with other bins."""
    examples = trained.examples(settings["split"])
    found = selectivity.measure_all(
        trained.model,
        trained.layers,
        examples.images,
        examples.labels,
        examples.classes,
        bins=settings["bins"],
        shuffles=settings["shuffles"],
        seed=trained.seed,
    )
    norms = [trained.incoming[layer].abs().sum(1).cpu().numpy() for layer in trained.layers]
    table = trained.numbered().assign(**found, l1=np.concatenate(norms), split=settings["split"])
    return table[["layer", "unit", "split", *VALUES]]
