"""What many tests need: a small data set, the settings of a small network, and a checkout with a study."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from checkouts import ROOT, Checkout, checkout
from filelock import FileLock

from directions import data

os.environ["PYTHONPATH"] = str(ROOT / "src")  # for the scripts that tests start
SETTINGS = {
    "dataset": "toy", "images": "all", "model": "mlp", "hidden": [8, 6], "optimizer": "sgd",
    "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0, "batch": 16, "epochs": 6, "dropout": 0.0,
    "corrupt": 0.0, "seed": 3, "keep_epochs": [], "evaluate_every": 1, "require_train_accuracy": None,
    "precision": "float32", "width": None, "batch_norm": None, "pad": None, "norm_batch": None, "steps": None,
    "schedule": "constant", "augment": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Tests run beside each other on few cores; unpinned thread pools would fight."""
    torch.set_num_threads(1)


@pytest.fixture
def settings() -> dict:
    return dict(SETTINGS)


@pytest.fixture
def toy() -> data.Dataset:
    return toy_dataset()


def toy_dataset() -> data.Dataset:
    """64 training and 40 test images of 1 x 4 x 4 in 4 classes that can be told apart."""
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 200, (4, 1, 4, 4))

    def split(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 4
        return (prototypes[labels] + rng.integers(0, 56, (count, 1, 4, 4))).astype(np.uint8), labels

    train, test = split(64), split(40)
    return data.Dataset("toy", ("a", "b", "c", "d"), *train, *test)


@pytest.fixture
def clone(tmp_path):
    """A folder with its own copy of everything that `load` reads."""
    for folder in ("configs", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Checkout:
    """A checkout in which nothing was ever run and no data lie."""
    return checkout(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def once(tmp_path_factory, request) -> Callable[[str, Callable[[Path], None]], Path]:
    """`once(name, make)`: a folder that `make` fills, by the first test of any process (pytest -n) to ask."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        base = base.parent  # of all processes

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        made, complete = base / name, base / f"{name} is complete"
        with FileLock(base / f"{name}.lock"):
            if not complete.exists():
                shutil.rmtree(made, ignore_errors=True)  # left by a test that failed here
                made.mkdir()
                make(made)
                complete.touch()
        return made

    return folder


@pytest.fixture(scope="session")
def built(once) -> Checkout:
    """A checkout whose tiny study is complete; real MNIST from this checkout's data, or fetched.

    Nobody changes it.
    """

    def build(folder: Path) -> None:
        made = checkout(folder)
        made.take_mnist()
        done = made.snakemake()
        assert done.returncode == 0, done.stdout + done.stderr

    return Checkout(once("built", build))


@pytest.fixture
def study(built, tmp_path) -> Checkout:
    """A copy of the complete study, file times and all, to be changed at will."""
    return Checkout(shutil.copytree(built.folder, tmp_path / "study", symlinks=True))
