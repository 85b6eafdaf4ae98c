"""What a network's accuracy says against its tables: weights, images or labels that do not belong to it."""

from collections.abc import Iterator, Mapping
from math import log, nan, sqrt

import numpy as np
import pandas as pd

SURE = 1.5  # times chance: what knows less has most likely not learned these labels of these images
MOSTLY = 0.5  # of mutual information may be bias, what permuted labels leave of it; a bound of ours
FEW_LAYERS = 4  # named of each network where several are told apart
DEVIATIONS = 3  # and it must be so many standard errors above chance, or few images are right by luck


def of_scores(run: Mapping) -> Iterator[str]:
    """Sentences about a row of the table `runs`: its classes, images and accuracies, train and test."""
    if _knows(run, "train"):
        if run.get("train_loss", nan) > log(run["classes"]):
            yield (
                f"Training loss is {run['train_loss']:.2f} nats, guessing has {log(run['classes']):.2f},"
                " though accuracy is above chance: are images as the network was trained on them"
                " (`normalize`), and does it return logits?"
            )
        return  # poor on test images alone: it memorised
    if not _knows(run, "test"):
        yield (
            "Accuracy is about chance: are these the network's weights (`weights`), images as it was trained"
            " on (`normalize`), and the labels it was given (`labels`)?"
        )
    else:
        yield (
            "Training accuracy is about chance, test accuracy is not: are these the labels that it was"
            " trained with (`labels`)?"
        )


def of_split(run: Mapping, measured: Mapping[str, str]) -> Iterator[str]:
    """A sentence where units of a network that memorised were measured on test images.

    measured: {analysis: its split}.
    """
    asked = [analysis for analysis, split in measured.items() if split == "test"]
    if asked and _knows(run, "train") and not _knows(run, "test"):
        settings = " and ".join(f"`{analysis}: {{split: train}}`" for analysis in asked)
        yield (
            f"The network knows the training images only, and its units were measured on test images: set"
            f" {settings} to measure them on what it knows."
        )


def of_comparison(runs: pd.DataFrame, ablated: Mapping[str, int]) -> Iterator[str]:
    """A sentence where the networks of a table `runs` do not have the same layers of as many units.

    ablated: {network: units of the layers that were ablated}, of those whose curves are compared.
    """
    if len(set(runs["units_by_layer"])) <= 1 and len(set(ablated.values())) <= 1:
        return
    told = []
    for run, by_layer in zip(runs["run"], runs["units_by_layer"], strict=True):
        parts = by_layer.split("; ")
        named = ", ".join(parts if len(parts) <= FEW_LAYERS else [*parts[: FEW_LAYERS - 1], "...", parts[-1]])
        units = sum(int(part.rpartition(" ")[2]) for part in parts)
        some = f", {ablated[run]:,} of them ablated" if ablated.get(run, units) != units else ""
        told.append(f"{run} has {units:,} units{some} ({named})")
    yield f"Layers do not correspond, so curves are of other parts of each network: {'; '.join(told)}."


def of_images(images: np.ndarray) -> Iterator[str]:
    """A sentence about floating point images that look like bytes."""
    if images.size and images.min() >= 0 and 1 < images.max() <= 255 and (images == np.floor(images)).all():
        yield (
            f"floating point images of whole numbers up to {images.max():.0f} reach the network as they are:"
            " was it trained on such? Bytes (uint8) reach it as 0 to 1"
        )


def of_units(units: pd.DataFrame) -> Iterator[str]:
    """Sentences about the table `units`: no selectivity, no `l1`, information that is mostly bias."""
    if "negative" in units and (layers := list(units.loc[units["negative"], "layer"].unique())):
        yield f"No class selectivity index where activity is negative for some images: {', '.join(layers)}."
    if "l1" in units and (layers := list(units.loc[units["l1"].isna(), "layer"].unique())):
        yield (
            "No L1 norm where not one dense layer or convolution alone feeds the units (sums, branches,"
            f" weights of another kind): {', '.join(layers)}."
        )
    if "information_null_bits" in units:
        live = units[~units["dead"]]
        floor = live["information_null_bits"].mean()
        if floor > MOSTLY * live["information_bits"].mean():
            yield (
                f"Mutual information is mostly bias here: with labels permuted before it is measured, it is"
                f" {floor:.2f} bits on average. More {live['split'].iloc[0]} images lower that."
            )


def _knows(run: Mapping, split: str) -> bool:
    """Whether accuracy on a split is clearly above chance; without one it is not."""
    if not run[f"{split}_images"]:
        return False
    chance = 1 / run["classes"]
    luck = DEVIATIONS * sqrt(chance * (1 - chance) / run[f"{split}_images"])
    return run[f"{split}_accuracy"] >= min(1, chance + max((SURE - 1) * chance, luck))
