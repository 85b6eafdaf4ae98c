"""Copies trained at once are those that training makes one at a time."""

import numpy as np
import pytest
import torch

from directions import models
from directions.analyses import retraining
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.interventions import ablation
from directions.study.training_settings import read
from directions.training.loop import train

SETTINGS = {
    "dataset": "mnist", "images": "all", "test_images": "all", "pad": None, "model": "mlp", "hidden": [6, 5],
    "init": "he", "width": None, "batch_norm": None, "optimizer": "adam", "learning_rate": 0.01,
    "momentum": None, "weight_decay": 0.0, "batch": 4, "norm_batch": None, "epochs": 5, "steps": None,
    "schedule": "constant", "augment": False, "precision": "float32", "dropout": 0.0, "corrupt": 0.0,
    "seed": 3, "keep_epochs": [], "evaluate_every": 5, "require_train_accuracy": None,
}  # fmt: skip


def data(copies=3, images=10):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(copies, images, 1, 3, 3, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(3, (copies, images), generator=generator)


def together(settings, inputs, labels):
    model = models.build(settings, (1, 3, 3), 3).double()
    return retraining.train(model, inputs.flatten(2), labels, read(settings))


def alone(settings, inputs, labels, folder):
    """One network, as scripts/train.py trains it."""
    model = models.build(settings, (1, 3, 3), 3).double()
    examples = Examples(inputs, labels, 3)
    train(model, examples, examples, read(settings), resume=folder, fingerprint="")
    return model.eval()


@pytest.mark.parametrize("change", [
    {}, {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1}, {"weight_decay": 0.1},
    {"schedule": "cosine"}, {"epochs": None, "steps": 7}, {"batch": 64}, {"seed": 4},
], ids=str)  # fmt: skip
def test_copies_trained_at_once_are_those_trained_alone(change, tmp_path):
    settings = SETTINGS | change
    inputs, labels = data()
    layers = together(settings, inputs, labels)
    with torch.no_grad():
        found = retraining.logits(layers, inputs.flatten(2))
    for place in range(len(labels)):
        model = alone(settings, inputs[place], labels[place], tmp_path / str(place))
        weights = [value for name, value in model.named_parameters() if "weight" in name]
        for (stacked, _), weight in zip(layers, weights, strict=True):
            torch.testing.assert_close(stacked[place], weight, rtol=0, atol=1e-10)
        with torch.no_grad():
            torch.testing.assert_close(found[place], model(inputs[place]), rtol=0, atol=1e-10)


def test_ablated_copies_are_those_of_the_engine(tmp_path):
    inputs, labels = data()
    layers = together(SETTINGS, inputs, labels)
    orders, counts = np.stack(ablation.orderings(11, len(labels), 0)), np.array([0, 3, 8, 11])
    found = retraining.curves(layers, inputs.flatten(2), labels, orders, counts)
    for place in range(len(labels)):
        model = alone(SETTINGS, inputs[place], labels[place], tmp_path / str(place))
        theirs = ablation.cumulative(
            model, inputs[place], labels[place], layers={"relu1": 6, "relu2": 5}, orders=orders[[place]],
            ablated_counts=counts, values={"relu1": 0.0, "relu2": 0.0},
        )  # fmt: skip
        assert found[place] == pytest.approx(theirs.scores["accuracy"][0])
    assert len(np.unique(found)) > 3


@pytest.mark.parametrize(("change", "fault"), [
    ({"model": "conv11", "hidden": None}, "model conv11"), ({"dropout": 0.5}, "dropout 0.5"),
    ({"method": "mae"}, "method mae"), ({"precision": "bf16"}, "precision bf16"),
])  # fmt: skip
def test_other_recipes_are_refused(change, fault):
    with pytest.raises(InputError, match=f"not with {fault}: remove it from the analyses"):
        retraining.check(read(SETTINGS | change))
    retraining.check(read(SETTINGS | {"method": "cross_entropy"}))


def test_divergence_is_an_error():
    with pytest.raises(InputError, match="retraining diverged: lower learning_rate"):
        together(SETTINGS | {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 1e200}, *data())
