import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from directions import data
from directions.core.errors import InputError
from directions.data import Dataset
from directions.data.registry import KNOWN

SRC = str(Path(data.__file__).parents[2])


def small(seed=0, train=6, test=4):
    chance = np.random.default_rng(seed)
    return Dataset(
        "mnist",
        ("a", "b", "c"),
        chance.integers(0, 256, (train, 1, 5, 4), dtype=np.uint8),
        np.arange(train) % 3,
        chance.integers(0, 256, (test, 1, 5, 4), dtype=np.uint8),
        np.arange(test) % 3,
    )


def test_what_is_saved_is_loaded(tmp_path):
    saved = small()
    saved.save(tmp_path / "mnist.safetensors")
    loaded = data.load(tmp_path / "mnist.safetensors")
    for split in data.SPLITS:
        for ours, theirs in zip(saved.split(split), loaded.split(split), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(
            data.load_labels(tmp_path / "mnist.safetensors", split), saved.split(split)[1]
        )
    assert (loaded.name, loaded.class_names, loaded.classes) == ("mnist", ("a", "b", "c"), 3)
    assert loaded.digest == saved.digest


def test_the_same_content_is_the_same_file(tmp_path):
    for number in range(8):  # with several metadata keys, safetensors would shuffle them
        small().save(tmp_path / str(number))
    assert len({(tmp_path / str(number)).read_bytes() for number in range(8)}) == 1


def test_the_file_may_be_read_by_colleagues(tmp_path):
    (tmp_path / "plain").touch()
    small().save(tmp_path / "mnist.safetensors")
    assert (tmp_path / "mnist.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("tensor", ["train_images", "train_labels", "test_images", "test_labels"])
def test_one_changed_value_changes_the_digest_and_its_tensors_alone(tensor):
    before = small()
    values = getattr(before, tensor).copy()
    values.flat[0] = (values.flat[0] + 1) % 3
    after = replace(before, **{tensor: values})
    assert before.digest != after.digest
    assert {name for name in before.digests if before.digests[name] != after.digests[name]} == {tensor}


def test_the_digest_tells_shapes_apart():
    flat = replace(
        small(),
        train_images=small().train_images.reshape(6, 1, 4, 5),
        test_images=small().test_images.reshape(4, 1, 4, 5),
    )
    assert flat.digest != small().digest


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:20],
        lambda content: b"",
        lambda content: b"<html>not found</html>" * 40,
        lambda content: content + b"\0",
    ],
)
def test_a_damaged_file_is_refused_by_name_with_the_way_out(tmp_path, damage):
    path = tmp_path / "mnist.safetensors"
    small().save(path)
    path.write_bytes(damage(path.read_bytes()))
    for read in (data.load, lambda path: data.load_labels(path, "train")):
        with pytest.raises(InputError, match=r"mnist\.safetensors is damaged.*delete it and rerun"):
            read(path)


def flip_last_value_of(path, tensor):
    """Change the last stored byte of one tensor, found by its content."""
    content = path.read_bytes()
    stored = load_file(path)[tensor].tobytes()
    place = content.rindex(stored) + len(stored) - 8  # the lowest byte of a last int64
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


def test_one_flipped_bit_is_found(tmp_path):
    path = tmp_path / "mnist.safetensors"
    small().save(path)
    flip_last_value_of(path, "train_labels")
    for read in (data.load, lambda path: data.load_labels(path, "train")):
        with pytest.raises(InputError, match="train_labels: sha256 expected [0-9a-f]{64}, found"):
            read(path)
    assert len(data.load_labels(path, "test")) == 4  # the rest is whole


def test_other_files_are_refused(tmp_path):
    save_file({"weight": np.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors .* not a data set"):
        data.load(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="absent.*prepare_data"):
        data.load(tmp_path / "absent")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/mnist\.safetensors cannot be written"):
        small().save(tmp_path / "file" / "mnist.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_labels": np.arange(5)}, "6 images, 5 labels"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, 3])}, "labels run from 0 to 3, but it has 3 classes"),
        ({"test_labels": np.array([0, 1, 2, -1])}, "test: labels run from -1"),
        ({"train_labels": np.zeros(6, np.int32)}, "int32"),
        ({"test_images": np.zeros((4, 1, 5, 4), np.float32)}, "float32"),
        ({"test_images": np.zeros((4, 5, 4), np.uint8)}, "uint8"),
        ({"test_images": np.zeros((4, 3, 5, 4), np.uint8)}, "channels"),
        ({"test_images": np.zeros((0, 1, 5, 4), np.uint8), "test_labels": np.zeros(0, np.int64)}, "0 images"),
    ],
)
def test_impossible_data_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(small(), **change)


def test_what_is_known_without_any_file():
    sizes = {name: (known.train_images, known.test_images, known.classes) for name, known in KNOWN.items()}
    assert sizes == {
        "mnist": (60_000, 10_000, 10),
        "mnist_4v9": (11_791, 1_991, 2),
        "fashion_mnist": (60_000, 10_000, 10),
        "cifar10": (50_000, 10_000, 10),
        "cifar10_jpeg": (50_000, 10_000, 10),
        "cifar10_first4000": (3_000, 1_000, 10),
        "cifar10_jpeg_first4000": (3_000, 1_000, 10),
        "imagenet": (1_281_167, 50_000, None),
        "imagefolder": (None, None, None),
        "pvr": (60_000, 10_000, 10),
        "pvr_sum": (60_000, 10_000, 10),
        "pvr_sum_holdout": (60_000, 10_000, 10),
        "pvr_block": (20_000, 5_000, 10),
        "pvr_block_holdout": (20_000, 5_000, 10),
        "mnist_clones_isotropic": (20_000, 10_000, 10),
        "mnist_clones_full": (20_000, 10_000, 10),
        "nlgp": (60_000, 10_000, 2),
        "nlgp_gaussian": (60_000, 10_000, 2),
    }
    shapes = [known.shape for known in KNOWN.values()]
    of_files = [*[(1, 28, 28)] * 3, *[(3, 32, 32)] * 4, (3, 224, 224), None]
    assert shapes == of_files + [
        *[(1, 11, 10)] * 3, *[(1, 80, 80)] * 2, *[(1, 28, 28)] * 2, *[(1, 1, 64)] * 2
    ]  # fmt: skip


def test_digests_in_the_readme_are_those_in_the_code():
    readme = (Path(SRC).parent / "data" / "README.md").read_text()
    for known in KNOWN.values():
        for file in known.raw.files if known.raw else ():
            name = file.name.removesuffix(".gz") if file.unpack else file.name
            [row] = [line for line in readme.splitlines() if f"| {known.title} `{name}`" in line]
            assert f"`{file.md5}`" in row


def test_labels_are_read_without_torch(tmp_path):
    small().save(tmp_path / "mnist.safetensors")
    code = (
        "import sys; from directions.data import load_labels;"
        f" print(len(load_labels({str(tmp_path / 'mnist.safetensors')!r}, 'train')));"
        " print([name for name in ('torch', 'torchvision', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": SRC}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["6", "[]"]
