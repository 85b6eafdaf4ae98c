"""The page of results: what it shows of claims tables, and how it refuses what is none."""

import importlib.util
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from checkouts import ROOT

from directions.claims.verdicts import VERDICTS
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.figures.replication import draw
from directions.study.tables import CLAIMS

HEADLINES = "id,finding,quantity\nfig2a_more,More of it,sum\nfig4c_top1,Best,share\n"
COLUMNS = list(dict.fromkeys([*CLAIMS.names, "kind", "paper_error"]))
MLP = "MNIST, mlp 128x128, 3,000 images, 120 epochs"


def run(script: str, *argv: str) -> None:
    spec = importlib.util.spec_from_file_location(script, ROOT / f"tools/{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(argument) for argument in argv])


def row(name: str, figure: str, **values) -> dict:
    made = dict.fromkeys(COLUMNS) | {"id": name, "figure": figure, "claim": f"Sentence of {name}."}
    made |= {"experiment": "some", "statistic": "some", "tested_on": MLP}
    made |= {"kind": "direction", "direction": "above", "bound": 0.0}
    return made | {"verdict": "reproduced", "certainty": "verified", "origin": "abstract"} | values


@pytest.fixture
def results(tmp_path) -> Path:
    """A finished study `small`, and `large`, which has one figure only."""
    untestable = "not testable at this scale"
    small = [
        row("figA4a_gain", "figA4a", estimate=-0.2, low=-0.3, high=0.1,
            verdict="not reproduced", note="a note", certainty="follow-up"),
        row("fig4c_top1", "fig4c", kind="value", direction="equal", bound=None, paper_value=0.13,
            tested_on=None, verdict=untestable, note="no table", certainty="remembered"),
        row("fig2a_more", "fig2a", estimate=0.25, low=0.2, high=0.3, networks=3),
        row("fig2a_size", "fig2a", kind="value", estimate=0.5, direction="below", bound=0.3,
            paper_value=0.095, paper_error=0.0062, claim="|rho| is small.", certainty="read from the figure",
            verdict=untestable, note="of one cause"),
        row("fig2a_both", "fig2a", estimate=0.5, verdict=untestable, note="of one cause",
            certainty="replication"),
        row("fig2a_scaled", "fig2a", estimate=0.5, verdict=untestable, note="of one cause",
            certainty="inferred"),
        row("fig2a_lacking", "fig2a", kind="shape", direction="below", bound=0.05, verdict=untestable,
            certainty="read from the figure", statistic="curve_mean"),
        row("fig2a_curves", "fig2a", kind="shape", direction="below", bound=0.05, estimate=0.02, low=0.01,
            high=0.03, certainty="read from the figure", statistic="curve_mean"),
        row("fig2a_farthest", "fig2a", kind="shape", direction="below", bound=0.1, estimate=0.125,
            verdict="not reproduced", certainty="read from the figure", statistic="curve_largest"),
    ]  # fmt: skip
    large = [row("fig2a_more", "fig2a", estimate=0.125, low=0.1, high=0.2, tested_on="all of MNIST")]
    for study, rows in {"small": small, "large": large}.items():
        (tmp_path / "results" / study / "tables/some").mkdir(parents=True)
        (tmp_path / "results" / study / "figures").mkdir()
        table = pd.DataFrame(rows, columns=COLUMNS)
        table.to_csv(tmp_path / "results" / study / "tables/claims.csv", index=False)
        (tmp_path / "results" / study / "tables/some/areas.csv").write_text("run,auc\n")
        (tmp_path / "results" / study / "figures/fig2a.png").write_bytes(study.encode())
        (tmp_path / "results" / study / "figures/fig2a.pdf").write_bytes(b"too large")
    return tmp_path / "results"


def write(published: Path, output: Path, headlines: str = HEADLINES) -> Path:
    """Run write_results on `published`; returns the page with the summary, beside `output`."""
    (output.parent / "headlines.csv").write_text(headlines)
    summary = output.parent / "README.md"
    if not summary.exists():
        marks = "<!-- written by make results -->\nold\n<!-- end of what make results writes -->"
        summary.write_text(f"before\n{marks}\nafter\n")
    options = ("--headlines", output.parent / "headlines.csv", "--summary", summary)
    run("write_results", "--published", published, "--output", output, *options)
    return summary


@pytest.fixture
def page(results, tmp_path) -> str:
    """The page of both studies."""
    published = tmp_path / "docs/results"
    run("publish_studies", "--results", results, "--published", published, "small", "large")
    write(published, tmp_path / "docs/RESULTS.md")
    return (tmp_path / "docs/RESULTS.md").read_text(encoding="utf-8")


def test_the_page_has_a_section_per_figure_and_a_row_per_claim_with_all_studies(page):
    lines = page.splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## Verdicts", "## Distance to the paper's curves", "## Figure 2a", "## Figure 4c", "## Figure A4a"
    ]  # fmt: skip
    untestable, read = "not testable at this scale", "the paper, read from the figure"
    assert [line for line in lines if line.startswith("| `")] == [
        "| `more`: Sentence of fig2a_more. | direction > 0 | 0.125 [0.100, 0.200]: reproduced"
        " | 0.250 [0.200, 0.300], n = 3: reproduced | the paper, verified |",
        "| `size`: \\|rho\\| is small. | value < 0.3, 0.095 ± 0.006 | -"
        f" | 0.500; distance +0.405: {untestable} | {read} |",
        f"| `both`: Sentence of fig2a_both. | direction > 0 | - | 0.500: {untestable} | a replication |",
        f"| `scaled`: Sentence of fig2a_scaled. | direction > 0 | - | 0.500: {untestable}"
        " | the paper, by our inference |",
        f"| `lacking`: Sentence of fig2a_lacking. | shape < 0.05 | - | {untestable} | {read} |",
        "| `curves`: Sentence of fig2a_curves. | shape < 0.05 | -"
        f" | distance 0.020 [0.010, 0.030]: reproduced | {read} |",
        "| `farthest`: Sentence of fig2a_farthest. | shape < 0.1 | -"
        f" | distance 0.125: not reproduced | {read} |",
        f"| `top1`: Sentence of fig4c_top1. | value 0.13 | {untestable} | the paper, from memory |",
        "| `gain`: Sentence of figA4a_gain. | direction > 0 | -0.200 [-0.300, 0.100]: not reproduced"
        " | follow-ups |",
    ]
    assert [line for line in lines if line.startswith("- small")] == [
        "- small, `size`, `both`, `scaled`: of one cause",
        "- small, `top1`: no table", "- small, `gain`: a note"
    ]  # fmt: skip


