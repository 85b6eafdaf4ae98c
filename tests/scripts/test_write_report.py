"""The report of a study: one file with everything in it, no requests, and markup in tables shown as text."""

import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import pythons
from checkouts import ROOT

from directions.claims.verdicts import VERDICTS
from directions.core import tables as table_files
from directions.study.catalogue import FIGURES
from directions.study.paper_curves import COLUMNS as PAPER_PANELS

QUICK = ROOT / "docs/results/quick"
MEASURED = "s\tmax_rss\n1.5\t100\n"


def write(results: Path, benchmarks: Path, output: Path, captions: Path = ROOT / "report"):
    """Run the script as `make report` does."""
    options = {"study": "quick", "results": results, "benchmarks": benchmarks, "captions": captions}
    argv = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, ROOT / "tools/write_report.py", *argv, "--output", str(output)]
    return pythons.run(command, ROOT)


class Page(HTMLParser):
    """What a page refers to, and the cells of its tables by their names."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.sources, self.ids, self.tables, self.cell = [], [], [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += filter(None, [values.get("id")])
        self.links += filter(None, [values.get("href")])
        self.sources += filter(None, [values.get("src")])
        if tag == "table" and "aria-label" in values:
            self.rows = self.tables.setdefault(values["aria-label"], [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append((values.get("data-key"), ""))
            self.cell = self.rows[-1]

    def handle_data(self, data):
        if self.cell is not None:
            key, text = self.cell[-1]
            self.cell[-1] = (key, text + data)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """The published tables and two figures of the quick study, with a claim that tries to be markup."""
    results = tmp_path_factory.mktemp("report") / "quick"
    shutil.copytree(QUICK / "tables", results / "tables")
    (results / "figures").mkdir()
    for figure in ("fig1a", "figA1"):
        shutil.copyfile(QUICK / f"figures/{figure}.png", results / f"figures/{figure}.png")
    claims = table_files.csv(results / "tables/claims.csv")
    claims.loc[0, "claim"] = "<script>alert('claim')</script>"
    claims["kind"] = claims["paper_value"].isna().map({True: "direction", False: "value"})
    claims["paper_error"] = claims["paper_value"] / 100
    claims.loc[claims["figure"] == "fig1a", "certainty"] = "read from the figure"
    claims.loc[claims["id"].str.startswith("fig1a_replication"), "certainty"] = "replication"
    claims.to_csv(results / "tables/claims.csv", index=False)
    return results


@pytest.fixture(scope="module")
def text(study) -> str:
    """The page."""
    benchmarks = study.parent / "benchmarks"
    (benchmarks / "models/some").mkdir(parents=True)
    (benchmarks / "models/some/run.tsv").write_text(MEASURED)
    done = write(study, benchmarks, study / "report.html")
    assert done.returncode == 0, done.stderr
    return (study / "report.html").read_text("utf-8")


def test_nothing_is_asked_of_the_network_and_all_links_within_lead_somewhere(text):
    page = Page(text)
    assert len(page.sources) == 2
    assert all(source.startswith("data:image/webp;base64,") for source in page.sources)
    within = {link for link in page.links if link.startswith("#")}
    assert set(page.links) - within == {"https://arxiv.org/abs/1803.06959"}
    assert within <= {f"#{name}" for name in page.ids}
    assert {"#fig1a", "#figA1", "#tables"} <= within, "and a figure that was not drawn is no link"


def test_every_claim_is_there_with_its_numbers_and_verdicts_are_counted(text, study):
    claims, page = table_files.csv(study / "tables/claims.csv"), Page(text)
    head, *rows = page.tables["Claims"]
    assert [word.strip() for _, word in head] == [
        "figure",
        "claim",
        "claimed",
        "ours",
        "verdict",
        "whose claim",
    ]
    assert [row[4][0] for row in rows] == list(claims["verdict"])
    keys = [float(row[3][0]) if row[3][0] else None for row in rows]
    assert keys == [None if pd.isna(value) else value for value in claims["estimate"]]
    others = {"replication": "a replication", "follow-up": "follow-ups"}
    whose = claims["certainty"].map(others).fillna("the paper")
    for source in ("the paper", *others.values()):
        for verdict in VERDICTS:
            number = ((claims["verdict"] == verdict) & (whose == source)).sum()
            tile = rf'data-source="{source}"[^>]*><strong>{number}</strong>{verdict}</button>'
            assert bool(re.search(tile, text)) == bool(number or source == "the paper")
        assert f'<h2 class="tiles-of">{(whose == source).sum()} claims of {source}</h2>' in text


def test_whose_a_claim_is_and_the_error_of_its_number_stand_in_its_row(text, study):
    claims = table_files.csv(study / "tables/claims.csv")
    rows = dict(zip(claims["id"], Page(text).tables["Claims"][1:], strict=True))
    sources = re.findall(r'<tr data-verdict="[^"]*" data-source="([^"]*)">', text)
    assert dict(zip(claims["id"], sources, strict=True))["fig3b_clusters"] == "follow-ups", "to filter by"
    assert rows["fig1a_trend"][5][1] == "the paper, read from the figure"
    assert rows["fig1a_replication_0.2"][5][1] == "a replication"
    assert rows["fig1a_replication_0.2"][2][1] == "value 0.343 ± 0.003"
    row = claims.set_index("id").loc["fig1a_replication_0.2"]
    ours = f"{row['estimate']:.3f} [{row['low']:.3f}, {row['high']:.3f}], n = 2"
    assert rows["fig1a_replication_0.2"][3][1] == f"{ours}distance {row['estimate'] - 0.343:+.3f}"
    assert rows["fig4c_top1"][5][1] == "the paper, from memory"
    assert rows["figA2a_rises_with_depth"][5][1] == "the paper, verified"
    assert rows["fig3b_clusters"][5][1] == "follow-ups"


def test_figures_name_whose_claims_are_not_the_paper_s_or_from_memory(text):
    [figure] = re.findall(r'<figure id="fig1a">.*?</figure>', text, re.S)
    items = re.findall(r"<li>.*?</li>", figure, re.S)
    assert sum("(a replication)" in item for item in items) == 6
    assert len(items) == 22
    assert not any("memory" in item for item in items)
    [figure] = re.findall(r'<figure id="figA1">.*?</figure>', text, re.S)
    assert "(the paper, from memory, and another source agrees)" in figure


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_colour_behind_its_white_letters_and_is_explained(text, verdict):
    assert f".{verdict.replace(' ', '-')} {{ --tone: #" in text
    [meanings] = re.findall(r"What the verdicts mean</summary>(.*?)</details>", text, re.S)
    assert f"<em>{verdict}</em>" in meanings


def test_markup_in_a_table_is_shown_not_run(text):
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_tables_say_once_what_all_rows_share_and_keep_full_numbers_for_sorting(text, study):
    page = Page(text)
    head, *rows = page.tables["mnist_corruption: areas"]
    areas = table_files.csv(study / "tables/mnist_corruption/areas.csv")
    place = [word.strip() for _, word in head].index("auc")
    assert [float(row[place][0]) for row in rows] == list(areas["auc"])
    assert "clamp" not in [word.strip() for _, word in head]
    assert "clamp zero" in text
    assert "mnist_corruption: ablation" not in page.tables, "too long to show"
    assert "ablation: 3,960 rows in tables/mnist_corruption/ablation.csv" in text


def test_run_times_versions_and_commit_are_named(text):
    page = Page(text)
    assert [cell.strip() for _, cell in page.tables["Run times"][1]] == ["models", "1", "1.5", "1.5", "100"]
    for name in ("torch", "snakemake", "dvc", "commit"):
        assert f"<dt>{name}</dt>" in text


def test_a_study_that_was_pulled_has_no_run_times_and_says_so(study):
    done = write(study, study / "absent", study / "pulled.html")
    assert done.returncode == 0, done.stderr
    assert "the products were pulled" in (study / "pulled.html").read_text("utf-8")


def test_an_unfinished_study_is_refused_and_nothing_is_written(tmp_path):
    done = write(tmp_path, tmp_path, tmp_path / "report.html")
    assert done.returncode == 2, done.stderr
    assert "study=quick -- all" in done.stderr
    assert not (tmp_path / "report.html").exists()


def words(figure: str) -> str:
    """The caption of a figure, on one line."""
    return " ".join((ROOT / f"report/{figure}.rst").read_text("utf-8").split())


@pytest.mark.parametrize("figure", FIGURES)
def test_captions_say_where_the_paper_s_own_curves_are_drawn(figure):
    assert ("read from its printed figure" in words(figure)) == (figure in PAPER_PANELS)


def test_captions_of_areas_and_of_correlations_per_layer_follow_the_paper_s_figures():
    for figure in ("fig3b", "fig4b", "fig4c"):
        assert "divided by the largest" in words(figure)
    assert "those of the MLP in its Figure 4a" in words("fig4b")
    assert "least-squares line" not in words("fig7c")
    assert "from memory" in words("fig4c")
