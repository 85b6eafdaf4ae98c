"""Ablate a network at every checkpoint of its training; write areas beside losses (Figures 4a, 4b)."""

import pandas as pd

from directions import ablation, areas, cli, weights
from directions.errors import InputError
from directions.evaluation import evaluate
from directions.trained import Trained, arguments, write


def observe_epoch(trained: Trained, settings: dict, epoch: int) -> pd.DataFrame:
    """Table ordering, units, three areas, and the unablated scores on both sets, the same in every row."""
    scores = {}
    for split in ("train", "test"):
        examples = trained.examples(split)
        score = evaluate(trained.model, examples.images, examples.labels)
        scores |= {f"{split}_loss": score.loss, f"{split}_accuracy": score.accuracy}
    examples = trained.examples(settings["split"])
    layers = ablation.chosen(trained.layers, settings["layers"])
    units = sum(layers.values())
    curves = ablation.cumulative(
        trained.model,
        examples.images,
        examples.labels,
        layers=layers,
        orders=ablation.orderings(units, settings["orderings"], trained.seed),
        ablated_counts=ablation.grid(units, settings["points"]),
        values=dict.fromkeys(layers, 0.0),
        precision=settings.get("precision", "float32"),
        unfinished=trained.unfinished,
        name=f"epoch {epoch}",
    )
    columns = areas.variants(curves.ablated, curves.accuracy, examples.classes)
    return pd.DataFrame({"ordering": range(len(curves.accuracy)), "units": units, **columns, **scores})


def main(argv: list[str]) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--checkpoints", required=True, help="weights at `keep_epochs`, written by train.py")
    args = parser.parse_args(argv)

    def observe(trained: Trained, settings: dict) -> pd.DataFrame:
        epochs = sorted(set(trained.header["settings"]["keep_epochs"]))
        if not epochs:
            raise InputError("keep_epochs is empty: say at which epochs the network is to be ablated")
        parts = []
        for epoch in epochs:
            state, _ = weights.load_state(args.checkpoints, f"epoch-{epoch:06d}/")
            trained.model.load_state_dict(state)
            parts.append(observe_epoch(trained, settings, epoch).assign(epoch=epoch))
        table = pd.concat(parts)
        return table[["epoch", *(name for name in table if name != "epoch")]]

    write(observe, args)


if __name__ == "__main__":
    cli.start(main)
