"""`directions analyse`: the tables of `directions.analyse`, in a new folder or not at all."""

import numpy as np
import pandas as pd
import pytest
import torch

import directions
from directions.command.main import main
from directions.core import cli
from directions.result import Analysis

NETS = """
from torch import nn


def build():
    hidden = nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 3), nn.ReLU()
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(3, 3))
"""
SETTINGS = """
seed: 1
ablate_cumulative: {orderings: 2}
add_noise: {repeats: 2}
normalize: {mean: [0.1], sd: [0.3]}
"""
DATA = ["--train", "x.npy", "y.npy"]


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A user's folder: factory, weights, arrays, settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "prepare_torch", lambda device, threads: torch.device("cpu"))  # once a process
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    shapes = {"1.weight": (6, 16), "1.bias": 6, "3.weight": (3, 6), "3.bias": 3}
    shapes |= {"5.weight": (3, 3), "5.bias": 3}
    random = torch.Generator().manual_seed(0)
    torch.save({key: torch.randn(shape, generator=random) for key, shape in shapes.items()}, "w.pt")
    np.save("x.npy", np.random.default_rng(0).integers(0, 255, (60, 4, 4)).astype(np.uint8))
    np.save("y.npy", np.arange(60) % 3)
    return tmp_path


def analyse(*arguments: str, output: str = "out") -> int:
    return main(["analyse", "nets.py:build", *arguments, "--output", output, "--quiet"])


def network():
    scope: dict = {}
    exec(NETS, scope)
    made = scope["build"]()
    made.load_state_dict(torch.load("w.pt", weights_only=True))
    return made


@pytest.mark.parametrize(
    ("words", "layers"),
    [([], ["2", "4"]), (["all", "activations"], ["2", "4"]), (["2"], ["2"]), (["1=relu"], {"1": "relu"})],
)
def test_the_tables_are_those_of_the_call_from_python(words, layers, capsys):
    given = ["--layers", *words] if words else []
    data = [*DATA, "--test", "x.npy", "y.npy", "--weights", "w.pt", "--settings", "settings.yaml"]
    assert analyse(*data, *given, output="runs/mine") == 0
    arrays = np.load("x.npy"), np.load("y.npy")
    settings = {"ablate_cumulative": {"orderings": 2}, "add_noise": {"repeats": 2}, "seed": 1}
    settings |= {"normalize": {"mean": [0.1], "sd": [0.3]}, "progress": False}
    found = directions.analyse(network(), layers, arrays, arrays, name="mine", **settings)
    found.save("wanted")
    for name in found.tables:
        assert pd.read_csv(f"runs/mine/{name}.csv").equals(pd.read_csv(f"wanted/{name}.csv")), name
    files = [*(f"{table}.csv" for table in found.tables), "figure.pdf", "figure.png"]
    assert capsys.readouterr().out.split() == sorted(f"runs/mine/{name}" for name in files)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*DATA, "--layers", "2", "3=relu"], "write fc1=relu, or relu1=none"),
        ([*DATA, "--layers", "9"], "no layer '9'"),
        ([*DATA, "--settings", "none.yaml"], "--settings: there is no file none.yaml"),
        ([*DATA, "--settings", "wrong.yaml"], "--settings wrong.yaml: sed"),
        ([*DATA, "--weights", "none.pt"], "there is no file none.pt"),
        (["--train", "x.npy", "none.npy"], "there is no file none.npy"),
        ([*DATA, "--output", "x.npy"], "--output x.npy: exists and is not an empty folder"),
        ([*DATA, "--output", "x.npy/out"], "x.npy is no folder in which you may write"),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(arguments, message, mine, capsys):
    (mine / "wrong.yaml").write_text("sed: 1\n")
    before = sorted(mine.iterdir())
    given = [] if "--output" in arguments else ["--output", "out"]
    assert main(["analyse", "nets.py:build", *arguments, *given, "--quiet"]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.startswith("error: ")
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert sorted(path for path in mine.iterdir() if path.name != "__pycache__") == before


def test_a_folder_with_files_is_refused_and_kept(mine, capsys):
    (mine / "out").mkdir()
    (mine / "out/runs.csv").write_text("mine\n")
    assert analyse(*DATA) == 2
    assert "exists and is not an empty folder: name a new folder" in capsys.readouterr().err
    assert (mine / "out/runs.csv").read_text() == "mine\n"


def test_an_empty_folder_is_filled(mine):
    (mine / "out").mkdir()
    (mine / "few.yaml").write_text("analyses: [measure_units]\n")
    assert analyse(*DATA, "--settings", "few.yaml") == 0
    assert (mine / "out/units.csv").is_file()


def test_a_full_disk_leaves_no_folder(mine, monkeypatch, capsys):
    def save(_self, folder):
        folder.mkdir()
        (folder / "runs.csv").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Analysis, "save", save)
    (mine / "few.yaml").write_text("analyses: [measure_units]\n")
    assert analyse(*DATA, "--settings", "few.yaml") == 2
    assert "error: --output out: cannot be written (No space left on device)" in capsys.readouterr().err
    assert not (mine / "out").exists()
    assert not list(mine.glob(".out*"))
