"""Several networks in one pass: each is what its own training makes of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from directions import models
from directions.core import snapshots
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.models import files as model_files
from directions.study import passes, training_settings
from directions.training import checkpoints, many, preemption, stack
from directions.training import loop as training_loop

ADAM = {"optimizer": "adam", "momentum": None, "learning_rate": 0.002}
CONV = {
    "model": "conv11", "width": 0.0625, "batch_norm": True, "pad": 1, "hidden": None, "learning_rate": 0.001
}  # fmt: skip
VARIED = (  # what networks of one pass may differ in
    {}, {"seed": 5, "evaluate_every": 4}, {"seed": 6, "learning_rate": 0.002, "keep_epochs": [0, 2]},
    {"learning_rate": 0.002, "schedule": "cosine", "keep_every": 3}, {"seed": 7, "weight_decay": 0.01},
)  # fmt: skip
KINDS = {
    "sgd": {}, "adam": ADAM, "odd batch": {"batch": 24}, "one batch": {"batch": 64}, "init": {"init": "he"},
    "steps": {"epochs": None, "steps": 23}, "conv": CONV, "conv, adam": CONV | ADAM,
    "conv, no norm": CONV | {"batch_norm": False}, "conv, mean": CONV | {"model": "conv11_mean"},
    "dropout": {"dropout": 0.3},
}  # fmt: skip


def pass_of(toy, settings, folder, varied=VARIED, dtype=torch.float32, device="cpu") -> list[many.Network]:
    """One network for each of `varied`, with labels of its own."""
    found = []
    for place, changed in enumerate(varied):
        given = settings | changed
        labels = torch.tensor(toy.train_labels)
        labels[place : 3 * place] = 0
        train_set = Examples(torch.tensor(toy.train_images, device=device), labels.to(device), 4)
        test_set = Examples(
            torch.tensor(toy.test_images, device=device), torch.tensor(toy.test_labels, device=device), 4
        )
        if dtype == torch.float64:
            train_set, test_set = (
                replace(one, images=one.images.double() / 255) for one in (train_set, test_set)
            )
        model = models.build(given, (1, 4, 4), 4).to(device, dtype)
        typed, name = training_settings.read(given), f"run-{place}"
        found.append(many.Network(name, model, train_set, test_set, given, typed, folder / name, str(place)))
    return found


def end(one: many.Network) -> dict[str, torch.Tensor]:
    """Take the steps left of a network's own training; all numbers that it ends with, by name."""
    history = training_loop.train(
        one.model, one.train_set, one.test_set, one.settings, resume=one.resume, fingerprint=one.fingerprint,
        snapshot_seconds=1e9,
    )  # fmt: skip
    kept = checkpoints.checkpoints(one.resume, one.settings, len(one.train_set))
    found = dict(one.model.state_dict())
    for name, path in kept.items():
        found |= {f"{name}/{key}": value for key, value in model_files.load_state(path)[0].items()}
    rows = {f"{row['epoch']}/{key}": torch.tensor(value) for row in history for key, value in row.items()}
    return found | rows


