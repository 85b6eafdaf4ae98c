"""The scripts between the analyses and the figures, called as the workflow calls them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pythons

from directions.claims.statistics import checkpoints
from directions.core import tables as table_files

ROOT = Path(__file__).parents[2]


def script(name: str, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / f"scripts/{name}.py"), *map(str, arguments)]
    return pythons.run(command)


def asked(runs: dict) -> str:
    return json.dumps({"settings": {"experiment": "e", "table": "noise", "runs": runs}, "upstream": "0"})


@pytest.fixture
def files(tmp_path):
    for run, value in {"seed-0": 0.5, "seed-1": 0.25}.items():
        (tmp_path / f"{run}.csv").write_text(f"repeat,accuracy\n0,{value}\n1,{value + 0.125}\n")
        (tmp_path / run).mkdir()
        (tmp_path / run / "record.json").write_text(json.dumps({"seed": int(run[-1]), "units": 14}))
    return tmp_path


RUNS = {"seed-0": {"seed": 0}, "seed-1": {"seed": 1}}


def test_collect_puts_the_keys_in_front(files):
    table = files / "out/noise.csv"
    done = script(
        "collect", "--asked", asked(RUNS), "--table", table, files / "seed-0.csv", files / "seed-1.csv"
    )
    assert done.returncode == 0, done.stderr
    assert table.read_text().splitlines() == [
        "experiment,run,seed,repeat,accuracy",
        "e,seed-0,0,0,0.5", "e,seed-0,0,1,0.625", "e,seed-1,1,0,0.25", "e,seed-1,1,1,0.375",
    ]  # fmt: skip


def test_collect_takes_its_arguments_from_a_file_too(files):
    """As the rule gives them for a thousand runs, more than a command may hold."""
    given, tables = ["--asked", asked(RUNS), *(str(files / f"{run}.csv") for run in RUNS)], []
    (files / "arguments.txt").write_text("\n".join(given))
    for name, arguments in {"long": [f"@{files}/arguments.txt"], "short": given}.items():
        done = script("collect", "--table", files / f"{name}/noise.csv", *arguments)
        assert done.returncode == 0, done.stderr
        tables.append((files / f"{name}/noise.csv").read_text())
    assert tables[0] == tables[1]


@pytest.mark.parametrize("names", [["1.1", "1.10"], ["NA", "null"]])
def test_collect_takes_the_names_of_layers_as_they_are(files, names):
    """1.10 of an nn.Sequential is not 1.1."""
    lines = ["layer,unit,selectivity", f"{names[0]},0,0.5", f"{names[1]},0,"]
    (files / "seed-0.csv").write_text("\n".join(lines) + "\n")
    table = files / "out/units.csv"
    done = script("collect", "--asked", asked({"seed-0": {}}), "--table", table, files / "seed-0.csv")
    assert done.returncode == 0, done.stderr
    assert table.read_text().splitlines()[1:] == [f"e,seed-0,{line}" for line in lines[1:]]
    found = table_files.read(table.parent, ["units"])["units"]
    assert found["layer"].tolist() == names
    assert found["selectivity"].isna().tolist() == [False, True]


@pytest.mark.parametrize("epochs", [["0", "3", "12"], ["0.13646055437100213", "1.0", "25.927505330490405"]])
def test_collect_takes_whole_and_broken_epochs_as_they_are(files, epochs):
    lines = ["epoch,ordering,auc,test_loss", *(f"{epoch},0,0.5,0.25" for epoch in epochs)]
    for run in RUNS:
        (files / f"{run}.csv").write_text("\n".join(lines) + "\n")
    table = files / "out/checkpoints.csv"
    done = script(
        "collect", "--asked", asked(RUNS), "--table", table, *(files / f"{run}.csv" for run in RUNS)
    )
    assert done.returncode == 0, done.stderr
    expected = [f"e,{run},{run[-1]},{line}" for run in RUNS for line in lines[1:]]
    assert table.read_text().splitlines()[1:] == expected
    runs = table_files.csv(table).assign(corrupt=0.0).drop_duplicates("run")
    found = checkpoints.training({"runs": runs, "checkpoints": table_files.csv(table)}, {})
    for networks in found.values():
        for seen in networks:
            np.testing.assert_array_equal(seen[0, :3], [float(epoch) for epoch in epochs])


def test_collect_says_a_varied_setting_once(files):
    table = files / "runs.csv"
    records = [files / run / "record.json" for run in RUNS]
    assert script("collect", "--asked", asked(RUNS), "--table", table, *records).returncode == 0
    assert table.read_text().splitlines() == ["experiment,run,seed,units", "e,seed-0,0,14", "e,seed-1,1,14"]


@pytest.mark.parametrize(("order", "content", "said"), [
    (("seed-1", "seed-0"), None, "seed-1.csv does not belong to run seed-0"),
    (("seed-0", "seed-1"), "", "seed-0.csv cannot be read"),
])  # fmt: skip
def test_collect_refuses_files_in_disorder_and_empty_ones(files, order, content, said):
    if content is not None:
        (files / "seed-0.csv").write_text(content)
    table = files / "noise.csv"
    done = script(
        "collect", "--asked", asked(RUNS), "--table", table, *(files / f"{run}.csv" for run in order)
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert not table.exists()


def test_areas_are_those_of_each_curve(tmp_path):
    curves = pd.DataFrame({
        "experiment": "e", "run": ["a"] * 6, "seed": 0, "clamp": "zero", "ordering": [0, 0, 0, 1, 1, 1],
        "ablated": [0, 5, 10] * 2, "units": 10, "split": "train", "loss": 0.0,
        "accuracy": [0.8, 0.4, 0.2, 0.8, 0.8, 0.2],
    })  # fmt: skip
    curves.to_csv(tmp_path / "ablation.csv", index=False)
    pd.DataFrame({"run": ["a"], "classes": [5]}).to_csv(tmp_path / "runs.csv", index=False)
    table = tmp_path / "areas.csv"
    done = script(
        "measure_areas",
        "--ablation",
        tmp_path / "ablation.csv",
        "--runs",
        tmp_path / "runs.csv",
        "--table",
        table,
    )
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(table)
    assert list(found.columns) == [
        "experiment", "run", "seed", "clamp", "ordering", "auc", "auc_relative", "auc_chance_corrected"
    ]  # fmt: skip
    assert found["auc"].tolist() == pytest.approx([0.45, 0.65])
    assert found["auc_relative"].tolist() == pytest.approx([0.45 / 0.8, 0.65 / 0.8])
    assert found["auc_chance_corrected"].tolist() == pytest.approx([0.25 / 0.8, 0.45 / 0.8])


def test_areas_of_top5_accuracy_stand_beside_those_of_accuracy_where_it_was_measured(tmp_path):
    curves = pd.DataFrame({
        "experiment": "e", "run": "a", "clamp": "zero", "ordering": 0, "ablated": [0, 5, 10], "units": 10,
        "split": "train", "loss": 0.0, "accuracy": [0.4, 0.2, 0.1], "accuracy_top5": [0.8, 0.4, 0.2],
    })  # fmt: skip
    curves.to_csv(tmp_path / "ablation.csv", index=False)
    pd.DataFrame({"run": ["a"], "classes": [20]}).to_csv(tmp_path / "runs.csv", index=False)
    table = tmp_path / "areas.csv"
    files = ["--ablation", tmp_path / "ablation.csv", "--runs", tmp_path / "runs.csv", "--table", table]
    done = script("measure_areas", *files)
    assert done.returncode == 0, done.stderr
    [found] = pd.read_csv(table).to_dict("records")
    assert list(found)[4:] == [
        "auc", "auc_relative", "auc_chance_corrected",
        "auc_top5", "auc_relative_top5", "auc_chance_corrected_top5",
    ]  # fmt: skip
    assert (found["auc"], found["auc_top5"]) == pytest.approx((0.225, 0.45))
    assert found["auc_relative_top5"] == pytest.approx(0.45 / 0.8)
    assert found["auc_chance_corrected_top5"] == pytest.approx((0.45 - 0.25) / 0.75)


@pytest.mark.parametrize(("accuracy", "said"), [
    ([0.8, 1.7, 1.2], "table areas: column auc is 1.35 in row 1, allowed is a number from 0 to 1"),
    ([0.8, 0.4, None], "table areas: column auc is empty in row 1"),
])  # fmt: skip
def test_areas_that_cannot_be_are_refused(tmp_path, accuracy, said):
    curves = pd.DataFrame({
        "experiment": "e", "run": "a", "clamp": "mean", "ordering": 0, "ablated": [0, 5, 10], "units": 10,
        "split": "train", "loss": 0.0, "accuracy": accuracy,
    })  # fmt: skip
    curves.to_csv(tmp_path / "ablation.csv", index=False)
    run = {"run": "a", "classes": 5, "train_loss": 0.0, "train_accuracy": 0.8}
    pd.DataFrame([run]).to_csv(tmp_path / "runs.csv", index=False)
    files = ["--ablation", tmp_path / "ablation.csv", "--runs", tmp_path / "runs.csv"]
    done = script("measure_areas", *files, "--table", tmp_path / "areas.csv")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "areas.csv").exists()


@pytest.mark.parametrize(("name", "said"), [
    ("runs", "column classes is missing; column train_images is missing"),
    ("history", "column units is not declared; did you mean init?; column epoch is missing"),
])  # fmt: skip
def test_collect_refuses_tables_of_training_that_are_not_as_declared(files, name, said):
    records = [files / run / "record.json" for run in RUNS]
    settings = {"experiment": "e", "table": name, "runs": RUNS}
    table = files / f"{name}.csv"
    done = script("collect", "--asked", json.dumps({"settings": settings}), "--table", table, *records)
    assert done.returncode == 2
    assert f"table {name}: {said}" in done.stderr
    assert not table.exists()


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("scripts/*.py"), *ROOT.glob("tools/*.py")]), ids=lambda path: path.stem
)
def test_every_script_explains_itself(path, capsys):
    main = runpy.run_path(str(path))["main"]
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert said.startswith("usage: ")
    assert len(said.split("\n\n")[1]) > 20, f"{path.name} does not say what it does"


def test_an_asked_argument_that_is_no_json_is_refused(tmp_path):
    done = script("collect", "--asked", "nonsense", "--table", tmp_path / "t.csv", tmp_path / "x.csv")
    assert done.returncode == 2
    assert "--asked needs JSON" in done.stderr


@pytest.mark.parametrize(
    ("study", "said"),
    [("laptop", "run the study first"), ("labtop", "'labtop' is unknown; did you mean laptop?")],
)
def test_times_of_a_study_that_never_ran_are_refused(tmp_path, study, said):
    done = subprocess.run(
        [sys.executable, ROOT / "tools/show_times.py", study],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
