"""What a network's accuracy says against its tables: weights, images or labels that do not belong to it."""

from collections.abc import Iterator, Mapping

SURE = 1.5  # times chance: what knows less has most likely not learned these labels of these images


def of_scores(run: Mapping) -> Iterator[str]:
    """Sentences about a row of the table `runs`: its classes, train_accuracy, test_accuracy."""
    chance = SURE / run["classes"]
    if run["train_accuracy"] >= chance:
        return  # poor on test images alone: it memorised
    if run["test_accuracy"] < chance:
        yield (
            "Accuracy is about chance: are these the network's weights, images as it was trained on"
            " (`normalize`), and the labels it was given (`labels`)?"
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
    chance = SURE / run["classes"]
    asked = [analysis for analysis, split in measured.items() if split == "test"]
    if asked and run["train_accuracy"] >= chance > run["test_accuracy"]:
        settings = " and ".join(f"`{analysis}: {{split: train}}`" for analysis in asked)
        yield (
            f"The network knows the training images only, and its units were measured on test images: set"
            f" {settings} to measure them on what it knows."
        )
