"""The line to paste: names that YAML would read as numbers are in quotes."""

import sys

import pythons
import yaml
from checkouts import ROOT

NETS = """
from torch import nn


def build():
    first = nn.Flatten(), nn.Linear(16, 5), nn.ReLU()
    return nn.Sequential(*first, nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
"""


def shown(function: str, folder) -> str:
    (folder / "nets.py").write_text(NETS)
    command = [
        sys.executable,
        ROOT / "tools/show_layers.py",
        f"nets.py:{function}",
        "--shape",
        "1",
        "4",
        "4",
    ]
    done = pythons.run(command, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_activations_can_be_pasted_into_a_config(tmp_path):
    table, line = shown("build", tmp_path).split("\nall activations:\n")
    assert yaml.safe_load(line) == {"layers": ["2", "4"]}
    assert [row.split()[0] for row in table.splitlines()] == ["layer", "1", "2", "3", "4", "5"]


def test_a_network_without_activations_is_told_so(tmp_path):
    assert shown("linear", tmp_path).endswith("none of them is an activation\n")
