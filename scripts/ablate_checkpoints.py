"""Ablate a network at every checkpoint of its training; write areas and losses (Figures 4a, 4b)."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from directions.analyses import auc
from directions.analyses.network import Trained, arguments, write
from directions.core import cli
from directions.core.errors import InputError
from directions.core.scoring import evaluate
from directions.core.seeds import stream
from directions.core.suggest import rebuild
from directions.data.examples import Examples
from directions.interventions import ablation
from directions.models import files as model_files
from directions.study import training_steps


def some(examples: Examples, wanted: int | str, split: str) -> Examples:
    """Draw a fixed random subset, the same for all checkpoints and networks; or return "all" examples.

    Smaller subsets are contained in larger ones. Raises InputError if more are requested than exist.
    """
    if wanted == "all":
        return examples
    if wanted > len(examples):
        raise InputError(f"images: {wanted} requested, but the {split} set has {len(examples)}")
    first = np.sort(stream("ablated images", split).permutation(len(examples))[:wanted])
    chosen = torch.as_tensor(first, device=examples.labels.device)
    return replace(examples, images=examples.images[chosen], labels=examples.labels[chosen])


def observe_checkpoint(
    trained: Trained, sets: Mapping[str, Examples], settings: dict, name: str
) -> pd.DataFrame:
    """Return a table: ordering, split, images, units, three areas, and the unablated scores on both sets."""
    scores = {}
    for split, examples in sets.items():
        score = evaluate(trained.model, examples.images, examples.labels)
        scores |= {f"{split}_loss": score.loss, f"{split}_accuracy": score.accuracy}
    examples = sets[settings["split"]]
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
        name=name,
    )
    columns = auc.variants(curves.ablated, curves.accuracy, examples.classes)
    ablated = {"split": settings["split"], "images": len(examples), "units": units}
    return pd.DataFrame({"ordering": range(len(curves.accuracy)), **ablated, **columns, **scores})


def main(argv: list[str]) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--checkpoints", required=True, help="weights kept during training, from train.py")
    args = parser.parse_args(argv)

    def observe(trained: Trained, settings: dict) -> pd.DataFrame:
        train, test = trained.examples("train"), trained.examples("test")
        kept = training_steps.checkpoints(trained.header["settings"], len(train))
        if not kept:
            raise InputError(
                "keep_epochs is empty and keep_every is null: set one to choose when the network is ablated"
            )
        sets = {"train": train, "test": test}
        sets[settings["split"]] = some(
            sets[settings["split"]], settings.get("images", "all"), settings["split"]
        )
        parts = []
        for checkpoint in kept:
            state, _ = model_files.load_state(args.checkpoints, f"{checkpoint.name}/")
            if not state:
                raise InputError(f"{args.checkpoints} has no {checkpoint.name}: {rebuild(args.checkpoints)}")
            trained.model.load_state_dict(state)
            part = observe_checkpoint(trained, sets, settings, checkpoint.name)
            parts.append(part.assign(epoch=checkpoint.epoch))
        table = pd.concat(parts)
        return table[["epoch", *(name for name in table if name != "epoch")]]

    write(observe, args)


if __name__ == "__main__":
    cli.start(main)
