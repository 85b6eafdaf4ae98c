"""Known results of the stages that carry a RECIPE number instead of their code.

Where one of these fails after a change that is meant, raise that stage's number in
src/directions/core/recipe.py and renew the result here, in one commit: everything downstream is then redone.
"""

import hashlib

import numpy as np
import torch

from directions import models
from directions.core.recipe import RECIPES
from directions.data import labels
from directions.data.examples import Examples
from directions.study import training_settings
from directions.training import loop as training_loop

RAISE = "changed: raise RECIPES[{!r}] in src/directions/core/recipe.py and renew this golden result"


def test_recipes_are_those_of_the_golden_results():
    assert RECIPES == {"data": 1, "labels": 1, "train": 1}


def test_labels():
    table = labels.ledger(np.arange(1000) % 10, "mnist", 300, 0.4, 1)
    content = table.to_csv(index=False).encode()
    expected = "d48d4e25acb2e34d"
    assert hashlib.sha256(content).hexdigest()[:16] == expected, RAISE.format("labels")


def test_trained_weights(toy, settings, tmp_path):
    """Close, not equal: other processors and versions of torch round differently."""
    found = {}
    for name, changed in {"sgd": {}, "adam": {"optimizer": "adam"}, "dropout": {"dropout": 0.5}}.items():
        chosen = settings | changed
        examples = Examples(torch.tensor(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
        model = models.build(chosen, (1, 4, 4), 4)
        typed = training_settings.read(chosen)
        training_loop.train(model, examples, examples, typed, resume=tmp_path / name, fingerprint="golden")
        found[name] = [round(float(p.detach().double().norm()), 5) for p in model.parameters()]
    expected = {
        "sgd": [1.72582, 0.39875, 1.47177, 0.64867, 1.1105, 0.38631],
        "adam": [4.56318, 0.95778, 2.99531, 0.83797, 2.73257, 1.04228],
        "dropout": [1.70713, 0.38597, 1.44605, 0.61455, 1.0639, 0.38265],
    }
    for name, norms in expected.items():
        np.testing.assert_allclose(found[name], norms, rtol=1e-4, err_msg=RAISE.format("train"))
