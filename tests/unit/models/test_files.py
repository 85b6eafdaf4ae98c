import json
import tracemalloc

import pytest
import torch
from safetensors.torch import save_file

from directions import models
from directions.analyses import network as trained_network
from directions.core import suggest
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.models import files as model_files
from directions.training import record as training_record


def model_file(toy, settings, path):
    train_set = Examples(torch.tensor(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
    model = models.build(settings, train_set.image_shape, toy.classes)
    model_files.save(path, model.state_dict(), training_record.header(settings, train_set))
    return model


def test_a_model_file_rebuilds_the_network(toy, settings, tmp_path):
    model = model_file(toy, settings, tmp_path / "m.safetensors")
    loaded, header = model_files.load_model(tmp_path / "m.safetensors")
    expected = model.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())
    assert header["settings"] == settings
    assert not loaded.training


def test_garbage_in_place_of_a_model_is_refused_by_name(tmp_path):
    path = tmp_path / "m.safetensors"
    for content in (b"", b"garbage" * 99, b"\x08\0\0\0\0\0\0\0{}      "):
        path.write_bytes(content)
        with pytest.raises(InputError, match="m.safetensors is not a model file.*delete it"):
            model_files.load_model(path)


NETWORK = {"settings": {"seed": 0}, "image_shape": [1], "classes": 2}


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ([NETWORK, 3], ""),
        ([3, {}], ""),
        ({}, "settings"),
        (NETWORK | {"settings": {}}, "seed"),
        (NETWORK | {"image_shape": 1}, "image_shape"),
        (NETWORK | {"own": None}, "build"),
        (NETWORK | {"own": {"layers": ["a"]}}, "build"),
        (NETWORK | {"own": {"build": "net.py:build", "code": "", "layers": ["a"]}}, "normalize"),
    ],
)
def test_a_header_that_lacks_what_rebuilds_a_network_is_refused_by_name(tmp_path, header, lacking):
    path = tmp_path / "m.safetensors"
    save_file({"w": torch.zeros(1)}, path, {"header": json.dumps(header)})
    with pytest.raises(InputError, match=f"m.safetensors is not a model file.*{lacking}.*delete it"):
        trained_network.read(path, "data", "ledger", "cpu")


def test_weights_of_another_architecture_are_refused_by_name(toy, settings, tmp_path):
    path = tmp_path / "m.safetensors"
    model_file(toy, settings, path)
    state, header = model_files.load_state(path)
    model_files.save(path, state, header | {"settings": settings | {"hidden": [9, 6]}})
    with pytest.raises(InputError, match=r"m.safetensors: weights and architecture do not fit.*linear1"):
        model_files.load_model(path)


@pytest.mark.parametrize("joined", [False, True])
def test_any_bit_that_flips_is_found_when_the_file_is_read(tmp_path, joined):
    path = tmp_path / "m.safetensors"
    state = {"fc.weight": torch.rand(2, 3), "n": torch.tensor(7)}
    model_files.save(path, state, {"settings": {"seed": 0, "hidden": [9, 6]}})
    if joined:
        model_files.join(tmp_path / "all", {"epoch-1": path}, {"settings": {"seed": 0}})
        path = tmp_path / "all"
    sound, (tensors, header) = path.read_bytes(), model_files.load_state(path)
    refused = 0
    for place in range(len(sound)):
        damaged = bytearray(sound)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found, said = model_files.load_state(path)
        except InputError as error:
            refused += str(path) in str(error) and "delete it and run again" in str(error)
        else:  # nothing that is read has changed
            assert said == header
            assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
            assert found.keys() == tensors.keys()
    assert refused > len(sound) - 10  # blanks in the list of tensors may become other blanks


def test_a_bit_of_one_checkpoint_spoils_that_one_alone(tmp_path):
    files, tensors = several(tmp_path)
    model_files.join(tmp_path / "joined", files, {})
    content = bytearray((tmp_path / "joined").read_bytes())
    victim = tensors["epoch-000002_1-of-4/b.weight"]
    content[content.index(victim.numpy().tobytes())] ^= 4
    (tmp_path / "joined").write_bytes(content)
    model_files.load_state(tmp_path / "joined", "epoch-000001_1-of-4/")
    with pytest.raises(InputError, match=r"joined is damaged \(epoch-000002_1-of-4/b.weight differs"):
        model_files.load_state(tmp_path / "joined", "epoch-000002_1-of-4/")


