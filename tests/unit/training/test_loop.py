import math

import pytest
import torch
from images import Streamed

from directions import models
from directions.core import snapshots
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.models import files as model_files
from directions.study import training_settings, training_steps
from directions.training import checkpoints, objectives
from directions.training import loop as training_loop

CONV = {"model": "conv11", "width": 0.0625, "batch_norm": True, "pad": 1, "hidden": None, "dropout": 0.0}
LIMIT = {"method": "limit", "limit_loss": "laplace", "limit_lambda": 3.0}


def run(toy, settings, resume, *, fingerprint="a", snapshot_seconds=0.0, images=torch.tensor):
    """Weights and history of a training that leaves a snapshot after every step, of 4 in an epoch."""
    train_set = Examples(images(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
    test_set = Examples(torch.tensor(toy.test_images), torch.tensor(toy.test_labels), toy.classes)
    model = models.build(settings, train_set.image_shape, toy.classes)
    history = training_loop.train(
        model,
        train_set,
        test_set,
        training_settings.read(settings),
        resume=resume,
        fingerprint=fingerprint,
        snapshot_seconds=snapshot_seconds,
        auxiliary=objectives.auxiliary(settings, train_set.image_shape, toy.classes),
    )
    return model.state_dict(), history


def kept_in(resume, settings, images=64) -> dict:
    """{"epoch-000005/linear1.weight": tensor} of all checkpoints that a training has kept."""
    files = checkpoints.checkpoints(resume, training_settings.read(settings), images)
    states = {name: model_files.load_state(path)[0] for name, path in files.items()}
    return {f"{name}/{key}": tensor for name, state in states.items() for key, tensor in state.items()}


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
    {"keep_epochs": [0, 2, 5]}, {"keep_every": 3, "keep_epochs": [0, 3]}, {"keep_every": 5, "dropout": 0.3},
    {"keep_every": 7, "epochs": None, "steps": 21}, {"evaluate_every": 4}, {"schedule": "cosine"},
    {"epochs": None, "steps": 21}, {"method": "mae"}, LIMIT, LIMIT | {"limit_sample": 50.0},
    LIMIT | {"dropout": 0.3}, LIMIT | {"precision": "bf16"},
    CONV, CONV | LIMIT, CONV | {"batch_norm": False}, CONV | {"norm_batch": 4, "batch": 12},
    CONV | {"optimizer": "adam", "precision": "bf16", "norm_batch": 8}, CONV | {"model": "resnet50"},
])  # fmt: skip
@pytest.mark.parametrize("step", [6, 8], ids=["within an epoch", "between epochs"])
def test_a_killed_run_ends_bitwise_where_an_unbroken_one_does(
    toy, settings, tmp_path, monkeypatch, changed, step
):
    settings |= changed
    unbroken, history = run(toy, settings, tmp_path / "unbroken", snapshot_seconds=1e9)
    killed_at(step + 1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(toy, settings, tmp_path / "broken")
    assert snapshots.load(tmp_path / "broken/snapshot.pt", "a")["step"] == step
    torch.manual_seed(99)  # another process has drawn other numbers
    resumed, resumed_history = run(toy, settings, tmp_path / "broken")
    assert same(resumed, unbroken)
    assert resumed_history == history
    kept = [kept_in(tmp_path / name, settings) for name in ("broken", "unbroken")]
    assert same(*kept)
    expected = training_steps.checkpoints(training_settings.read(settings), 64)
    assert len(kept[0]) == len(unbroken) * len(expected)


def test_the_second_network_of_limit_is_trained_in_training_mode(toy, settings, tmp_path, monkeypatch):
    build, built = objectives.auxiliary, []
    monkeypatch.setattr(
        objectives, "auxiliary", lambda *given: built.append(build(*given).eval()) or built[0]
    )
    run(toy, settings | CONV | LIMIT, tmp_path)
    assert built[0].training


def test_steps_end_training_within_an_epoch_whose_row_and_checkpoint_are_then_written(
    toy, settings, tmp_path, monkeypatch
):
    taken = []
    take_step = training_loop.take_step
    monkeypatch.setattr(training_loop, "take_step", lambda *args: taken.append(1) or take_step(*args))
    settings |= {"steps": 6, "epochs": None, "evaluate_every": 5, "keep_epochs": [1, 2]}
    state, history = run(toy, settings, tmp_path)
    assert len(taken) == 6
    assert [row["epoch"] for row in history] == [2]
    kept = kept_in(tmp_path, settings)
    assert torch.equal(kept["epoch-000002/readout.weight"], state["readout.weight"])
    whole, _ = run(toy, settings | {"steps": None, "epochs": 1, "keep_epochs": []}, tmp_path / "whole")
    assert torch.equal(kept["epoch-000001/readout.weight"], whole["readout.weight"])


def test_weights_are_kept_after_every_so_many_steps_as_a_training_that_ends_there_has_them(
    toy, settings, tmp_path
):
    """Also after the last step, and once only where an epoch ends, under that epoch's name."""
    settings |= {"steps": 10, "epochs": None, "keep_every": 2, "keep_epochs": [1]}
    state, _ = run(toy, settings, tmp_path / "whole")
    names = [
        "epoch-000000_2-of-4",
        "epoch-000001",
        "epoch-000001_2-of-4",
        "epoch-000002",
        "epoch-000002_2-of-4",
    ]
    files = sorted(path.stem for path in (tmp_path / "whole").glob("epoch-*"))
    assert files == names
    kept = kept_in(tmp_path / "whole", settings)
    assert same({key: kept[f"{names[-1]}/{key}"] for key in state}, state)
    for steps, name in ((2, names[0]), (4, names[1]), (6, names[2])):
        shorter, _ = run(
            toy, settings | {"steps": steps, "keep_every": None, "keep_epochs": []}, tmp_path / name
        )
        assert same({key: kept[f"{name}/{key}"] for key in shorter}, shorter)


def test_keeping_weights_changes_none(toy, settings, tmp_path):
    plain, history = run(toy, settings | {"dropout": 0.3}, tmp_path / "plain")
    kept, same_history = run(toy, settings | {"dropout": 0.3, "keep_every": 3}, tmp_path / "kept")
    assert same(plain, kept)
    assert history == same_history


def test_a_cosine_takes_every_step_at_its_own_rate(toy, settings, tmp_path, monkeypatch):
    rates = []
    take_step = training_loop.take_step

    def watched(model, optimizer, *args):
        rates.append(optimizer.param_groups[0]["lr"])
        return take_step(model, optimizer, *args)

    monkeypatch.setattr(training_loop, "take_step", watched)
    run(toy, settings | {"schedule": "cosine", "epochs": 2}, tmp_path)
    assert rates == pytest.approx([0.05 * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)])


