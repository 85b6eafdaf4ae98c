"""The report of a study: one file with everything in it, no requests, and markup in tables shown as text."""

import base64
import io
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pythons
from checkouts import ROOT
from PIL import Image
from report_page import Page

from directions.claims.verdicts import VERDICTS
from directions.core import tables as table_files
from directions.report import pictures

QUICK = ROOT / "docs/results/quick"
MEASURED = "s\tmax_rss\n1.5\t100\n"


def write(results: Path, benchmarks: Path, output: Path):
    """Run the script on these files, whatever is in the checkout."""
    options = {"study": "quick", "results": results, "benchmarks": benchmarks}
    argv = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, ROOT / "tools/write_report.py", *argv, "--output", str(output)]
    return pythons.run(command, ROOT)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """The published tables and two figures of the quick study, with a claim that tries to be markup."""
    results = tmp_path_factory.mktemp("report") / "quick"
    shutil.copytree(QUICK / "tables", results / "tables")
    (results / "figures").mkdir()
    for file in ("fig1a.png", "fig1a.pdf", "figA1.png"):
        shutil.copyfile(QUICK / "figures" / file, results / "figures" / file)
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
    pictures = [source for source in page.sources if source != "data:,"]
    assert len(pictures) == 3, "two figures, and a small copy of one"
    assert all(source.startswith("data:image/webp;base64,") for source in pictures)
    within = {link for link in page.links if link.startswith("#")}
    assert set(page.links) - within - set(page.saved.values()) == {"https://arxiv.org/abs/1803.06959"}
    assert within <= {f"#{name}" for name in page.ids}
    assert {"#fig1a", "#figA1", "#tables"} <= within, "and a figure that was not drawn is no link"
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"url\(|@import|<link|fetch\(|import\(", text.split("<tbody>")[0] + text[-5000:])


def test_the_page_opens_with_the_main_findings_and_every_claim_comes_last_and_folded(text, study):
    opening = text[text.index("<body>") : text.index("<nav")]
    assert "<table" not in opening
    assert len(re.sub("<[^>]*>", "", opening).split()) < 200, "a few sentences"
    claims = table_files.csv(study / "tables/claims.csv").set_index("id")
    main = table_files.csv(ROOT / "data/paper/headlines.csv")["id"]
    theirs = claims.loc[main][claims.loc[main, "certainty"] != "follow-up"]
    assert f"<strong>{len(theirs)} main findings of the paper</strong>" in opening
    for verdict, number in theirs["verdict"].value_counts().items():
        assert f"{number} {verdict}" in opening
    findings = re.search(r'<ul class="findings">(.*?)</ul>', text, re.S)[1]
    assert findings.count("<li>") == len(main)
    row = claims.loc["fig2a_clean_above_corrupted"]
    assert f"{row['estimate']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" in findings
    places = ["findings", "figures", "claims", "tables"]
    assert [text.index(f'<section id="{place}">') for place in places] == sorted(
        text.index(f'<section id="{place}">') for place in places
    )
    assert (
        text.index('<details id="every">')
        < text.index('id="claims-table"')
        < text.index('</details>\n</section>\n<section id="tables">')
    )


def test_intervals_of_few_networks_are_called_too_narrow_at_the_top_and_where_they_stand(text, study):
    claims = table_files.csv(study / "tables/claims.csv")
    known = claims[claims["low"].notna()]
    few = {n: int((known["networks"] == n).sum()) for n in (2, 3)}
    said = f"{few[2]} of {len(known)} intervals rest on 2 networks per group, {few[3]} on 3: too narrow."
    opening = text[text.index("<body>") : text.index("<nav")]
    assert said in opening
    assert "read\n“reproduced” there as “true of every network that was trained”" in opening
    assert said in text[text.index('<section id="claims">') :]
    rows = dict(zip(claims["id"], Page(text).tables["Claims"][1:], strict=True))
    assert rows["fig1a_trend"][3][1].split("]")[1].startswith("n = 2: interval too narrow")
    assert "narrow" not in rows["fig4c_positive"][3][1], "24 networks"
    [figure] = re.findall(r'<figure id="fig1a">.*?</figure>', text, re.S)
    here = known[known["figure"] == "fig1a"]
    assert f"All {len(here)} intervals rest on 2 networks per group: too narrow." in figure


