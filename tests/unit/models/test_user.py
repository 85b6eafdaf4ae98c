"""The user's files: functions, weights, arrays, labels; and what is said about those that do not fit."""

import gzip
import json
import pickle
import re
import tarfile
import traceback

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from directions.analyses import network as trained_network
from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.data import labels, user_arrays
from directions.data.examples import load_examples
from directions.models import user as user_model
from directions.models import user_weights

NETS = """
import torch
from widths import HIDDEN

def build():
    return torch.nn.Sequential(torch.nn.Linear(4, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 2))

def number():
    return 3

def broken():
    return HIDDEN / 0

def wanting(width):
    return build()
"""


@pytest.fixture
def nets(tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "widths.py").write_text("HIDDEN = 3\n")
    return f"{tmp_path}/nets.py"


def test_files_of_a_package_are_seen_too(tmp_path):
    package = tmp_path / "pkg"
    (package / "deep").mkdir(parents=True)
    (tmp_path / "outer.py").write_text("from pkg import build")
    (package / "__init__.py").write_text("from .net import build\nfrom . import sizes")
    (package / "net.py").write_text("from .deep.part import HIDDEN\n\ndef build():\n    return HIDDEN")
    (package / "sizes.py").write_text("")
    (package / "deep" / "part.py").write_text("from ..sizes import *\nHIDDEN = 3")
    (package / "unused.py").write_text("")
    names = ["outer.py", "pkg/__init__.py", "pkg/deep/part.py", "pkg/net.py", "pkg/sizes.py"]
    assert user_functions.files(f"{tmp_path}/outer.py:build") == [f"{tmp_path}/{name}" for name in names]
    assert user_functions.call(f"{tmp_path}/outer.py:build") == 3


def test_a_factorys_file_may_have_dataclasses(tmp_path):
    (tmp_path / "sized.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass Size:\n"
        "    width: int = 3\n\ndef build():\n    return Size().width\n"
    )
    assert user_functions.call(f"{tmp_path}/sized.py:build") == 3


def test_a_factory_that_wants_other_arguments_is_told_how_it_is_called(tmp_path):
    (tmp_path / "wanting.py").write_text("def build(classes):\n    return classes\n\ndef none():\n    pass\n")
    said = r"wanting.py:build is called without arguments, which it does not accept \(missing .* 'classes'\)"
    with pytest.raises(InputError, match=said):
        user_functions.call(f"{tmp_path}/wanting.py:build")
    with pytest.raises(InputError, match=r"none is called with 3 arguments, .* \(too many positional"):
        user_functions.call(f"{tmp_path}/wanting.py:none", {}, (1, 8, 8), 10)
    assert user_functions.call(f"{tmp_path}/wanting.py:build", 3) == 3


def test_a_factory_may_import_what_lies_beside_it_and_is_always_drawn_the_same(nets, tmp_path):
    made = user_model.made(f"{nets}:build")
    assert [tuple(part.shape) for part in made.parameters()] == [(3, 4), (3,), (2, 3), (2,)]
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = user_model.made(f"{nets}:build")
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, made.parameters(), again.parameters()))
    assert user_functions.files(f"{nets}:build") == [nets, f"{tmp_path}/widths.py"]


def test_a_change_in_a_file_beside_the_factory_is_seen(nets, tmp_path):
    before = user_functions.digest(f"{nets}:build")
    (tmp_path / "widths.py").write_text("HIDDEN = 5\n")
    assert user_functions.digest(f"{nets}:build") != before


@pytest.mark.parametrize(("reference", "said"), [
    ("nets.py", "names no function: write file.py:function"),
    ("{nets}.gone.py:build", "there is no file"),
    ("{nets}:bild", r"has no function bild; it has build, "),
    ("{nets}:number", "returned int, not a torch.nn.Module"),
    ("{nets}:broken", r"nets.py:broken: nets.py, line \d+, in broken: ZeroDivisionError: division by zero$"),
    ("{nets}:wanting", r"nets.py:wanting is called without arguments, .*missing .* 'width'"),
])  # fmt: skip
def test_a_factory_that_cannot_be_meant_is_refused(nets, reference, said):
    with pytest.raises(InputError, match=said):
        user_model.made(reference.format(nets=nets))


