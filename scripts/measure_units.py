"""Measure what every unit of a network tells about the class (Figures 6, 7 and A2-A4)."""

import pandas as pd

from directions import cli, measures, models
from directions.seeds import stream
from directions.trained import Trained, analyse

VALUES = [
    "selectivity", "information_bits", "information_null_bits", "information_bits_coarse",
    "information_bits_fine", "l1", "dead", "mean", "sd",
]  # fmt: skip


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Table layer, unit, split, and VALUES: information has its floor and its value with other bins."""
    examples = trained.examples(settings["split"])
    incoming = models.incoming_weights(trained.model)
    activity = measures.unit_activity(trained.model, trained.layers, examples.images, examples.labels)
    parts = []
    for layer in trained.layers:
        found = measures.measure_layer(
            activity[layer],
            examples.labels.cpu().numpy(),
            examples.classes,
            bins=settings["bins"],
            shuffles=settings["shuffles"],
            rng=stream("information", trained.seed, layer),
        )
        parts.append(pd.DataFrame(found | {"l1": incoming[layer].abs().sum(1).cpu().numpy()}))
    table = pd.concat([trained.numbered(), pd.concat(parts, ignore_index=True)], axis=1)
    return table.assign(split=settings["split"])[["layer", "unit", "split", *VALUES]]


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
