import math

import pytest
import torch

from directions import models, records, snapshots, training, weights
from directions.errors import InputError
from directions.examples import Examples

CONV = {"model": "conv11", "width": 0.0625, "batch_norm": True, "pad": 1, "hidden": None, "dropout": 0.0}


def run(toy, settings, resume, *, fingerprint="a", snapshot_seconds=0.0):
    """Weights and history of a training that leaves a snapshot after every epoch."""
    train_set = Examples(torch.tensor(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
    test_set = Examples(torch.tensor(toy.test_images), torch.tensor(toy.test_labels), toy.classes)
    model = models.build(settings, train_set.image_shape, toy.classes)
    history = training.train(
        model,
        train_set,
        test_set,
        settings,
        resume=resume,
        fingerprint=fingerprint,
        snapshot_seconds=snapshot_seconds,
    )
    return model.state_dict(), history


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def killed_at(save_number: int, monkeypatch):
    """Make the process "die" in place of writing its n-th snapshot."""
    saves, save = [], snapshots.save

    def dying(*args):
        saves.append(1)
        if len(saves) == save_number:
            monkeypatch.setattr(snapshots, "save", save)
            raise KeyboardInterrupt
        save(*args)

    monkeypatch.setattr(snapshots, "save", dying)


@pytest.mark.parametrize("changed", [
    {}, {"optimizer": "adam", "momentum": None}, {"dropout": 0.3}, {"precision": "bf16"},
    {"keep_epochs": [0, 2, 5]}, {"evaluate_every": 4}, CONV, CONV | {"batch_norm": False},
    CONV | {"optimizer": "adam", "precision": "bf16"}, CONV | {"model": "resnet50"},
])  # fmt: skip
def test_a_killed_run_ends_bitwise_where_an_unbroken_one_does(toy, settings, tmp_path, monkeypatch, changed):
    settings |= changed
    unbroken, history = run(toy, settings, tmp_path / "unbroken")
    killed_at(4, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(toy, settings, tmp_path / "broken")
    assert snapshots.load(tmp_path / "broken/snapshot.pt", "a")["epoch"] == 3
    resumed, resumed_history = run(toy, settings, tmp_path / "broken")
    assert same(resumed, unbroken)
    assert resumed_history == history
    kept = [dict(training.checkpoints(tmp_path / name, settings)) for name in ("broken", "unbroken")]
    assert same(*kept)
    assert len(kept[0]) == len(unbroken) * len(settings["keep_epochs"])


def test_running_statistics_of_batch_norm_are_trained_and_kept(toy, settings, tmp_path):
    settings |= CONV | {"keep_epochs": [6]}
    state, _ = run(toy, settings, tmp_path)
    kept = dict(training.checkpoints(tmp_path, settings))
    for depth in range(1, 12):
        name = f"norm{depth}.running_var"
        assert torch.equal(kept[f"epoch-000006/{name}"], state[name])
        assert not torch.equal(state[name], torch.ones_like(state[name]))
    assert state["norm1.num_batches_tracked"] == 6 * 4


@pytest.mark.parametrize("batch", [1, 21])
def test_a_batch_of_one_image_is_refused_where_batch_norm_cannot_take_it(toy, settings, tmp_path, batch):
    with pytest.raises(InputError, match=f"64 images in batches of {batch} leave a batch of 1"):
        run(toy, settings | CONV | {"batch": batch}, tmp_path)
    run(toy, settings | CONV | {"batch": batch, "batch_norm": False, "epochs": 1}, tmp_path)


@pytest.mark.parametrize("damage", ["foreign", "truncated", "garbage", "pickle"])
def test_a_foreign_or_broken_snapshot_means_a_fresh_start_and_a_log_line(
    toy, settings, tmp_path, caplog, damage
):
    fresh, _ = run(toy, settings, tmp_path / "fresh", snapshot_seconds=1e9)
    run(toy, settings, tmp_path / "s", fingerprint="other" if damage == "foreign" else "a")
    path = tmp_path / "s/snapshot.pt"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "garbage":
        path.write_bytes(b"not a snapshot")
    elif damage == "pickle":
        torch.save({"fingerprint": "a", "state": math}, path, pickle_module=ByReference)
    caplog.clear()
    assert same(run(toy, settings, tmp_path / "s")[0], fresh)
    assert "starting afresh" in caplog.text


class ByReference:
    """A pickler that writes code to run on loading, which must never happen."""

    from pickle import Pickler as _Base

    class Pickler(_Base):
        def reducer_override(self, found):
            return (print, ("this ran",)) if found is math else NotImplemented


def test_memorising_lowers_the_loss_and_what_is_kept_is_what_was_trained(toy, settings, tmp_path):
    settings |= {"keep_epochs": [0, 6]}
    state, history = run(toy, settings, tmp_path)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    kept = dict(training.checkpoints(tmp_path, settings))
    initial = models.build(settings, (1, 4, 4), 4).state_dict()
    for name, tensor in state.items():
        assert torch.equal(kept[f"epoch-000006/{name}"], tensor)
        assert torch.equal(kept[f"epoch-000000/{name}"], initial[name])


@pytest.mark.parametrize(("changed", "message"), [
    ({"learning_rate": 1e30}, r"the loss is nan after epoch \d+: lower learning_rate"),
    ({"epochs": 1, "require_train_accuracy": 0.999}, "raise `epochs`"),
    ({"optimizer": "lion"}, "known are sgd, adam"),
])  # fmt: skip
def test_a_training_that_cannot_end_well_says_so(toy, settings, tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        run(toy, settings | changed, tmp_path)


def model_file(toy, settings, path):
    train_set = Examples(torch.tensor(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
    model = models.build(settings, train_set.image_shape, toy.classes)
    weights.save(path, model.state_dict(), records.header(settings, train_set))
    return model


def test_a_model_file_rebuilds_the_network(toy, settings, tmp_path):
    model = model_file(toy, settings, tmp_path / "m.safetensors")
    loaded, header = weights.load_model(tmp_path / "m.safetensors")
    assert same(loaded.state_dict(), model.state_dict())
    assert header["settings"] == settings
    assert not loaded.training


def test_garbage_in_place_of_a_model_is_refused_by_name(tmp_path):
    path = tmp_path / "m.safetensors"
    for content in (b"", b"garbage" * 99, b"\x08\0\0\0\0\0\0\0{}      "):
        path.write_bytes(content)
        with pytest.raises(InputError, match="m.safetensors is not a model file.*delete it"):
            weights.load_model(path)


def test_weights_of_another_architecture_are_refused_by_name(toy, settings, tmp_path):
    path = tmp_path / "m.safetensors"
    model_file(toy, settings, path)
    state, header = weights.load_state(path)
    weights.save(path, state, header | {"settings": settings | {"hidden": [9, 6]}})
    with pytest.raises(InputError, match=r"m.safetensors: weights and architecture do not fit.*linear1"):
        weights.load_model(path)