def test_a_model_file_is_read_again_until_its_factory_changes(nets, tmp_path):
    settings = {"build": f"{nets}:build", "layers": ["1"], "seed": 4}
    made = user_model.imported(settings, [4])
    header = user_model.header(settings, [4], 2, 7)
    found = user_model.rebuilt(made.state_dict(), header, "model.safetensors", f"{nets}:build")
    assert found.layers == {"1": 3}
    assert torch.equal(found.incoming["1"], made[0].weight)
    (tmp_path / "widths.py").write_text("HIDDEN = 3  # as before\n")
    with pytest.raises(InputError, match="model.safetensors: .*has changed since this network was imported"):
        user_model.rebuilt(made.state_dict(), header, "model.safetensors", f"{nets}:build")


@pytest.mark.parametrize("code", [None, "other.py:build"])
def test_a_factory_that_only_a_model_file_names_is_not_run(tmp_path, code):
    factory = f"{tmp_path}/stranger.py:build"
    (tmp_path / "stranger.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef build(): ...\n")
    header = user_model.header({"build": factory, "layers": ["a"], "seed": 0}, [4], 2, 7)
    save_file({"w": torch.zeros(1)}, tmp_path / "m.safetensors", {"header": json.dumps(header)})
    with pytest.raises(InputError, match="m.safetensors: its header asks to run .*stranger.py:build, but"):
        trained_network.read(tmp_path / "m.safetensors", "data", "ledger", "cpu", code=code)
    assert not (tmp_path / "ran").exists()


def state() -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in small().state_dict().items()}


def small() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


@pytest.mark.parametrize("wrap", [
    lambda weights: weights,
    lambda weights: {"state_dict": weights, "epoch": 3},
    lambda weights: {"net": weights, "acc": 91.0, "epoch": 3},
    lambda weights: {"ema": weights, "epoch": 3},
    lambda weights: {f"_orig_mod.{name}": value for name, value in weights.items()},
    lambda weights: {"state_dict": {f"model.net.{name}": value for name, value in weights.items()}},
    lambda weights: {"model": {f"module.{name}": value for name, value in weights.items()}},
])  # fmt: skip
def test_weights_are_read_from_what_training_scripts_write(tmp_path, wrap):
    torch.save(wrap(state()), tmp_path / "w.pt")
    save_file(state(), tmp_path / "w.safetensors")
    for name in ("w.pt", "w.safetensors"):
        other = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        user_weights.fit(other, user_weights.read(tmp_path / name), name)
        assert all(map(torch.equal, other.parameters(), small().parameters()))


def test_batch_norm_of_early_checkpoints_has_counted_no_batches():
    network, other = (nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)) for _ in range(2))
    early = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    user_weights.fit(other, early, "w.pt")
    assert all(map(torch.equal, other.parameters(), network.parameters()))


@pytest.mark.parametrize(("change", "said"), [
    (lambda value: value + 3j, "0.weight is complex"),
    (lambda value: value.to_sparse(), r"0.weight is sparse \(.to_dense\(\)\)"),
    (lambda value: torch.quantize_per_tensor(value, 0.01, 0, torch.qint8), "0.weight is quantised"),
])  # fmt: skip
def test_weights_that_are_no_plain_numbers_are_refused(change, said):
    weights = state()
    weights["0.weight"] = change(weights["0.weight"])
    with pytest.raises(InputError, match=f"w.pt: these weights are not plain dense tensors: {said}"):
        user_weights.fit(small(), weights, "w.pt")


def test_two_sets_of_weights_in_one_file_are_named(tmp_path):
    torch.save({"student": state(), "teacher": state()}, tmp_path / "w.pt")
    with pytest.raises(InputError, match="weights under each of student, teacher"):
        user_weights.read(tmp_path / "w.pt")


def test_arrays_of_either_byte_order_and_tensors_of_any_kind_are_taken():
    values = torch.tensor([[0.5, -1.25], [2.0, 3.0]])
    wanted = values.numpy()
    for given in (values.bfloat16(), values.clone().requires_grad_(), wanted.astype(">f4"), values.double()):
        found = user_arrays.as_images(user_arrays.plain(given, "images"), "images")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(InputError, match="images: all must have the same shape"):
        user_arrays.plain([np.zeros((3, 4)), np.zeros((4, 4))], "images")


def test_weights_that_do_not_fit_are_named_by_kind():
    wrong = state()
    wrong["0.weight"] = torch.zeros(3, 5)
    wrong["3.weight"] = wrong.pop("2.bias")
    said = (
        r"mine.pt: these weights do not fit the network: 1 missing: 2.bias; 1 unexpected: 3.weight;"
        r" 1 of another shape: 0.weight \(3, 5\) for \(3, 4\)"
    )
    network = small()
    with pytest.raises(InputError, match=said):
        user_weights.fit(network, wrong, "mine.pt")
    assert all(map(torch.equal, network.parameters(), small().parameters()))  # nothing was loaded


