"""What many tests need: a small data set, the settings of a small network, and a checkout with a study."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkouts import ROOT, Checkout, checkout
from dvc_shares import Share
from filelock import FileLock
from toys import SETTINGS, toy_dataset

from directions import data

os.environ["PYTHONPATH"] = str(ROOT / "src")  # for the scripts that tests start
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as in the Makefile


LONG = ("dvc", "faults", "scripts", "workflow")  # folders whose tests take up to a minute each


def pytest_collection_modifyitems(items):
    """The long ones first, so that at the end no process waits for another (with --no-loadscope-reorder).

    Of each folder one file in turn, since those of a folder may wait for the same fixture to be made.
    """
    files: dict[Path, list[Path]] = {}
    for path in dict.fromkeys(item.path for item in items):
        files.setdefault(path.parent, []).append(path)
    turn = {path: place for listed in files.values() for place, path in enumerate(listed)}
    items.sort(key=lambda item: (item.path.parent.name not in LONG, turn[item.path]))


def pytest_make_parametrize_id(val, argname):
    """Bytes name no test: gzip writes the time into them, and two processes (pytest -n) would differ."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def own_log():
    """A script that a test starts in this process sets its log to a stream that closes with the test."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


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


@pytest.fixture
def clone(tmp_path):
    """A folder with its own copy of everything that `load` reads."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
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


@pytest.fixture(scope="session")
def author(built, once) -> Share:
    """The tiny study, complete, recorded in dvc.lock, pushed and committed. Not to be changed."""

    def share(folder: Path) -> None:
        made = Share(built.folder).copy(folder / "checkout")
        made.do("git", "init", "--quiet", "--initial-branch=main")
        made.remote(str(folder / "storage"))
        for path in (made.folder / "data/asked").glob("*.yaml"):
            path.unlink()  # the studies that this repository shares
        (made.folder / "dvc.lock").unlink(missing_ok=True)
        made.script("write_stages")
        made.commit("The code")
        made.script("push")
        made.commit("The study")

    return Share(once("author", share) / "checkout")


@pytest.fixture
def study(built, tmp_path) -> Checkout:
    """A copy of the complete study, file times and all, to be changed at will."""
    return Checkout(shutil.copytree(built.folder, tmp_path / "study", symlinks=True))