def apart(one: dict, other: dict) -> float:
    """The largest difference of two outcomes of `end`, relative to numbers above 1."""
    assert one.keys() == other.keys()
    pairs = [(one[key].double(), other[key].double()) for key in one]
    return max(((a - b).abs() / b.abs().clamp(min=1)).max().item() for a, b in pairs)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def compared(toy, settings, folder, **options) -> float:
    """How far networks of a pass end from where their own training ends."""
    alone = [end(one) for one in pass_of(toy, settings, folder / "alone", **options)]
    together = pass_of(toy, settings, folder / "together", **options)
    assert many.train_many(together) == {}
    steps = training_loop.training_steps.steps_in_all(together[0].settings, 64)
    for one in together:
        saved = snapshots.load(one.resume / checkpoints.SNAPSHOT, one.fingerprint)
        assert saved["step"] == steps - 1
    return max(apart(end(one), other) for one, other in zip(together, alone, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_in_float64_networks_of_a_pass_are_those_of_their_own_training(toy, settings, tmp_path, kind):
    assert compared(toy, settings | KINDS[kind], tmp_path, dtype=torch.float64) < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_in_float32_they_are_up_to_rounding(toy, settings, tmp_path, kind):
    """Four steps of conv nets: later, an activation near 0 is on by one rounding and off by another, on some
    processors, and one such map in 200 moves a weight by 5e-4.
    """
    few, varied = {}, VARIED
    if "conv" in kind:
        few, varied = {"epochs": 1}, [given | {"keep_epochs": [0]} for given in VARIED]
    assert compared(toy, settings | KINDS[kind] | few, tmp_path, varied=varied) < 1e-5


@pytest.mark.parametrize("changed", [{"method": "mae"}, {"precision": "bf16"}], ids=str)
def test_other_objectives_and_bf16_products_too(toy, settings, tmp_path, changed):
    assert compared(toy, settings | {"dropout": 0.2} | changed, tmp_path) < (
        1e-4 if "method" in changed else 0.02
    )


def test_rates_of_dropout_may_differ(toy, settings, tmp_path):
    varied = [{"dropout": rate, "seed": seed} for rate in (0.0, 0.2, 0.5) for seed in (1, 2)]
    assert compared(toy, settings, tmp_path, varied=varied, dtype=torch.float64) < 1e-10


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
@pytest.mark.parametrize("kind", ["sgd", "conv, adam", "dropout"])
def test_on_a_gpu_they_are_up_to_rounding(toy, settings, tmp_path, kind):
    assert compared(toy, settings | KINDS[kind], tmp_path, device="cuda") < 1e-3


def killed_at(save: int, monkeypatch):
    """Make the process "die" in place of writing its n-th snapshot."""
    saves, write = [], snapshots.save

    def dying(*args):
        saves.append(1)
        if len(saves) == save:
            monkeypatch.setattr(snapshots, "save", write)
            raise KeyboardInterrupt
        write(*args)

    monkeypatch.setattr(snapshots, "save", dying)


@pytest.mark.parametrize("kind", ["adam", "dropout", "conv", "steps"])
@pytest.mark.parametrize("save", [1, 7, 9, 25, 26], ids=lambda save: f"save {save}")
def test_a_killed_pass_ends_with_the_same_bytes(toy, settings, tmp_path, monkeypatch, kind, save):
    """A snapshot of the pass after every step, then one of each network, when the last two kills fall."""
    unbroken, broken, again = (
        pass_of(toy, settings | KINDS[kind], tmp_path / name) for name in ("unbroken", "broken", "broken")
    )
    many.train_many(unbroken, 1e9)
    killed_at(save, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        many.train_many(broken, 0)
    resumed = many.saved_pass([again[place] for place in (0, 1, 2, 3, 4)])
    many.train_many(again, 1e9)
    assert (resumed is not None) == (save > 1)
    for one, other in zip(again, unbroken, strict=True):
        assert same(end(one), end(other))


def test_killed_between_two_networks_snapshots_it_goes_on_as_the_same_pass(
    toy, settings, tmp_path, monkeypatch
):
    unbroken, broken, again = (pass_of(toy, settings, tmp_path / name) for name in ("one", "two", "two"))
    many.train_many(unbroken, 1e9)
    killed_at(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        many.train_many(broken, 1e9)
    assert sum((one.resume / checkpoints.SNAPSHOT).exists() for one in again) == 1
    assert many.saved_pass(again)["step"] == 23
    many.train_many(again, 1e9)
    for one, other in zip(again, unbroken, strict=True):
        assert same(end(one), end(other))


def test_told_to_stop_it_leaves_a_snapshot_of_the_pass(toy, settings, tmp_path, monkeypatch):
    together = pass_of(toy, settings, tmp_path)
    monkeypatch.setattr(many.Pass, "_masks", lambda self, _images: setattr(self.request, "made", True) or {})
    with pytest.raises(preemption.Stopped, match="after step 1 of 24"):
        many.train_many(together, 1e9)
    assert many.saved_pass(together)["step"] == 1
    assert not (together[0].resume / checkpoints.SNAPSHOT).exists()


def test_without_its_checkpoints_a_pass_starts_over(toy, settings, tmp_path, monkeypatch, caplog):
    killed_at(20, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        many.train_many(pass_of(toy, settings, tmp_path), 0)
    together = pass_of(toy, settings, tmp_path)
    checkpoints.kept(together[2].resume, "epoch-000002").unlink()
    assert many.saved_pass(together) is None
    assert "lacks checkpoints of run-2: starting over" in caplog.text


def test_a_network_that_diverges_ends_alone_and_changes_no_bit_of_the_others(toy, settings, tmp_path):
    varied = [{"seed": 1}, {"seed": 2, "learning_rate": 0.02}, {"seed": 3}]
    wild = [*varied[:1], varied[1] | {"learning_rate": 1e30}, *varied[2:]]
    for kind in ("sgd", "conv"):
        tame = pass_of(toy, settings | KINDS[kind], tmp_path / f"{kind} tame", varied)
        mixed = pass_of(toy, settings | KINDS[kind], tmp_path / f"{kind} mixed", wild)
        assert many.train_many(tame) == {}
        [(name, why)] = many.train_many(mixed).items()
        assert name == "run-1"
        assert "training diverged in epoch 1" in why
        assert "lower learning_rate (now 1e+30)" in why
        assert not (mixed[1].resume / checkpoints.SNAPSHOT).exists()
        with pytest.raises(InputError, match="training diverged"):
            end(mixed[1])
        for place in (0, 2):
            assert same(end(mixed[place]), end(tame[place]))


def test_a_pass_of_which_all_diverge_ends_early(toy, settings, tmp_path, monkeypatch):
    steps, step = [], stack.Updates.step
    monkeypatch.setattr(stack.Updates, "step", lambda *given: steps.append(1) or step(*given))
    found = many.train_many(pass_of(toy, settings | {"learning_rate": 1e30}, tmp_path, [{}, {"seed": 4}]))
    assert set(found) == {"run-0", "run-1"}
    assert len(steps) == 4  # of 23


def test_what_a_pass_has_left_is_not_trained_again(toy, settings, tmp_path):
    first = pass_of(toy, settings, tmp_path)
    many.train_many(first[:3])
    times = [(one.resume / checkpoints.SNAPSHOT).stat().st_mtime_ns for one in first[:3]]
    assert many.train_many(pass_of(toy, settings, tmp_path)) == {}
    assert times == [(one.resume / checkpoints.SNAPSHOT).stat().st_mtime_ns for one in first[:3]]
    assert all((one.resume / checkpoints.SNAPSHOT).exists() for one in first)
    assert not list(tmp_path.rglob(many.PASS))


def test_a_network_that_would_be_alone_is_left_to_its_own_training(toy, settings, tmp_path):
    assert many.train_many(pass_of(toy, settings, tmp_path, [{}])) == {}
    assert many.train_many([]) == {}
    assert not list(tmp_path.rglob("*.pt"))


def test_a_snapshot_holds_one_network(toy, settings, tmp_path):
    few, more = (
        pass_of(
            toy, settings | {"hidden": [64, 64]}, tmp_path / str(count), [{"seed": n} for n in range(count)]
        )
        for count in (2, 8)
    )
    sizes = []
    for networks in (few, more):
        many.train_many(networks)
        sizes.append((networks[0].resume / checkpoints.SNAPSHOT).stat().st_size)
    assert sizes[1] < 1.01 * sizes[0]


@pytest.mark.parametrize(("changed", "said"), [
    ({"hidden": [8, 8]}, r"hidden differs among the runs of a pass \(\[8, 6\] and \[8, 8\]\)"),
    ({"batch": 8}, r"batch differs among the runs of a pass \(16 and 8\): all of dataset, images, model,"),
    ({"epochs": 7}, "epochs differs"), ({"optimizer": "adam", "momentum": None}, "optimizer differs"),
    ({"method": "mae"}, "method differs"), ({"precision": "bf16"}, "precision differs"),
    ({"images": 60}, "images differs"),
    ({"norm_batch": 8}, r"cannot be trained in one pass with others \(norm_batch"),
    ({"augment": True}, "augment: its images stay in their files"),
    ({"method": "limit", "limit_loss": "laplace", "limit_lambda": 3.0}, "limit trains a second network"),
    ({"model": "resnet50", "width": 0.1, "pad": 0}, "model resnet50 is none of mlp, conv11, conv11_mean"),
])  # fmt: skip
def test_networks_that_are_not_alike_are_refused(toy, settings, tmp_path, changed, said):
    with pytest.raises(InputError, match=said):
        many.train_many(pass_of(toy, settings, tmp_path, [{}, changed]))
    assert not list(tmp_path.iterdir())


def test_unequal_numbers_of_images_are_refused(toy, settings, tmp_path):
    one, other = pass_of(toy, settings, tmp_path, [{}, {"seed": 1}])
    fewer = replace(other.train_set, images=other.train_set.images[:60], labels=other.train_set.labels[:60])
    with pytest.raises(InputError, match=r"60 of \(1, 4, 4\) and 64 of \(1, 4, 4\)"):
        many.train_many([one, replace(other, train_set=fewer)])


def test_runs_are_divided_into_passes_of_those_alike(settings):
    runs = {
        f"{width}-{seed}": settings | {"hidden": [width], "seed": seed}
        for seed in range(5)
        for width in (8, 9)
    }
    runs["other"] = settings | {"hidden": [10]}
    runs["with norm_batch"] = settings | {"hidden": [8], "norm_batch": 8}
    assert passes.passes(runs, 2) == [["8-0", "8-1"], ["8-2", "8-3"], ["9-0", "9-1"], ["9-2", "9-3"]]
    assert passes.passes(runs, 16) == [[f"{width}-{seed}" for seed in range(5)] for width in (8, 9)]
    assert passes.passes(runs, 1) == []


def test_networks_of_a_pass_leave_their_folders_as_their_own_training_does(toy, settings, tmp_path):
    together = pass_of(toy, settings, tmp_path)
    many.train_many(together)
    for one in together:
        end(one)
        checkpoints.forget(one.resume)
    assert list(Path(tmp_path).iterdir()) == []