def test_files_that_hold_no_weights_are_refused_and_none_is_unpickled(tmp_path):
    torch.save(small(), tmp_path / "network.pt")
    torch.save({"epoch": 3}, tmp_path / "number.pt")
    (tmp_path / "broken.pt").write_bytes(b"garbage")
    (tmp_path / "text.pt").write_text("epoch 3\nloss 0.1\n")
    (tmp_path / "broken.safetensors").write_bytes(b"garbage")
    for name, said in (
        ("network.pt", "holds more than weights: save them with torch.save"),
        ("number.pt", "holds no state dict"),
        ("broken.pt", "cannot be read as weights"),
        ("text.pt", "text.pt cannot be read as weights, which torch.save or safetensors wrote"),
        ("broken.safetensors", "cannot be read as weights"),
        ("gone.pt", "there is no file"),
    ):
        with pytest.raises(InputError, match=said):
            user_weights.read(tmp_path / name)


IMAGES = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
LABELS = np.array([0, 2, 1, 0, 2, 1])


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def written(folder, kind: str) -> dict[str, str]:
    """{train_images, ...: file}, all of one kind."""
    named = {}
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        array, path = IMAGES if "images" in name else LABELS, folder / f"{name}{kind}"
        if kind == ".npy":
            np.save(path, array)
        elif kind == ".pt":
            torch.save(torch.tensor(array), path)
        else:
            path.write_bytes(gzip.compress(idx(array)) if kind == ".gz" else idx(array))
        named[name] = str(path)
    return named


@pytest.mark.parametrize("kind", [".npy", ".pt", "-idx", ".gz"])
def test_arrays_of_every_kind_make_the_same_data_set(tmp_path, kind):
    found = user_arrays.dataset(written(tmp_path, kind), {}, None)
    assert np.array_equal(found.train_images, IMAGES[:, None])
    assert np.array_equal(found.test_labels, LABELS)
    assert found.classes == 3


@pytest.mark.parametrize("suffix", [".npy", ".pt", ".csv"])
def test_labels_replace_those_of_the_data_set(tmp_path, suffix):
    path, other = tmp_path / f"labels{suffix}", LABELS[::-1].copy()
    if suffix == ".csv":
        pd.DataFrame({"image": range(6), "label": other}).to_csv(path, index=False)
    elif suffix == ".npy":
        np.save(path, other)
    else:
        torch.save(torch.tensor(other), path)
    known = user_arrays.dataset(written(tmp_path, ".npy"), {}, None)
    found = user_arrays.dataset("mnist", {"train": str(path)}, known)
    assert np.array_equal(found.train_labels, other)
    assert np.array_equal(found.test_labels, LABELS)
    assert np.array_equal(found.train_images, known.train_images)


@pytest.mark.parametrize(
    "text", ["0\n2\n1\n", "0.0e+00\n2.0e+00\n1.0e+00\n", "digit\n0\n2\n1\n", "label,name\n0,a\n2,b\n1,c\n"]
)
def test_a_csv_of_labels_may_have_one_column_or_name_it(tmp_path, text):
    (tmp_path / "y.csv").write_text(text)
    assert user_arrays.array(f"{tmp_path}/y.csv").tolist() == [0, 2, 1]


def test_a_tree_of_images_and_a_function_are_data_too(tmp_path):
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "tree" / split / name).mkdir(parents=True)
            Image.new("RGB", (6, 6), (10, 20, 30)).save(tmp_path / "tree" / split / name / "a.png")
    found = user_arrays.dataset({"imagefolder": str(tmp_path / "tree"), "size": 4}, {}, None)
    assert found.train_images.shape == (2, 3, 4, 4)
    assert found.class_names == ("cat", "dog")
    code = "import numpy as np\n\ndef read():\n    y = np.arange(4) % 2\n    x = y[:, None] * 0.5\n"
    (tmp_path / "strokes.py").write_text(f"{code}    return x, y, x, y\n")
    found = user_arrays.dataset(f"{tmp_path}/strokes.py:read", {}, None)
    assert found.train_images.dtype == np.float32  # as the network takes them
    assert found.train_images.tolist() == [[0], [0.5], [0], [0.5]]
    found.save(tmp_path / "strokes.safetensors")
    labels.save(tmp_path / "ledger.parquet", labels.ledger(found.train_labels, "strokes", "all", 0.0, 0))
    files = tmp_path / "strokes.safetensors", tmp_path / "ledger.parquet"
    examples = load_examples(*files, "train", "cpu")
    assert scaled(examples.images).tolist() == found.train_images.tolist()
    assert examples.image_shape == (1,)