def test_files_of_before_there_were_digests_are_read_and_joined(tmp_path):
    state = {"a": torch.rand(3), "b": torch.ones(2)}
    for name in ("old", "kept"):
        save_file(state, tmp_path / name, {"header": json.dumps({"settings": {"seed": 3}})})
    found, header = model_files.load_state(tmp_path / "old")
    assert header == {"settings": {"seed": 3}}
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    model_files.join(tmp_path / "joined", {"x": tmp_path / "kept"}, {"n": 1})
    model_files.save(tmp_path / "at once", {f"x/{name}": tensor for name, tensor in state.items()}, {"n": 1})
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "at once").read_bytes()


def test_a_damaged_product_is_made_again_by_the_command_that_the_message_gives():
    path = "results/quick/models/a/b/model.safetensors"
    assert suggest.rebuild(path).endswith(f"`snakemake --cores all --config study=quick -- {path}`")
    own = "results/own/models/mlp/model.safetensors"
    assert suggest.rebuild(own).endswith(f"--configfile configs/own.yaml -- {own}`")
    assert suggest.rebuild("/elsewhere/model.safetensors") == "delete it and run again to rebuild it"


def several(folder, count=3, size=5) -> tuple[dict, dict]:
    """({name: file}, {name/tensor: tensor}) of networks with numbers of several widths."""
    files, tensors = {}, {}
    for number in range(count):
        name, random = f"epoch-{number:06d}_1-of-4", torch.Generator().manual_seed(number)
        state = {
            "b.weight": torch.rand(size, 3, generator=random), "a": torch.rand(2, generator=random),
            "seen": torch.tensor(number), "half": torch.rand(3, generator=random).bfloat16(),
            "bytes": torch.arange(5, dtype=torch.uint8), "é": torch.ones(()), "none": torch.ones(0, 2),
        }  # fmt: skip
        files[name] = folder / f"{name}.safetensors"
        model_files.save(files[name], state, {})
        tensors |= {f"{name}/{key}": tensor for key, tensor in state.items()}
    return files, tensors


@pytest.mark.parametrize("count", [0, 1, 3])
def test_files_are_joined_byte_for_byte_as_if_written_at_once(tmp_path, count):
    files, tensors = several(tmp_path, count)
    model_files.save(tmp_path / "at once", tensors, {"a": 1})
    model_files.join(tmp_path / "joined", files, {"a": 1})
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "at once").read_bytes()
    for name in files:
        state, header = model_files.load_state(tmp_path / "joined", f"{name}/")
        assert header == {"a": 1}
        assert all(torch.equal(tensor, tensors[f"{name}/{key}"]) for key, tensor in state.items())
        assert len(state) == 7


def test_joining_holds_one_tensor_in_memory(tmp_path):
    files, _ = several(tmp_path, count=20, size=100_000)  # 1.2 MB each
    tracemalloc.start()
    model_files.join(tmp_path / "joined", files, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "joined").stat().st_size > 20 * 1.2e6
    assert peak < 3e6


@pytest.mark.parametrize("damage", ["gone", "empty", "cut short", "garbage", "a bit"])
def test_a_broken_part_is_named_and_nothing_is_written(tmp_path, damage):
    files, _ = several(tmp_path)
    broken = files["epoch-000001_1-of-4"]
    content = {"empty": b"", "cut short": broken.read_bytes()[:-1], "garbage": b"garbage" * 99}
    content["a bit"] = broken.read_bytes()[:-1] + bytes([broken.read_bytes()[-1] ^ 1])
    broken.unlink() if damage == "gone" else broken.write_bytes(content[damage])
    with pytest.raises(InputError, match=f"{broken.name}, kept during training, cannot be read.*delete"):
        model_files.join(tmp_path / "joined", files, {})
    assert not (tmp_path / "joined").exists()


def test_a_function_of_the_users_own_is_run_only_where_the_caller_names_it(tmp_path):
    reference = f"{tmp_path}/net.py:build"
    (tmp_path / "net.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom torch import nn\n\n"
        "def build(settings, shape, classes):\n    return nn.Sequential(nn.Linear(3, 2), nn.ReLU())\n"
    )
    header = {
        "settings": {"model": "net", "build": reference, "seed": 0}, "image_shape": [3], "classes": 2
    }  # fmt: skip
    state = {"0.weight": torch.ones(2, 3), "0.bias": torch.zeros(2)}
    model_files.save(tmp_path / "m.safetensors", state, header)
    for read in (
        lambda: model_files.load_model(tmp_path / "m.safetensors"),
        lambda: model_files.rebuilt("m.safetensors", state, header, "nets.py:build"),
    ):
        with pytest.raises(InputError, match="m.safetensors: its header asks to run .*net.py:build, but"):
            read()
    assert not (tmp_path / "ran").exists()
    loaded = model_files.rebuilt("m.safetensors", state, header, reference)
    assert torch.equal(loaded[0].weight, torch.ones(2, 3))
