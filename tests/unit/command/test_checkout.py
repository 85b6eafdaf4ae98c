"""`directions pull` and `report`: the tools of the checkout around this folder, and an error elsewhere."""

import json
import sys
from pathlib import Path

import pytest

from directions.command import checkout
from directions.command.main import main

TOOL = """
import json, os, sys
with open("said.jsonl", "a") as file:
    path = os.environ["PYTHONPATH"]
    print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:], path]), file=file)
sys.exit(sys.argv[-1] == "broken" and 2)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder that looks like a checkout, with tools that write down how they were called."""
    made = tmp_path / "checkout"
    (made / "src/directions/command").mkdir(parents=True)
    (made / "tools").mkdir()
    (made / "results/deep").mkdir(parents=True)
    (made / "Snakefile").touch()
    (made / ".venv/bin").mkdir(parents=True)
    (made / ".venv/bin/python").symlink_to(sys.executable)
    for name in ("pull", "write_report"):
        (made / f"tools/{name}.py").write_text(TOOL)
    monkeypatch.chdir(made / "results/deep")
    return made


def calls(folder: Path) -> list:
    lines = (folder / "said.jsonl").read_text().splitlines()
    assert all(json.loads(line)[-1] == str(folder / "src") for line in lines)
    return [json.loads(line)[:-1] for line in lines]


def test_pull_calls_the_tool_of_the_checkout_around(folder):
    assert main(["pull", "fig1a", "claims", "--study", "laptop", "--sizes"]) == 0
    assert calls(folder) == [["pull.py", "--study", "laptop", "--sizes", "--", "fig1a", "claims"]]


def test_report_calls_the_tool_as_make_report_does(folder):
    assert main(["report", "laptop", "--figures", "fig1a", "--stale"]) == 0
    assert main(["report"]) == 0
    assert calls(folder) == [
        ["write_report.py", "--study", "laptop", "--figures", "fig1a", "--stale"],
        ["write_report.py", "--study", "quick", "--figures", "all"],
    ]


def test_a_tool_that_fails_ends_the_command_with_its_code(folder, capsys):
    with pytest.raises(SystemExit) as done:
        main(["report", "--figures", "broken"])
    assert done.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["pull", "report"])
def test_outside_a_checkout_the_way_out_is_named(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert (
        f"error: `directions {command}` needs the project's workflow, and {tmp_path} is in no checkout"
        in said
    )
    assert "run `make setup` there" in said


def test_a_checkout_that_is_not_set_up_is_told_so(folder, monkeypatch, capsys):
    (folder / ".venv/bin/python").unlink()
    monkeypatch.setattr(checkout, "NEEDED", ("no_such_module",))
    assert main(["pull"]) == 2
    assert f"{folder} is not set up: run `make setup` there" in capsys.readouterr().err
    assert not (folder / "said.jsonl").exists()