def test_images_without_channels_or_with_channels_last_are_put_in_order():
    assert user_arrays.as_images(IMAGES, "x").shape == (6, 1, 4, 5)
    last = np.arange(2 * 8 * 9 * 3, dtype=np.uint8).reshape(2, 8, 9, 3)
    assert np.array_equal(user_arrays.as_images(last, "x")[1, 2], last[1, :, :, 2])
    with pytest.raises(InputError, match=r"x: \(5, 2, 4, 3\) may be \(n, c, h, w\) or \(n, h, w, c\)"):
        user_arrays.as_images(np.zeros((5, 2, 4, 3), np.uint8), "x")


@pytest.mark.parametrize(("images", "said"), [
    (IMAGES.astype(np.int64), "must be uint8"),
    (IMAGES[0, 0], "must be uint8"),
    (np.full((2, 3), np.nan), "not finite"),
])  # fmt: skip
def test_images_of_another_kind_are_refused(images, said):
    with pytest.raises(InputError, match=said):
        user_arrays.as_images(images, "x")


def test_data_that_do_not_fit_are_refused_by_file(tmp_path):
    known = user_arrays.dataset(written(tmp_path, ".npy"), {}, None)
    np.save(tmp_path / "short.npy", LABELS[:4])
    (tmp_path / "two.csv").write_text("a,b\n1,2\n")
    (tmp_path / "words.csv").write_text("label\ncat\ndog\n")
    (tmp_path / "halves.csv").write_text("label\n1\n0.5\n")
    (tmp_path / "indexed.csv").write_text(",digit\n0,1\n1,2\n")
    (tmp_path / "from1.csv").write_text("label\n-1\n9\n")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "bad.npy").write_bytes(b"garbage")
    torch.save([1], tmp_path / "list.pt")
    for name, said in (
        ("short.npy", "short.npy has 4 labels, the train set has 6 images"),
        ("two.csv", "has columns a, b: name the one with the labels `label`"),
        ("words.csv", "cannot be read as an array"),
        ("halves.csv", "ValueError: 0.5 is not a whole number"),
        ("indexed.csv", r"has columns \(no name\), digit: name the one with the labels `label`"),
        ("from1.csv", "labels go from -1 to 9; they must count from 0"),
        ("objects.npy", "could run code, which is never read.*: write it with numpy.save"),
        ("bad.npy", "cannot be read as an array .*: write it with numpy.save"),
        ("list.pt", "holds list, not one tensor"),
        ("gone.npy", "there is no file"),
    ):
        with pytest.raises(InputError, match=said):
            user_arrays.dataset("mnist", {"train": f"{tmp_path}/{name}"}, known)


class Settings:
    """A class of a user's training script, beside the weights in their checkpoint."""


class Harm:
    def __reduce__(self):
        return open, ("harm", "w")


def unsafe_files(folder):
    """{name: a file that torch.load refuses to read without running what is in it, or cannot read}."""
    torch.save({"state": Settings()}, folder / "object.pt")
    torch.save({"state": Settings()}, folder / "old.pt", _use_new_zipfile_serialization=False)
    (folder / "pickle.pt").write_bytes(pickle.dumps(Harm()))
    (folder / "garbage.pt").write_bytes(b"\x80\x02garbage" * 10)
    tarfile.open(folder / "tar.pt", "w").close()  # as torch.save did before 0.1.10
    (folder / "torn.pt").write_bytes((folder / "object.pt").read_bytes()[:200])
    return sorted(folder.iterdir())


@pytest.mark.parametrize("read", [user_weights.read, user_arrays.array])
def test_pytorchs_advice_to_let_a_file_run_code_reaches_nobody(tmp_path, monkeypatch, recwarn, read):
    files = unsafe_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for file in files:
        with pytest.raises(InputError, match=file.name) as caught:
            read(file)
        shown = "".join(traceback.format_exception(caught.value)) + "".join(map(str, recwarn))
        assert not re.search("weights_only.{0,20}False|trust|allowlist|file an issue", shown, re.DOTALL), (
            shown
        )
    assert not (tmp_path / "harm").exists()