def test_images_that_are_streamed_train_the_same_network(toy, settings, tmp_path, monkeypatch):
    """By nothing but indexing and splitting; also when the job was killed within an epoch."""
    whole, history = run(toy, settings, tmp_path / "whole")
    killed_at(8, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(toy, settings, tmp_path / "streamed", images=Streamed.of)
    streamed = run(toy, settings, tmp_path / "streamed", images=Streamed.of)
    assert same(streamed[0], whole)
    assert streamed[1] == history


def test_running_statistics_of_batch_norm_are_trained_and_kept(toy, settings, tmp_path):
    settings |= CONV | {"keep_epochs": [6]}
    state, _ = run(toy, settings, tmp_path)
    kept = kept_in(tmp_path, settings)
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
    assert "starting over" in caplog.text


def test_a_snapshot_without_a_checkpoint_of_before_it_means_a_fresh_start(toy, settings, tmp_path, caplog):
    """So a kill while the folder was deleted could leave it."""
    settings |= {"keep_epochs": [1, 3]}
    fresh, _ = run(toy, settings, tmp_path / "fresh", snapshot_seconds=1e9)
    run(toy, settings, tmp_path / "s")
    (tmp_path / "s/epoch-000001.safetensors").unlink()
    assert same(run(toy, settings, tmp_path / "s")[0], fresh)
    assert "lacks the checkpoint epoch-000001: starting over" in caplog.text
    assert len(kept_in(tmp_path / "s", settings)) == len(kept_in(tmp_path / "fresh", settings))


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
    kept = kept_in(tmp_path, settings)
    initial = models.build(settings, (1, 4, 4), 4).state_dict()
    for name, tensor in state.items():
        assert torch.equal(kept[f"epoch-000006/{name}"], tensor)
        assert torch.equal(kept[f"epoch-000000/{name}"], initial[name])


@pytest.mark.parametrize(("changed", "message"), [
    ({"steps": 5, "epochs": None, "require_train_accuracy": 0.999}, "raise `steps`"),
    ({"epochs": 1, "require_train_accuracy": 0.999}, "raise `epochs`"),
    ({"optimizer": "lion"}, "known are sgd, adam"),
])  # fmt: skip
def test_a_training_that_cannot_end_well_says_so(toy, settings, tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        run(toy, settings | changed, tmp_path)


@pytest.mark.parametrize(("changed", "seconds", "last", "by"), [
    ({}, 1e9, "none was kept", 4),
    ({"keep_epochs": [0]}, 1e9, "epoch-000000.safetensors", 4),
    ({"keep_epochs": [0]}, 0, "snapshot.pt", 3),
    ({"keep_epochs": [0], "keep_every": 3}, 1e9, "epoch-000000.safetensors", 3),
    ({"learning_rate": 1e39}, 0, "none was kept", 1),  # the weights are infinite before any loss is
    ({"learning_rate": 1e25, "steps": 1, "epochs": None, "keep_every": 1}, 1e9, "none was kept", 1),
    # The last: only evaluation sees it.
])  # fmt: skip
def test_a_training_that_diverges_ends_soon_and_names_what_is_still_good(
    toy, settings, tmp_path, changed, seconds, last, by
):
    settings |= {"learning_rate": 1e30} | changed
    with pytest.raises(
        InputError, match="training diverged in epoch 1, by step .*lower learning_rate"
    ) as said:
        run(toy, settings, tmp_path, snapshot_seconds=seconds)
    assert f"(now {settings['learning_rate']})" in str(said.value)
    assert str(said.value).endswith(last)
    assert int(str(said.value).split("by step ")[1].split()[0]) <= by
    if last == "snapshot.pt":
        good = snapshots.load(tmp_path / last, "a")["model"]
        assert all(tensor.isfinite().all() for tensor in good.values())


@pytest.mark.parametrize(("precision", "device", "supported", "warned"), [
    ("bf16", "cpu", False, True), ("bf16", "cpu", True, False), ("float32", "cpu", False, False),
    ("bf16", "meta", False, False),
])  # fmt: skip
def test_bf16_on_a_processor_that_lacks_it_is_warned_of(
    monkeypatch, caplog, precision, device, supported, warned
):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported)
    training_loop.check_precision(precision, torch.device(device))
    assert ("no bf16 instructions" in caplog.text) == warned
