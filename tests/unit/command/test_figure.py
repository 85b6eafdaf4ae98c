"""`directions figure`: a figure from published tables, as the workflow draws it, and of own networks."""

import importlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from checkouts import ROOT
from matplotlib.figure import Figure
from torch import nn

import directions
from directions.command.main import main
from directions.figures import fig1a, redraw, style
from directions.study.catalogue import IN_PAPER

STUDY = ROOT / "docs/results/quick"
TABLES = STUDY / "tables/mnist_corruption"


@pytest.fixture
def drawn(monkeypatch) -> list:
    """What figure 1a is called with, instead of drawing it."""
    calls: list = []
    monkeypatch.setattr(fig1a, "draw", lambda *given: calls.append(given) or Figure())
    return calls


def test_it_is_the_figure_that_the_workflow_draws(tmp_path):
    spec = importlib.util.spec_from_file_location("plot_figure", ROOT / "scripts/plot_figure.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    paper = str(ROOT / "data/paper/figures/fig1a.csv")
    wanted = ["--pdf", str(tmp_path / "wanted.pdf"), "--png", str(tmp_path / "wanted.png")]
    script.main(["--figure", "fig1a", "--study", "quick", "--tables", str(TABLES), "--paper", paper, *wanted])
    assert main(["figure", "fig1a", str(STUDY), "--output", str(tmp_path / "a.png")]) == 0
    for kind in ("pdf", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"wanted.{kind}").read_bytes()


@pytest.mark.parametrize(("folder", "title"), [(STUDY, "quick"), (TABLES, "mnist_corruption")])
@pytest.mark.parametrize(("options", "paper"), [([], True), (["--no-paper"], False)])
def test_a_study_or_the_tables_of_an_experiment(drawn, tmp_path, capsys, folder, title, options, paper):
    assert main(["figure", "fig1a", str(folder), "--output", str(tmp_path / "v1.2"), *options]) == 0
    [(tables, name)] = drawn
    assert name == title
    assert ("paper" in tables) == paper
    assert tables["ablation"].equals(pd.read_csv(TABLES / "ablation.csv"))
    assert capsys.readouterr().out.split() == [f"{tmp_path}/v1.2.{kind}" for kind in ("pdf", "png")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1.2.pdf", "v1.2.png"]


def test_the_paper_s_curves_are_in_the_package():
    assert sorted(path.stem for path in redraw.PAPER.glob("fig*.csv")) == sorted(IN_PAPER)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["limti", "study"], "unknown figure 'limti'; did you mean limit? (known are fig1a, "),
        (["fig1a", "none"], "none has neither tables/claims.csv nor runs.csv"),
        (["fig1b", "study"], "has no claim about fig1b"),
        (["fig1a", "study"], "mnist_corruption/ablation.csv does not exist"),
        (["fig1a", "study", "study"], "fig1a shows one study: give one folder, not 2"),
        (["own", "none"], "none/runs.csv does not exist"),
    ],
)
def test_an_error_names_what_is_missing_and_draws_nothing(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study/tables").mkdir(parents=True)
    claims = pd.read_csv(STUDY / "tables/claims.csv").query("figure == 'fig1a'")
    claims.to_csv(tmp_path / "study/tables/claims.csv", index=False)
    shutil.copytree(TABLES, tmp_path / "study/tables/mnist_corruption")
    (tmp_path / "study/tables/mnist_corruption/ablation.csv").unlink()
    assert main(["figure", *words, "--output", "out"]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*out*"))


def test_networks_of_one_s_own_are_drawn_alone_or_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = np.eye(8, dtype=np.float32)[np.arange(40) % 8], np.arange(40) % 4
    settings = {"analyses": ["ablate_cumulative"], "orderings": 2, "progress": False}
    found = []
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4))
        found.append(directions.analyse(network, ["1"], (images, labels), name=name, **settings))
        found[-1].save(name)
    assert main(["figure", "own", "first", "--output", "one"]) == 0
    assert Path("one.png").read_bytes() == Path("first/figure.png").read_bytes()
    assert main(["figure", "own", "first", "second", "--output", "two"]) == 0
    style.save_png(found[0].compare(found[1]), "wanted.png")
    assert Path("two.png").read_bytes() == Path("wanted.png").read_bytes()
