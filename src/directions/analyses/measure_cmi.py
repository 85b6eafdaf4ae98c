"""A bound on the generalisation gap: what a network tells about the examples it was trained on.

f-CMI, Harutyunyan et al. 2021 (docs/BEYOND.md). It retrains the network on random halves of its training set.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, count, share
from directions.core.errors import InputError
from directions.study.analysis_spec import AnalysisSpec
from directions.study.settings import or_null, setting, whole

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from directions.analyses.network import Trained
    from directions.analyses.retraining import Layers
    from directions.study.training_settings import TrainingSettings

log = logging.getLogger(__name__)

LEARNED = 0.05  # accuracy above chance, of all there could be, from which on a copy keeps an area
SIZES = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": whole(2),
    "description": "a list of whole numbers >= 2, each once",
}


@dataclass(frozen=True)
class Settings:
    """Settings of the bound."""

    pairs: list[int] = setting(
        [250], "pairs of a supersample, which is as many images as a copy trains on", SIZES
    )
    supersamples: int = setting(3, "supersamples of each size, drawn from the training images", whole(1))
    splits: int = setting(
        30, "random halves of a supersample, each of which trains a copy of the network", whole(2)
    )
    epochs: int | None = setting(
        None,
        "passes over its half that a copy trains for; null: as many as the network",
        or_null(whole(1, ", or null")),
    )
    shuffles: int = setting(10, "permutations of the halves, for what chance makes of the bound", whole(1))
    points: int = setting(17, "points of an ablation curve, evenly spaced from no unit to all", whole(2))


SPEC = AnalysisSpec(
    table="cmi",
    rows="one row per supersample",
    settings=Settings,
    columns=(
        count("pairs", "its pairs of training images; a copy trains on one image of each, with its label"),
        count("supersample", "its number, from 0, among those of this size"),
        count("splits", "number of copies trained"),
        share("train_accuracy", "of the copies, on the images that they trained on, averaged over them"),
        share("test_accuracy", "likewise, on the other image of each pair, with the label it has"),
        Column("gap", "train_accuracy minus test_accuracy", low=-1, high=1),
        amount(
            "bound",
            "bound on the gap by f-CMI: (1/n) sum_i sqrt(2 I_i), in nats, of the difference of the two 0/1"
            " losses of a pair; at most 1.18. An estimate from few copies, which is too large",
        ),
        amount("null_bound", "the same with the halves permuted: what chance alone makes of it"),
        amount(
            "bound_predictions",
            "bound by the two predictions for a pair; from few copies, it means little for ten classes",
        ),
        amount("null_bound_predictions", "the same with the halves permuted"),
        Column(
            "kept",
            "area kept by the copies on the images that they trained on: under accuracy against units"
            " clamped to zero, in a random order for each copy, corrected for chance and divided by the"
            " unablated accuracy, corrected alike; empty if they hardly do better than guessing",
            empty=True,
        ),
    ),
    cost=lambda settings, _sizes: (settings.supersamples * settings.splits * sum(settings.pairs), 1.0),
    resumes=False,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`."""
    import pandas as pd

    from directions.analyses import retraining
    from directions.study import training_settings

    recipe = training_settings.read(trained.header["settings"])
    retraining.check(recipe)
    if settings.epochs is not None:
        recipe = replace(recipe, epochs=settings.epochs, steps=None)
    images, most = len(trained.examples("train")), max(settings.pairs)
    if 2 * most > images:
        raise InputError(
            f"measure_cmi: {most} pairs need {2 * most} images, but the network was trained on {images}:"
            " lower `pairs`, or raise `images` of the experiment"
        )
    rows = []
    for pairs in settings.pairs:
        for number in range(settings.supersamples):
            row = of_supersample(trained, settings, recipe, pairs, number)
            log.info(
                "%d pairs, supersample %d: gap %.3f, bound %.3f", pairs, number, row["gap"], row["bound"]
            )
            rows.append(row)
    return pd.DataFrame(rows)[SPEC.names]


def of_supersample(
    trained: Trained, settings: Settings, recipe: TrainingSettings, pairs: int, number: int
) -> dict[str, float]:
    """Return one row of the table: train the copies on halves of one supersample, and compare them."""
    import numpy as np
    import torch

    from directions import models
    from directions.analyses import information_bounds, retraining
    from directions.core.scoring import passes, right
    from directions.core.seeds import stream

    examples = trained.examples("train")
    random = stream("supersample", trained.seed, pairs, number)
    chosen = torch.as_tensor(random.permutation(len(examples))[: 2 * pairs], device=examples.labels.device)
    coins = random.integers(2, size=(settings.splits, pairs))
    labels = examples.labels[chosen]
    scaled = passes(examples.images[chosen], labels, 2 * pairs)
    inputs = torch.cat([images for images, _ in scaled]).flatten(1)
    places = 2 * torch.arange(pairs) + torch.as_tensor(coins)  # of a pair's two images, one after the other
    places = places.to(labels.device)

    model = models.build(trained.header["settings"], trained.header["image_shape"], examples.classes)
    model = model.to(inputs)
    layers = retraining.train(model, inputs[places], labels[places], recipe)
    with torch.no_grad():
        logits = retraining.logits(layers, inputs.expand(settings.splits, -1, -1))
    wrong = (~right(logits, labels)).cpu().numpy().astype(int).reshape(-1, pairs, 2)
    answers = logits.argmax(2).cpu().numpy().reshape(-1, pairs, 2)
    trained_on, other = (
        1 - np.take_along_axis(wrong, side[..., None], axis=2).mean() for side in (coins, 1 - coins)
    )
    row = {
        "pairs": pairs, "supersample": number, "splits": settings.splits,
        "train_accuracy": trained_on, "test_accuracy": other, "gap": trained_on - other,
        "kept": kept_area(layers, inputs[places], labels[places], settings, trained.seed),
    }  # fmt: skip
    for name, done in (
        ("bound", wrong[..., 0] - wrong[..., 1] + 1),
        ("bound_predictions", answers[..., 0] * examples.classes + answers[..., 1]),
    ):
        row[name] = information_bounds.bound(done, coins)
        row[f"null_{name}"] = information_bounds.null_bound(done, coins, settings.shuffles, random)
    return row


def kept_area(
    layers: Layers, inputs: torch.Tensor, labels: torch.Tensor, settings: Settings, seed: int
) -> float:
    """Average over the copies the area kept under ablation; NaN if none does better than guessing."""
    import numpy as np

    from directions.analyses import auc, retraining
    from directions.core.area import area
    from directions.interventions import ablation

    units = sum(weights.shape[1] for weights, _ in layers[:-1])
    counts = ablation.grid(units, settings.points)
    orders = np.stack(ablation.orderings(units, len(labels), seed))
    curves = retraining.curves(layers, inputs, labels, orders, counts)
    classes = layers[-1][0].shape[1]
    whole = auc.chance_corrected(curves[:, 0], classes)
    areas = auc.chance_corrected(area(counts, curves), classes)
    return float(np.mean(areas[learned] / whole[learned])) if (learned := whole > LEARNED).any() else np.nan
