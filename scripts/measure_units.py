"""Measure what every unit of a network tells about the class (Figures 6, 7 and A2-A4)."""

import numpy as np
import pandas as pd

from directions import cli, measures, models
from directions.trained import Trained, analyse

VALUES = [
    "selectivity", "information_bits", "information_null_bits", "information_bits_coarse",
    "information_bits_fine", "l1", "dead", "mean", "sd",
]  # fmt: skip


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Table layer, unit, split, and VALUES: information has its floor and its value with other bins."""
    examples = trained.examples(settings["split"])
    found = measures.measure_all(
        trained.model,
        trained.layers,
        examples.images,
        examples.labels,
        examples.classes,
        bins=settings["bins"],
        shuffles=settings["shuffles"],
        seed=trained.seed,
    )
    incoming = models.incoming_weights(trained.model)
    norms = [incoming[layer].abs().sum(1).cpu().numpy() for layer in trained.layers]
    table = trained.numbered().assign(**found, l1=np.concatenate(norms), split=settings["split"])
    return table[["layer", "unit", "split", *VALUES]]


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv, resumes=False)


if __name__ == "__main__":
    cli.start(main)
