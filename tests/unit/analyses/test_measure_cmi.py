"""The bound on networks that memorise, that need not, and that cannot."""

import math

import pytest
import torch
from torch import nn

from directions.analyses import measure_cmi
from directions.analyses.network import Trained
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.interventions.hooks import Network
from unit.analyses.test_retraining import SETTINGS

FEW = measure_cmi.Settings(pairs=[12], supersamples=2, splits=10, shuffles=3, points=5)


def trained(images, labels, classes=2, **settings) -> Trained:
    """A network that was trained on these images; only its recipe counts."""
    header = {"settings": SETTINGS | settings, "image_shape": list(images.shape[1:]), "classes": classes}
    examples = Examples(images, labels, classes)
    return Trained(Network(nn.Flatten(), {}, {}), lambda _split: examples, seed=3, header=header)


def noise(images=40):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(images, 1, 8, 8, generator=generator), torch.arange(images) % 2


def test_random_labels_are_memorised_and_told():
    found = measure_cmi.observe(trained(*noise(), hidden=[64, 64], epochs=100), FEW)
    assert found["supersample"].tolist() == [0, 1]
    assert (found["train_accuracy"] == 1).all()
    assert found["test_accuracy"].between(0.3, 0.7).all()
    assert (found["gap"] == found["train_accuracy"] - found["test_accuracy"]).all()
    assert (found["bound"] > found["gap"]).all()
    assert (found["bound"] <= math.sqrt(2 * math.log(2)) + 1e-9).all()
    assert (found["null_bound"] < 0.7 * found["bound"]).all()
    assert found["kept"].between(0.1, 0.95).all()
    assert found["bound"].nunique() == 2  # other images, other copies


def test_what_is_in_the_images_need_not_be_told():
    """One pixel is the label: all copies are right about every image."""
    images, labels = noise()
    images[:, 0, 0, 0] = 40.0 * labels
    found = measure_cmi.observe(trained(images, labels, hidden=[32, 32], epochs=60), FEW)
    assert (found[["train_accuracy", "test_accuracy"]] == 1).all(axis=None)
    assert (found[["gap", "bound", "null_bound", "bound_predictions"]] == 0).all(axis=None)


def test_copies_that_always_say_the_same_tell_nothing_and_keep_nothing():
    images, labels = torch.zeros(40, 1, 8, 8), torch.ones(40, dtype=torch.int64)
    found = measure_cmi.observe(trained(images, labels, learning_rate=1e-60), FEW)
    assert (found[["train_accuracy", "gap", "bound", "bound_predictions"]] == 0).all(axis=None)
    assert found["kept"].isna().all()


def test_differences_of_losses_tell_no_more_than_predictions():
    """Of four classes, each pair has sixteen answers: by chance alone they look more informative."""
    images, labels = noise()
    settings = {"hidden": [64, 64], "epochs": 100}
    found = measure_cmi.observe(trained(images, torch.arange(40) % 4, 4, **settings), FEW)
    assert (found["bound_predictions"] >= found["bound"]).all()
    assert (found["null_bound_predictions"] > found["null_bound"]).all()


def test_epochs_may_be_fewer_than_the_network_s():
    long, short = (
        measure_cmi.observe(trained(*noise(), epochs=100), measure_cmi.Settings(**asked)).iloc[0]
        for asked in ({"pairs": [12], "supersamples": 1}, {"pairs": [12], "supersamples": 1, "epochs": 1})
    )
    direct = measure_cmi.observe(
        trained(*noise(), epochs=1), measure_cmi.Settings(pairs=[12], supersamples=1)
    )
    assert short.to_dict() == direct.iloc[0].to_dict()
    assert short["train_accuracy"] < long["train_accuracy"]


def test_every_size_has_its_rows_and_runs_are_repeatable():
    settings = measure_cmi.Settings(pairs=[4, 12], supersamples=2, splits=4, shuffles=2, points=3)
    one, other = (measure_cmi.observe(trained(*noise()), settings) for _ in range(2))
    assert one[["pairs", "supersample"]].to_numpy().tolist() == [[4, 0], [4, 1], [12, 0], [12, 1]]
    assert one.equals(other)
    measure_cmi.SPEC.check(one)


def test_pairs_need_twice_as_many_images():
    with pytest.raises(InputError, match="21 pairs need 42 images, but the network was trained on 40: lower"):
        measure_cmi.observe(trained(*noise()), measure_cmi.Settings(pairs=[4, 21]))
    measure_cmi.observe(trained(*noise()), measure_cmi.Settings(pairs=[20], supersamples=1, splits=2))


def test_other_networks_are_refused():
    with pytest.raises(InputError, match="measure_cmi retrains only networks of model mlp"):
        measure_cmi.observe(trained(*noise(), model="conv11", hidden=None, width=1.0, batch_norm=True), FEW)
