"""Sanity checks of a network's scores and tables, such as for weights, images or labels that do not match."""

from collections.abc import Iterator, Mapping
from math import log, nan, sqrt

import pandas as pd

SURE = 1.5  # times chance: a network below has most likely not learned these labels of these images
MOSTLY = 0.5  # largest share of mutual information that may be bias (permuted labels); our own bound
FEW_LAYERS = 4  # layers named per network in a comparison
DEVIATIONS = 3  # standard errors above chance that are also required, as with few images luck is enough


def of_scores(run: Mapping) -> Iterator[str]:
    """Yield warnings about a row of the table `runs`, from its classes, images, losses and accuracies."""
    if _knows(run, "train"):
        if run.get("train_loss", nan) > log(run["classes"]):
            yield (
                f"Training loss is {run['train_loss']:.2f} nats, guessing has {log(run['classes']):.2f},"
                " though accuracy is above chance: are images scaled as in training (`normalize`), and does"
                " the network return logits?"
            )
        return  # poor on test images only: it memorised
    if not _knows(run, "test"):
        yield (
            "Accuracy is about chance: are these the network's weights (`weights`), images scaled as in"
            " training (`normalize`), and the labels it was trained with (`labels`)?"
        )
    else:
        yield (
            "Training accuracy is about chance, test accuracy is not: are these the labels that the network"
            " was trained with (`labels`)?"
        )


def of_split(run: Mapping, measured: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning if units of a network that memorised were measured on test images.

    measured: {analysis: its split}.
    """
    asked = [analysis for analysis, split in measured.items() if split == "test"]
    if asked and _knows(run, "train") and not _knows(run, "test"):
        settings = " and ".join(f"`{analysis}: {{split: train}}`" for analysis in asked)
        yield (
            f"The network fits only the training images, but its units were measured on test images: set"
            f" {settings} to measure them on the images that it fits."
        )


def of_comparison(runs: pd.DataFrame, ablated: Mapping[str, int]) -> Iterator[str]:
    """Yield a warning if the networks of a table `runs` differ in their layers or numbers of units.

    ablated: {network: number of units ablated}, for the networks whose curves are compared.
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
    yield f"Layers do not correspond, so curves cover different parts of each network: {'; '.join(told)}."


def of_units(units: pd.DataFrame) -> Iterator[str]:
    """Yield warnings about the table `units`: no selectivity, no `l1`, or information that is mostly bias."""
    if "negative" in units and (layers := list(units.loc[units["negative"], "layer"].unique())):
        yield f"No class selectivity index where activity is negative for some images: {', '.join(layers)}."
    if "l1" in units and (layers := list(units.loc[units["l1"].isna(), "layer"].unique())):
        yield (
            "No L1 norm where units are not fed by exactly one dense layer or convolution (sums, branches,"
            f" other kinds of weights): {', '.join(layers)}."
        )
    if "information_null_bits" in units:
        live = units[~units["dead"]]
        floor = live["information_null_bits"].mean()
        if floor > MOSTLY * live["information_bits"].mean():
            yield (
                f"Mutual information is mostly bias here: with permuted labels it is still {floor:.2f} bits"
                f" on average. More {live['split'].iloc[0]} images lower that."
            )


def _knows(run: Mapping, split: str) -> bool:
    """Return whether accuracy on a split is clearly above chance; False for a split without images."""
    if not run[f"{split}_images"]:
        return False
    chance = 1 / run["classes"]
    luck = DEVIATIONS * sqrt(chance * (1 - chance) / run[f"{split}_images"])
    return run[f"{split}_accuracy"] >= min(1, chance + max((SURE - 1) * chance, luck))
