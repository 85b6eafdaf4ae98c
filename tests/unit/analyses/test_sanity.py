"""What speaks against trusting what was found of a network of the user's own, and what does not."""

import re

import numpy as np
import pandas as pd
import pytest

from directions.analyses import sanity
from directions.data import user_arrays


def scores(train: float, test: float, images: int = 2000) -> dict:
    return {
        "classes": 10, "train_images": images, "test_images": images, "train_accuracy": train,
        "test_accuracy": test,
    }  # fmt: skip


@pytest.mark.parametrize(("run", "said"), [
    (scores(0.12, 0.09), "Accuracy is about chance: are these the network's weights.*`labels`"),
    (scores(0.12, 0.9), "Training accuracy is about chance, test accuracy is not: .*`labels`"),
    (scores(0.9, 0.09), None),
    (scores(0.9, 0.9), None),
    (scores(0.16, 0.16), None),
    (scores(0.16, 0.16, images=100), "Accuracy is about chance: are these the network's weights"),
    (scores(0.12, 0.17, images=100), "Accuracy is about chance: are these the network's weights"),
    (scores(0.9, np.nan) | {"test_images": 0}, None),
    (scores(0.1, np.nan) | {"test_images": 0}, "Accuracy is about chance: are these the network's weights"),
])  # fmt: skip
def test_a_network_that_memorised_is_not_doubted_but_one_with_wrong_labels_is(run, said):
    found = list(sanity.of_scores(run))
    assert len(found) == (said is not None)
    assert not found or re.match(said, found[0])


def test_a_loss_above_that_of_guessing_is_doubted_where_accuracy_is_not():
    run = scores(0.27, 0.26) | {"train_loss": 4.68}
    [found] = sanity.of_scores(run)
    assert found.startswith("Training loss is 4.68 nats, guessing has 2.30")
    assert not list(sanity.of_scores(run | {"train_loss": 2.2}))


def test_information_that_is_mostly_bias_and_missing_norms_are_doubted():
    units = pd.DataFrame({
        "layer": ["a", "b"], "split": "test", "dead": False, "information_bits": [2.0, 3.0],
        "information_null_bits": [2.0, 3.0], "l1": [1.0, np.nan],
    })  # fmt: skip
    norm, bias = sanity.of_units(units)
    assert norm.endswith("other kinds of weights): b.")
    assert "it is still 2.50 bits on average. More test images" in bias
    assert not list(sanity.of_units(units.assign(information_null_bits=0.1, l1=1.0)))


def test_units_of_a_network_that_memorised_are_better_measured_on_what_it_memorised():
    splits = {"ablate_single": "test", "measure_units": "train"}
    [found] = sanity.of_split(scores(1.0, 0.1), splits)
    assert "`ablate_single: {split: train}`" in found
    assert "measure_units" not in found
    assert not list(sanity.of_split(scores(1.0, 0.9), splits))
    assert not list(sanity.of_split(scores(0.18, 0.14, images=50), splits))  # an untrained one, by luck


def test_images_that_were_to_be_scaled_are_told_from_others(caplog):
    pixels = np.arange(256, dtype=np.float32).reshape(4, 8, 8)
    for images in (
        pixels / 255,
        np.round(pixels / 255),
        pixels - 128,
        2 * pixels,
        pixels.astype("uint8"),
        pixels[:0],
    ):
        user_arrays.as_images(images, "train_images")
    assert not caplog.text
    user_arrays.as_images(pixels, "train_images")
    assert (
        "warning: train_images: floating point images with whole numbers up to 255 reach the" in caplog.text
    )


def test_layers_without_an_index_are_named():
    units = pd.DataFrame({"layer": ["a", "b", "b", "c"], "negative": [False, True, True, True]})
    [found] = sanity.of_units(units)
    assert found == "No class selectivity index where activity is negative for some images: b, c."
    assert not list(sanity.of_units(units.assign(negative=False)))
