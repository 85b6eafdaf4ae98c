"""The documentation as a site: built strictly, a page per published figure, pages as GitHub shows them."""

import base64
import csv
import html
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml
from checkouts import ROOT
from markdown_it import MarkdownIt

PUBLISHED = ROOT / "docs/results"
DRAWN = sorted((path.parents[1].name, path.stem) for path in PUBLISHED.glob("*/figures/*.png"))
COUNTED = ("li", "ul", "ol", "pre", "table", "tr", "blockquote", "img", "h1", "h2", "h3", "em", "strong", "a")


class Page(HTMLParser):
    """What is in a page's article: how many of each tag, links, pictures, texts of table cells by row."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.links, self.pictures = dict.fromkeys(COUNTED, 0), [], []
        self.rows: list[list[str]] = []
        self.inside = self.cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.inside |= tag == "article"
        if not self.inside or given.get("class") == "headerlink" or "__codelineno" in (given.get("id") or ""):
            return
        if tag in self.tags:
            self.tags[tag] += 1
        if tag == "a":
            self.links.append(given.get("href"))
        if tag == "img":
            self.pictures.append(given["src"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.cell |= tag in ("td", "th")

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        self.inside &= tag != "article"
        self.cell &= tag not in ("td", "th")


@pytest.fixture(scope="module")
def site(once) -> Path:
    """The site, built as `make docs` does."""

    def build(folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--site-dir", folder],
            cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "WARNING" not in done.stdout + done.stderr

    return once("site", build)


@pytest.fixture
def tools(monkeypatch) -> Callable[[str], ModuleType]:
    """Imports a module of tools/site, which may import others there."""
    monkeypatch.syspath_prepend(str(ROOT / "tools/site"))
    return importlib.import_module


def article(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_each_published_figure_has_a_page_and_a_thumbnail_that_leads_there(site):
    gallery = article(site / "docs/figures/index.html")
    assert DRAWN
    assert sorted(gallery.links) == sorted(f"{figure}.html#{study}" for study, figure in DRAWN)
    assert sorted(gallery.pictures) == sorted(f"{study}/{figure}.webp" for study, figure in DRAWN)
    for study, figure in DRAWN:
        assert (site / f"docs/figures/{study}/{figure}.webp").read_bytes()[8:12] == b"WEBP"
        text = (site / f"docs/figures/{figure}.html").read_text()
        assert f'<h2 id="{study}">' in text
        assert (
            f"../results/{study}/figures/{figure}.png"
            in article(site / f"docs/figures/{figure}.html").pictures
        )


@pytest.mark.parametrize("figure", ["fig1a", "fig4c", "limit"])
def test_distances_and_verdicts_on_a_page_are_those_of_the_claims_tables(site, figure):
    rows = article(site / f"docs/figures/{figure}.html").rows
    [head] = [row for row in rows if row[0] == "claim"]
    shown = {
        row[0].partition(":")[0]: dict(zip(head, row, strict=True)) for row in rows if len(row) == len(head)
    }
    compared = 0
    for study in {study for study, drawn in DRAWN if drawn == figure}:
        with (PUBLISHED / study / "tables/claims.csv").open() as file:
            claims = [row for row in csv.DictReader(file) if row["figure"] == figure]
        assert claims
        for claim in claims:
            cell = shown[claim["id"].removeprefix(f"{figure}_")][study]
            assert cell.rpartition(": ")[2] == claim["verdict"]
            if claim["kind"] == "value" and claim["estimate"]:
                distance = float(claim["estimate"]) - float(claim["paper_value"])
                assert f"; distance {distance:+.3f}: " in cell
                compared += 1
            if claim["kind"] == "shape" and claim["estimate"]:
                assert cell.startswith(f"distance {float(claim['estimate']):.3f}")
    assert compared or figure == "limit"


def test_a_page_offers_the_tables_that_are_published_and_no_other(site):
    for study, figure in DRAWN:
        page = site / f"docs/figures/{figure}.html"
        links = [link for link in article(page).links if link.endswith(".csv")]
        assert f"../results/{study}/tables/claims.csv" in links
        assert any(re.fullmatch(rf"\.\./results/{study}/tables/\w+/runs\.csv", link) for link in links)
        for link in links:
            file = (page.parent / link).resolve()
            assert file.read_bytes() == (ROOT / file.relative_to(site)).read_bytes()


def test_commands_pull_only_studies_that_are_recorded(site):
    text = re.sub("<[^>]+>", "", (site / "docs/figures/fig1a.html").read_text())
    pulled = set(re.findall(r"make pull STUDY=(\w+) FIG=fig1a", text))
    recorded = {path.stem for path in (ROOT / "data/asked").glob("*.yaml")}
    assert pulled == recorded & {study for study, figure in DRAWN if figure == "fig1a"}
    assert set(re.findall(r"directions figure fig1a docs/results/(\w+)", text)) == {
        study for study, figure in DRAWN if figure == "fig1a"
    }


def test_a_notebook_is_a_page_with_its_texts_and_outputs(site):
    notebooks = sorted((ROOT / "examples").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        page = article(site / f"examples/{path.stem}.html")
        assert f"examples/{path.stem}.html" in article(site / "index.html").links
        assert (site / "examples" / path.name).read_bytes() == path.read_bytes()
        assert path.name in page.links
        outputs = [o for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", [])]
        said = html.unescape(re.sub("<[^>]+>", "", (site / f"examples/{path.stem}.html").read_text()))
        drawn = [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
        made = [name for name in page.pictures if "/" not in name]
        assert [(site / "examples" / name).read_bytes() for name in made] == [*map(base64.b64decode, drawn)]
        texts = [o.text for o in outputs if o.output_type == "stream"]
        assert texts
        assert [text for text in texts if text.strip() not in said] == []


PAGES = [
    *(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md")),
    *map(Path, ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "data/paper/README.md")),
]


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_has_the_lists_tables_and_code_that_github_shows(site, path):
    made = path.with_name("index.html") if path.stem == "README" else path.with_suffix(".html")
    markdown = MarkdownIt("commonmark").enable("table").render((ROOT / path).read_text(encoding="utf-8"))
    assert article(site / made).tags == Page(f"<article>{markdown}</article>").tags


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("missing.md", "is not found"),
        ("index.md#nowhere", "no such anchor"),
        ("a/folder", "unrecognized"),
        ("#here", ""),
    ],
)
def test_a_broken_link_is_an_error(tmp_path, link, wrong):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"# Here\n\n[words]({link})\n")
    own = {"hooks": [], "plugins": [], "extra_css": [], "watch": [], "theme": {"name": "mkdocs"}}
    own |= {"INHERIT": str(ROOT / "mkdocs.yml"), "nav": [{"Home": "index.md"}]}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(own | {"docs_dir": str(tmp_path / "docs")}))
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", tmp_path / "site"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == (1 if wrong else 0)
    assert (wrong or "Documentation built") in done.stderr


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=[\"']?(\w+:)?//", text)
        fetched += re.findall(
            r"<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|icon)[^>]*href=[\"']?https?:", text
        )
        assert not fetched, page


def test_python_has_what_users_import(site):
    names = set(re.findall(r'id="directions\.([\w.]+)"', (site / "docs/API.html").read_text()))
    assert {"analyse", "show_layers", "result.Analysis.compare"} <= names
    assert {"analyses.network.Trained.examples", "data.specs.Known", "study.settings.one_of"} <= names
    examples = (site / "docs/API.html").read_text().count("&gt;&gt;&gt;")
    assert examples


@pytest.mark.parametrize(
    ("github", "python"),
    [
        ("- a\n  b\n\n  c\n", "- a\n    b\n\n    c\n"),
        ("text\n- a\n- b\n", "text\n\n- a\n- b\n"),
        ("1. a\n\n   ```\n   x\n     y\n   ```\n2. b\n", "1. a\n\n    ```\n    x\n      y\n    ```\n2. b\n"),
        ("- a\n  - b\n    c\n\nend\n", "- a\n    - b\n        c\n\nend\n"),
        ("```\n- a\n  b\n```\n", "```\n- a\n  b\n```\n"),
        ("- a\n\n  | x |\n  |---|\n- b\n", "- a\n\n    | x |\n    |---|\n\n- b\n"),
    ],
)
def test_lists_are_indented_for_python_markdown(tools, github, python):
    assert tools("github_markdown").widened(github) == python


def test_links_to_folders_become_text_and_to_notebooks_lead_to_their_pages(tools):
    page = type("Page", (), {"file": type("File", (), {"abs_src_path": "/x", "src_uri": "docs/A.md"})})
    text = (
        "[a](../configs) [b](../configs/paper.yaml) [c](https://d.org) [e](B.md#f) [g](../examples/h.ipynb)\n"
    )
    hook = tools("site_hook").on_page_markdown(text, page)
    assert hook == "a [b](../configs/paper.yaml) [c](https://d.org) [e](B.md#f) [g](../examples/h.md)\n"


def test_files_of_the_repository_are_found_from_any_page(tools):
    links = tools("site_hook").links
    assert links("docs/A.md", "[a](../data/x.csv) [b](B.md#c) [d](https://e.org)") == [
        "data/x.csv",
        "docs/B.md",
    ]