def test_a_picture_is_described_by_its_axes_its_curves_and_the_result(text, study):
    [fig1a, figA1] = [picture["alt"] for picture in Page(text).pictures if len(picture["alt"]) > 9]
    assert fig1a.startswith("Figure 1a: accuracy as units are ablated, by the share of labels corrupted.")
    assert "Training accuracy against number of units ablated (clamped to zero)." in fig1a
    assert re.search(r"Labels shuffled: area.*: 0.0 \(0 %\): 0\.\d+ ± 0\.\d+", fig1a)
    claims = table_files.csv(study / "tables/claims.csv").set_index("id")
    ours = claims.loc["fig1a_clean_above_corrupted"]
    said = f"Here {ours['estimate']:.3f} [{ours['low']:.3f}, {ours['high']:.3f}], n = 2: reproduced."
    assert fig1a.endswith(said)
    assert "Panel 2 of 2 (all fractions): area under the curve against fraction of labels corrupted." in figA1


def test_a_figure_can_be_saved_as_pdf_and_seen_large_from_the_keyboard(text, study):
    [(name, link)] = Page(text).saved.items()
    assert name == "quick-fig1a.pdf"
    content = base64.b64decode(link.removeprefix("data:application/pdf;base64,"))
    assert content == (study / "figures/fig1a.pdf").read_bytes()
    assert len(re.findall(r'<button type="button" class="plain zoom" hidden [^>]*>Enlarge', text)) == 2
    assert '<dialog id="large"' in text
    assert "large.showModal()" in text


def test_pictures_keep_their_colours_but_for_what_nobody_sees(study):
    path = study / "figures/fig1a.png"
    packed = pictures.picture(path)
    content = base64.b64decode(packed.source.partition(",")[2])
    with Image.open(path) as before, Image.open(io.BytesIO(content)) as after:
        assert (packed.width, packed.height) == before.size == after.size
        colours = [np.asarray(image.convert("RGB"), int) for image in (before, after)]
    assert np.abs(colours[0] - colours[1]).max() < 16


def test_every_claim_is_there_with_its_numbers_and_verdicts_are_counted(text, study):
    claims, page = table_files.csv(study / "tables/claims.csv"), Page(text)
    head, *rows = page.tables["Claims"]
    names = ["figure", "claim", "claimed", "ours", "verdict", "whose claim"]
    assert [word.strip() for _, word in head] == names
    assert [row[4][0] for row in rows] == list(claims["verdict"])
    keys = [float(row[3][0]) if row[3][0] else None for row in rows]
    assert keys == [None if pd.isna(value) else value for value in claims["estimate"]]
    others = {"replication": "a replication", "follow-up": "follow-ups"}
    whose = claims["certainty"].map(others).fillna("the paper")
    sources = ("the paper", *others.values())
    head, *rows = [[cell.strip() for _, cell in row] for row in page.tables["Claims counted"]]
    assert head == ["verdict", *sources]
    for verdict, row in zip(VERDICTS, rows[:-1], strict=True):
        here = claims["verdict"] == verdict
        assert row == [verdict, *(str((here & (whose == source)).sum()) for source in sources)]
        for source in sources:
            button = f'data-verdict="{verdict}" data-source="{source}"' + r' aria-label="\d+'
            assert bool(re.search(f"<button [^>]*{button}", text)) == bool((here & (whose == source)).any())
    assert rows[-1] == ["all", *(str((whose == source).sum()) for source in sources)]


def test_whose_a_claim_is_and_the_error_of_its_number_stand_in_its_row(text, study):
    claims = table_files.csv(study / "tables/claims.csv")
    rows = dict(zip(claims["id"], Page(text).tables["Claims"][1:], strict=True))
    sources = re.findall(r'<tr data-verdict="[^"]*" data-source="([^"]*)">', text)
    assert dict(zip(claims["id"], sources, strict=True))["fig3b_clusters"] == "follow-ups", "to filter by"
    assert rows["fig1a_trend"][5][1] == "the paper, read from the figure"
    assert rows["fig1a_replication_0.2"][5][1] == "a replication"
    assert rows["fig1a_replication_0.2"][2][1] == "value 0.343 ± 0.003"
    row = claims.set_index("id").loc["fig1a_replication_0.2"]
    ours = f"{row['estimate']:.3f} [{row['low']:.3f}, {row['high']:.3f}]n = 2: interval too narrow"
    distance = f"{row['estimate'] - 0.343:+.3f}".replace("-", "−")
    assert rows["fig1a_replication_0.2"][3][1] == f"{ours}distance {distance}"
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