def test_the_page_shows_each_panel_and_what_it_was_tested_on(page):
    figure = page.split("## Figure 2a")[1].split("## ")[0]
    links = "| {} |".format(
        " | ".join(f"![fig2a, {s}](results/{s}/figures/fig2a.png)" for s in ("large", "small"))
    )
    assert f"| large | small |\n|---|---|\n{links}\n| all of MNIST | {MLP} |\n" in figure
    assert "| small |\n|---|\n| not drawn |\n| no tables for it |" in page, "large has no Figure 4c"


def blocks(text: str) -> dict[str, list[str]]:
    """The tables of a page by the first cell of their heads, as lines without head."""
    found = re.findall(r"^\| (.+?) \| .+\n\|[-|]+\n((?:\|.*\n)*)", text, re.M)
    return {name: rows.splitlines() for name, rows in found}


def test_the_page_counts_the_paper_s_claims_and_those_of_others_apart(page):
    found = blocks(page.split("## Figure")[0])
    counts = {  # per study: all, then of each verdict
        "the paper": ("| all | 1 | 7 |", [(1, 2), (0, 0), (0, 1), (0, 0), (0, 4)]),
        "a replication": ("| all | 0 | 1 |", [(0, 0), (0, 0), (0, 0), (0, 0), (0, 1)]),
        "follow-ups": ("| all | 0 | 1 |", [(0, 0), (0, 0), (0, 1), (0, 0), (0, 0)]),
    }
    for source, (every, numbers) in counts.items():
        rows = [f"| {name} | {a} | {b} |" for name, (a, b) in zip(VERDICTS, numbers, strict=True)]
        assert found[source] == [*rows, every]
    assert found["the paper's, by kind"] == [
        "| direction | 1 reproduced | 1 reproduced, 1 not testable at this scale |",
        "| value | - | 2 not testable at this scale |",
        "| shape | - | 1 reproduced, 1 not reproduced, 1 not testable at this scale |",
    ]


def test_the_page_says_whose_the_claims_are_and_which_are_from_memory(page):
    top = " ".join(page.split("## Verdicts")[0].split())
    assert "Of the 9 claims tested here 7 are the paper's, 1 a replication's, 1 follow-up work's." in top
    assert (
        "Of the paper's, 4 are read from its printed figures (2a), 1 from its abstract or its public review,"
        " 1 by an inference of ours, 1 from memory. From memory are claims about Figure 4c, each marked so"
        in top
    )
    for source in ("generated", "`make results`", "`tools/write_results.py`"):
        assert source in top


