"""MkDocs' hook: the site has the repository's own paths, so that links that work on GitHub work there, too.

Beside the pages named in mkdocs.yml, it has the files of the repository that they link to.
"""

import ast
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # gallery needs write_results, a tool

import gallery
import notebook_pages
from github_markdown import widened
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from directions.core.errors import InputError

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")  # and those in docs/
STYLE = "docs/site.css"
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(?:#[^)\s]*)?\)")

API = """\
# Python

What `from directions import ...` offers. [Extending](EXTENDING.md#from-python) shows how it is used.
"""
OF_FILES = """\
## In files of your own

What data sets, models and analyses of yours import and get ([Extending](EXTENDING.md)).
"""
USED = {  # module: what users take from it, as docs/EXTENDING.md says
    "directions.analyses.network": ("Trained",),
    "directions.analyses.selectivity": ("unit_activity",),
    "directions.core.tables": ("require",),
    "directions.data.dataset": ("Dataset",),
    "directions.data.specs": ("Known", "Raw", "RawFile", "Request"),
    "directions.data.sources": ("fetch",),
    "directions.study.analysis_spec": ("AnalysisSpec", "split_setting"),
    "directions.study.settings": ("setting", "number", "whole", "whole_or_all", "one_of", "or_null"),
}


def on_config(config: MkDocsConfig) -> None:
    """Add a page per published figure, and per notebook, to the navigation."""
    [entry] = [entry for entry in config.nav if "Figures" in entry]
    [guide] = [entry["Guide"] for entry in config.nav if "Guide" in entry]
    guide.append(
        {"Notebooks": [str(notebook_pages.EXAMPLES / f"{name}.md") for name in notebook_pages.names()]}
    )
    for group, figures in gallery.grouped().items():
        entry["Figures"].append({group: [f"{gallery.PAGES}/{figure}.md" for figure in figures]})


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take files from the whole repository, under their paths there, and add pages of our own."""
    try:
        made = gallery.pages() | notebook_pages.pages()
        made |= {"docs/API.md": api(), STYLE: Path("tools/site/site.css").read_text("utf-8")}
    except InputError as error:
        raise PluginError(str(error)) from error
    kept = [file for file in files if file.src_dir != config.docs_dir]  # the theme's
    found = Files([*kept, *(File.generated(config, path, content=made[path]) for path in made)])
    for path in sorted(from_repository(made)):
        found.append(File.generated(config, path, abs_src_path=str(Path(path).resolve())))
    return found


def from_repository(made: Mapping[str, str | bytes]) -> set[str]:
    """Return all pages that the repository has, and all its files that they or the pages `made` link to."""
    waiting = [*PAGES, *map(str, Path("docs").glob("*.md"))]
    for path, text in made.items():
        waiting += links(path, str(text)) if path.endswith(".md") else []
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path not in made and Path(path).is_file():
            found.add(path)
            waiting += links(path, Path(path).read_text("utf-8")) if path.endswith(".md") else []
    return found


def links(path: str, text: str) -> list[str]:
    """List what a page links to, as paths from the root of the repository."""
    return [from_root(path, link) for _, link in _LINK.findall(text) if "://" not in link]


def from_root(path: str, link: str) -> str:
    """Return the path of what a page links to, from the root of the repository."""
    return os.path.normpath(Path(path).parent / link)


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Read pages as GitHub does, but for links to what only GitHub shows."""
    known = _LINK.sub(lambda link: shown_here(page.file.src_uri, link), markdown)
    return widened(known) if page.file.abs_src_path else known


def shown_here(path: str, link: re.Match[str]) -> str:
    """Return a link as the site has it: to a notebook's page, unless from there; of a folder, its text."""
    target = Path(from_root(path, link[2]))
    if target.is_dir():
        return link[1]
    own = target == Path(path).with_suffix(".ipynb")
    return link[0] if own else re.sub(r"\.ipynb\)$", ".md)", link[0])


def api() -> str:
    """Write the page of what users import: directives for mkdocstrings."""
    stub = ast.parse(Path("src/directions/__init__.pyi").read_text("utf-8"))
    nodes = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    public = [f"directions.{alias.name}" for node in nodes for alias in node.names]
    used = [f"{module}.{name}" for module, names in USED.items() for name in names]
    shown = [f"::: {name}\n" for name in (*public, "directions.result.Analysis")]
    return "\n".join([API, *shown, OF_FILES, *(f"::: {name}\n" for name in used)])
