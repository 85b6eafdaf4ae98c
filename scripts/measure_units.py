"""Measure what every unit of a network tells about the class (Figures 6, 7 and A2-A4)."""

import pandas as pd

from directions import cli, measures, models
from directions.evaluation import PASS_SIZE
from directions.seeds import stream
from directions.trained import Trained, analyse


def observe(trained: Trained, settings: dict) -> pd.DataFrame:
    """Table layer, unit, split, selectivity, information and its floor in bits, l1, dead, mean, sd."""
    examples = trained.examples(settings["split"])
    incoming = models.incoming_weights(trained.model)
    parts = []
    for layer in trained.layers:
        found = measures.measure_layer(
            measures.unit_activity(trained.model, layer, examples.images, examples.labels, PASS_SIZE),
            examples.labels.cpu().numpy(),
            examples.classes,
            bins=settings["bins"],
            shuffles=settings["shuffles"],
            rng=stream("information", trained.seed, layer),
        )
        parts.append(pd.DataFrame(found | {"l1": incoming[layer].abs().sum(1).cpu().numpy()}))
    table = pd.concat([trained.numbered(), pd.concat(parts, ignore_index=True)], axis=1)
    values = ["selectivity", "information_bits", "information_null_bits", "l1", "dead", "mean", "sd"]
    return table.assign(split=settings["split"])[["layer", "unit", "split", *values]]


def main(argv: list[str]) -> None:
    analyse(observe, __doc__, argv)


if __name__ == "__main__":
    cli.start(main)