def test_the_page_says_how_far_each_panel_is_from_the_paper_s_curves(page):
    found = blocks(page.split("## Figure")[0])
    assert found["figure"] == ["| 2a | - | - | 0.020 (1 of 2) | 0.125 |"]
    assert "| figure | large: mean | large: largest | small: mean | small: largest |" in page


def test_without_a_shape_there_is_no_table_of_distances(results, tmp_path):
    shutil.rmtree(results / "small")
    write(results, tmp_path / "RESULTS.md", "id,finding,quantity\nfig2a_more,More of it,sum")
    assert "Distance to the paper" not in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")


def test_tables_and_figures_are_published_and_what_was_there_before_is_gone(page, results, tmp_path):
    published = tmp_path / "docs/results"
    (results / "small/tables/some/areas.csv").unlink()
    run("publish_studies", "--results", results, "--published", published, "small")
    found = {str(path.relative_to(published)) for path in published.rglob("*") if path.is_file()}
    assert found == {
        "small/tables/claims.csv", "small/figures/fig2a.png", "small/figures/fig2a.pdf",
        "large/tables/claims.csv", "large/tables/some/areas.csv", "large/figures/fig2a.png",
        "large/figures/fig2a.pdf",
    }  # fmt: skip


def test_figures_for_the_readme_are_drawn_of_the_tables_of_their_claims(results, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # where config.yaml and the paper's curves lie
    published, some = tmp_path / "docs/results", results / "small/tables/some"
    options = ("--results", results, "--published", published, "--readme", "fig1a,fig2a", "small")
    with pytest.raises(InputError, match="some/runs.csv does not exist"):
        run("publish_studies", *options)
    for name in ("runs", "noise"):
        shutil.copyfile(ROOT / f"docs/results/quick/tables/mnist_corruption/{name}.csv", some / f"{name}.csv")
    run("publish_studies", *options)
    drawn = published / "small/figures/readme"
    assert [path.name for path in drawn.iterdir()] == ["fig2a.png"]  # the study has no Figure 1a
    first = (drawn / "fig2a.png").read_bytes()
    assert len(first) > 20_000
    run("publish_studies", *options)
    assert (drawn / "fig2a.png").read_bytes() == first
    with pytest.raises(InputError, match="unknown figure 'fig2z': known are fig1a"):
        run("publish_studies", *options[:-2], "fig2z", "small")


def test_an_unfinished_study_is_refused_before_anything_is_replaced(page, results, tmp_path):
    (results / "large/tables/claims.csv").unlink()
    options = ("--results", results, "--published", tmp_path / "docs/results")
    with pytest.raises(InputError, match="study=large -- all"):
        run("publish_studies", *options, "small", "large")
    assert (tmp_path / "docs/results/large/tables/claims.csv").exists()


def test_what_is_no_claims_table_is_refused_and_leaves_the_page_as_it_was(page, tmp_path):
    published, output = tmp_path / "docs/results", tmp_path / "docs/RESULTS.md"
    (published / "small/tables/claims.csv").write_text("run,auc\na,0.5\n")
    for folder in (published, tmp_path / "absent"):
        with pytest.raises(InputError):
            write(folder, output)
    assert output.read_text() == page


def replication(folder: Path, source: Path = ROOT / "data/paper/replication_fig1a_mnist.csv") -> Path:
    """`folder` of published studies, with the picture drawn."""
    pdf, png = folder / "replication.pdf", folder / "replication.png"
    run("draw_replication", "--published", folder, "--replication", source, "--pdf", pdf, "--png", png)
    return png


def test_a_replications_curves_are_drawn_beside_figure_1a_of_each_study_and_shown_below_it(tmp_path):
    published = tmp_path / "docs/results"
    for study in ("one", "other"):
        shutil.copytree(ROOT / "docs/results/quick/tables", published / study / "tables")
        claims = pd.DataFrame([row("fig1a_trend", "fig1a"), row("fig1b_trend", "fig1b")], columns=COLUMNS)
        claims.to_csv(published / study / "tables/claims.csv", index=False)
    assert replication(published).stat().st_size > 50_000
    write(published, tmp_path / "docs/RESULTS.md", "id,finding,quantity\nfig1a_trend,Trend,rho")
    page = (tmp_path / "docs/RESULTS.md").read_text(encoding="utf-8")
    assert page.count("](results/replication.png)") == 1
    assert page.index("](results/replication.png)") < page.index("## Figure 1b")


def test_areas_in_the_legend_are_those_of_the_tables_and_of_the_claims(tmp_path):
    columns = "fraction_corrupted", "units_ablated", "mean_accuracy"
    theirs = pd.read_csv(ROOT / "data/paper/replication_fig1a_mnist.csv")[list(columns)]
    claims = pd.read_csv(ROOT / "data/paper/claims.csv")
    claims = claims[claims["id"].str.startswith("fig1a_replication")]
    tables = table_files.read(
        ROOT / "docs/results/quick/tables/mnist_corruption", ["runs", "ablation", "areas"]
    )
    (legend,) = draw({"some": tables}, theirs).legends
    areas = tables["areas"].merge(tables["runs"][["run", "corrupt"]])
    ours = areas[areas["clamp"] == "zero"].groupby("corrupt")["auc"].mean()
    assert [text.get_text() for text in legend.get_texts()] == [
        f"{fraction}: some {ours[float(fraction)]:.3f}, replication {value:.3f}"
        for fraction, value in zip(claims["id"].str.split("_").str[-1], claims["paper_value"], strict=True)
    ]


@pytest.mark.parametrize(
    ("column", "value"), [("dataset", "fashion_mnist"), ("hidden", None), ("corrupt", 0.3)]
)
def test_a_study_that_is_not_like_the_replication_is_left_out(column, value, tmp_path):
    published = tmp_path / "docs/results"
    shutil.copytree(ROOT / "docs/results/quick/tables", published / "one/tables")
    runs = published / "one/tables/mnist_corruption/runs.csv"
    table = pd.read_csv(runs)
    table.loc[(table["corrupt"] == 0.4) | (column == "hidden"), column] = value
    table.to_csv(runs, index=False)
    with pytest.raises(
        InputError, match="no study of mnist_corruption comparable to the replication.*make results"
    ):
        replication(published)
    assert not list(published.glob("replication*"))
    shutil.copytree(ROOT / "docs/results/quick/tables", published / "two/tables")
    replication(published)
    assert (published / "replication.png").is_file()


def test_main_findings_go_between_the_marks_of_the_summary_and_nothing_else_changes(page, tmp_path):
    text = (tmp_path / "docs/README.md").read_text(encoding="utf-8")
    head, rest = text.split("Of the 9 claims tested here")
    assert head == (
        "before\n<!-- written by make results -->\n"
        "| the paper's finding | figure | claimed | large | small |\n|---|---|---|---|---|\n"
        "| More of it | 2a | sum > 0 | 0.125 [0.100, 0.200]: reproduced"
        " | 0.250 [0.200, 0.300], n = 3: reproduced |\n"
        "| Best | 4c | share 0.13 (from memory) | - | not testable at this scale |\n"
        "\n| claims of | large | small |\n|---|---|---|\n"
        "| the paper | 1 reproduced"
        " | 2 reproduced, 1 not reproduced, 4 not testable at this scale |\n"
        "| a replication | - | 1 not testable at this scale |\n"
        "| follow-ups | - | 1 not reproduced |\n\n"
    )
    assert rest.endswith("<!-- end of what make results writes -->\nafter\n")
    assert rest.startswith(" 7 are the paper's")


def test_a_finding_that_is_no_claim_and_a_summary_without_marks_are_refused(page, tmp_path):
    published, output = tmp_path / "docs/results", tmp_path / "docs/RESULTS.md"
    with pytest.raises(InputError, match="fig9_none"):
        write(published, output, "id,finding,quantity\nfig9_none,Of no figure,rho")
    (tmp_path / "docs/README.md").write_text("no marks")
    with pytest.raises(InputError, match="README.md must have the lines"):
        write(published, output)
    assert output.read_text() == page


def test_the_committed_pages_are_those_of_the_committed_tables(tmp_path):
    written, summary = tmp_path / "docs/RESULTS.md", tmp_path / "docs/README.md"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/results").symlink_to(ROOT / "docs/results")
    shutil.copyfile(ROOT / "README.md", summary)
    write(tmp_path / "docs/results", written, (ROOT / "data/paper/headlines.csv").read_text())
    found = written.read_text().replace(str(tmp_path / "docs"), "docs")
    advice = "make results was not run after the last change"
    assert found == (ROOT / "docs/RESULTS.md").read_text(), advice
    assert summary.read_text() == (ROOT / "README.md").read_text(), advice
