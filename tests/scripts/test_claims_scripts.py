"""The scripts around figures and claims: what they read, write, print, and how they fail."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import synthetic

from directions.claims import verdicts
from directions.claims.verdicts import VERDICTS
from directions.core.errors import InputError

ROOT = Path(__file__).parents[2]
CLAIMS = ROOT / "data" / "paper" / "claims.csv"
CURVES = ROOT / "data" / "paper" / "figures"
EXPERIMENTS = json.dumps({"fig1a": "corruption", "fig2a": "corruption", "fig7a": "units", "figA4a": "units"})


def script(name: str):
    [path] = [*ROOT.glob(f"scripts/{name}.py"), *ROOT.glob(f"tools/{name}.py")]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    synthetic.write(synthetic.corruption_tables(networks=2, orderings=4), folder / "corruption")
    synthetic.write(synthetic.unit_tables(networks=2), folder / "units")
    return folder


def check(tables: Path, out: Path, claims=CLAIMS, experiments=EXPERIMENTS) -> tuple[pd.DataFrame, dict]:
    arguments = {
        "study": "quick",
        "claims": claims,
        "paper": CURVES,
        "tables": tables,
        "experiments": experiments,
    }
    arguments |= {"csv": out / "claims.csv", "json": out / "claims.json"}
    script("check_claims").main([f"--{name}={value}" for name, value in arguments.items()])
    return pd.read_csv(out / "claims.csv"), json.loads((out / "claims.json").read_text())


def checked(tables: Path, out: Path) -> tuple[Path, pd.DataFrame]:
    """A claims table, one claim of it from memory, and its file."""
    found, _ = check(tables, out)
    found.loc[found["id"] == "figA4a_poor_predictor", "certainty"] = "remembered"
    found.to_csv(out / "claims.csv", index=False)
    return out / "claims.csv", found


def plot(tables: Path, out: Path, figure: str, *options: str) -> None:
    files = [f"--pdf={out / figure}.pdf", f"--png={out / figure}.png"]
    script("plot_figure").main(
        [f"--figure={figure}", "--study=quick", f"--tables={tables}", *files, *options]
    )


def test_check_claims_writes_one_row_and_one_entry_per_claim(tables, tmp_path):
    found, metrics = check(tables, tmp_path)
    stated = pd.read_csv(CLAIMS)
    asked = stated.loc[stated["figure"].isin(json.loads(EXPERIMENTS)), "id"]
    assert list(found["id"]) == list(asked) == list(metrics)
    assert set(found["tested_on"]) == {
        "MNIST, mlp 512x512, 60,000 images, 640 epochs",
        "MNIST, mlp 128x128, 60,000 images, 640 epochs",
    }
    for row in found.itertuples():
        assert metrics[row.id]["verdict"] == row.verdict
        assert metrics[row.id]["estimate"] == pytest.approx(row.estimate, abs=1e-4)
    assert metrics["fig1a_clean_above_corrupted"]["verdict"] == "reproduced"


def test_check_claims_writes_nothing_that_is_not_as_declared(tables, tmp_path, monkeypatch):
    made = verdicts.check
    monkeypatch.setattr(verdicts, "check", lambda *args: made(*args).drop(columns="verdict"))
    with pytest.raises(InputError, match="table claims: column verdict is missing"):
        check(tables, tmp_path)
    assert not list(tmp_path.iterdir())


def test_check_claims_names_a_panel_of_the_paper_that_is_not_there(tables, tmp_path):
    arguments = {"study": "quick", "claims": CLAIMS, "paper": tmp_path, "tables": tables}
    arguments |= {"experiments": EXPERIMENTS, "csv": tmp_path / "a.csv", "json": tmp_path / "a.json"}
    with pytest.raises(InputError, match="fig1a.csv does not exist.*git checkout"):
        script("check_claims").main([f"--{name}={value}" for name, value in arguments.items()])
    assert not (tmp_path / "a.csv").exists()


def test_check_claims_gives_the_same_bytes_again(tables, tmp_path):
    for copy in ("a", "b"):
        check(tables, tmp_path / copy)
    assert (tmp_path / "a/claims.csv").read_bytes() == (tmp_path / "b/claims.csv").read_bytes()


def test_check_claims_names_a_table_that_the_study_lacks(tables, tmp_path):
    both = json.dumps({"fig1a": "corruption", "fig2a": "elsewhere"})
    found, _ = check(tables, tmp_path, experiments=both)
    lacking = found[found["figure"] == "fig2a"]
    assert set(lacking["verdict"]) == {"not testable at this scale"}
    assert lacking["note"].str.contains("no table elsewhere/").all()
    assert (found.loc[found["figure"] == "fig1a", "verdict"] == "reproduced").any()


@pytest.mark.parametrize("experiments", ["fig1a", "[1]", '{"fig1a": 3}'])
def test_check_claims_refuses_experiments_that_are_no_mapping(tables, tmp_path, experiments):
    with pytest.raises(InputError, match="--experiments"):
        check(tables, tmp_path, experiments=experiments)


def test_a_bad_claims_file_ends_in_one_line_and_leaves_no_output(tables, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(CLAIMS.read_text().replace(",auc_trend,", ",auc_tend,"))
    command = [sys.executable, ROOT / "scripts/check_claims.py", "--study=quick", f"--claims={bad}"]
    command += [f"--tables={tables}", f"--experiments={EXPERIMENTS}"]
    command += [f"--csv={tmp_path}/out.csv", f"--json={tmp_path}/out.json"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        check=False,
    )
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: .*row 'fig1a_trend' \(line 4\): unknown statistic 'auc_tend'.*\n", done.stderr
    )
    assert not list(tmp_path.glob("out*"))


def test_show_claims_prints_a_table_that_fits_a_terminal(tables, tmp_path, capsys):
    path, found = checked(tables, tmp_path)
    script("show_claims").main([str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 110
    assert len(lines) <= 2 * len(found) + 3 * found["figure"].nunique() + 12
    assert "Figure A4a: MNIST, mlp 128x128, 60,000 images, 640 epochs" in lines
    row = found.set_index("id").loc["fig1a_trend"]
    number = f"{row['estimate']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    assert any(
        re.fullmatch(rf"  trend +< 0, -1 +{re.escape(number)} +{row['verdict']}", line) for line in lines
    )
    assert any(re.match(r"  area 0.2 +0.550 ± 0.010 ", line) for line in lines), "the paper's own error"
    assert any(re.match(r"  replication 0.2\* +0.343 ", line) for line in lines), "not the paper's"
    assert any(line.startswith("  poor predictor~ ") for line in lines), "from memory"
    assert lines[-2].startswith("* not the paper's")
    assert lines[-1].startswith("~ the paper's, from memory")


def test_show_claims_counts_the_paper_s_claims_and_those_of_others_apart(tables, tmp_path, capsys):
    path, found = checked(tables, tmp_path)
    script("show_claims").main([str(path)])
    shown = capsys.readouterr().out
    whose = found["certainty"].map({"replication": 1, "follow-up": 2}).fillna(0)
    assert re.search(r"^ +the paper +a replication\* +follow-ups\*$", shown, re.M)
    for verdict in VERDICTS:
        numbers = [((found["verdict"] == verdict) & (whose == source)).sum() for source in range(3)]
        assert re.search(rf"^  {verdict} +{' +'.join(map(str, numbers))}$", shown, re.M)


def test_show_claims_gives_the_whole_claim_of_a_figure_asked_for(tables, tmp_path, capsys):
    path, _ = checked(tables, tmp_path)
    script("show_claims").main([str(path), "--figure", "figA4a"])
    shown = capsys.readouterr().out
    together = " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 110
    assert "Mutual information with the class is a poor predictor" in together
    assert "direction (the paper, from memory): authors' replies in the public review" in together
    assert "Figure 1a" not in shown
    script("show_claims").main([str(path), "--figure", "fig7a"])
    together = " ".join(capsys.readouterr().out.split())
    assert "the impact of ablating a unit in the MNIST network is 0.095" in together
    assert "value (the paper, read from the figure): Figure 7a, printed with p = 0.288" in together
    with pytest.raises(InputError, match="no claim about 'fig9'.*fig1a, fig2a, fig7a, figA4a"):
        script("show_claims").main([str(path), "--figure", "fig9"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("certainty", "surely", "'surely' does not say whose"),
        ("kind", "curve", "'curve' is not a kind of claim"),
    ],
)
def test_show_claims_refuses_words_that_would_be_counted_wrongly(tables, tmp_path, column, value, message):
    path, found = checked(tables, tmp_path)
    found.assign(**{column: value}).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        script("show_claims").main([str(path)])


def test_show_claims_refuses_what_is_no_claims_table(tables, tmp_path):
    with pytest.raises(InputError, match="runs.csv is no claims table: give tables/claims.csv of a study"):
        script("show_claims").main([str(tables / "units" / "runs.csv")])
    with pytest.raises(InputError, match="there is no file .*claims.csv: give a study's claims table"):
        script("show_claims").main([str(tmp_path / "claims.csv")])
    (tmp_path / "binary.csv").write_bytes(b"\xff\x00")
    with pytest.raises(InputError, match="binary.csv is no claims table"):
        script("show_claims").main([str(tmp_path / "binary.csv")])


@pytest.mark.parametrize(("figure", "experiment"), json.loads(EXPERIMENTS).items())
def test_plot_figure_reads_the_registry_s_tables_and_nothing_else(tables, tmp_path, figure, experiment):
    from directions.study.catalogue import FIGURES

    alone = tmp_path / "alone"
    alone.mkdir()
    for name in FIGURES[figure]:
        (alone / f"{name}.csv").write_bytes((tables / experiment / f"{name}.csv").read_bytes())
    plot(alone, tmp_path, figure)
    plot(tables / experiment, tmp_path / "all", figure)
    for kind in ("pdf", "png"):
        assert (tmp_path / f"{figure}.{kind}").read_bytes() == (
            tmp_path / "all" / f"{figure}.{kind}"
        ).read_bytes()
    for name in FIGURES[figure]:
        (alone / f"{name}.csv").rename(tmp_path / "aside.csv")
        with pytest.raises(InputError, match=f"{name}.csv does not exist"):
            plot(alone, tmp_path / "never", figure)
        (tmp_path / "aside.csv").rename(alone / f"{name}.csv")
    assert not (tmp_path / "never").exists()


def test_plot_figure_names_table_and_column_and_leaves_no_file(tables, tmp_path):
    broken = tmp_path / "broken"
    for name in ("runs", "noise"):
        table = pd.read_csv(tables / "corruption" / f"{name}.csv")
        synthetic.write({name: table.drop(columns="accuracy", errors="ignore")}, broken)
    with pytest.raises(InputError, match="table 'noise' has no column 'accuracy'"):
        plot(broken, tmp_path / "out", "fig2a")
    assert not (tmp_path / "out").exists()
    (broken / "noise.csv").write_text("")
    with pytest.raises(InputError, match="noise.csv is not a readable CSV"):
        plot(broken, tmp_path / "out", "fig2a")


def test_plot_figure_logs_its_files_and_not_every_glyph(tables, tmp_path, caplog):
    with caplog.at_level("INFO"):
        plot(tables / "corruption", tmp_path, "fig2a")
    assert len(caplog.records) == 1
    assert "fig2a.pdf" in caplog.text


def test_plot_figure_draws_the_paper_s_curves_where_it_is_given_their_file(tables, tmp_path):
    folder, png = ROOT / "data/paper/figures", "fig2a.png"
    for name, options in (("alone", ()), ("both", (f"--paper={folder / 'fig2a.csv'}",))):
        plot(tables / "corruption", tmp_path / name, "fig2a", *options)
    assert (tmp_path / "alone" / png).read_bytes() != (tmp_path / "both" / png).read_bytes()
    with pytest.raises(InputError, match="fig2b.csv is for another panel than fig2a"):
        plot(tables / "corruption", tmp_path / "never", "fig2a", f"--paper={folder / 'fig2b.csv'}")
    assert not (tmp_path / "never").exists()


def test_plot_figure_knows_its_figures():
    with pytest.raises(InputError, match="unknown figure 'fig9z': known are fig1a"):
        plot(Path("."), Path("."), "fig9z")


@pytest.mark.parametrize("name", ["plot_figure", "check_claims", "show_claims"])
def test_help_says_what_a_script_is_for(name, capsys):
    with pytest.raises(SystemExit) as done:
        script(name).main(["--help"])
    assert done.value.code == 0
    assert script(name).__doc__.split(":")[0].split(",")[0] in " ".join(capsys.readouterr().out.split())
