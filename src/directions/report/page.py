"""The page: report/page.html, filled with a study's claims, figures and tables."""

from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pandas as pd
from docutils.core import publish_parts

from directions.claims import counts, headlines
from directions.claims.format import PAPER
from directions.claims.verdicts import VERDICTS, place
from directions.report import cells, made, pictures
from directions.report.numbers import minus
from directions.report.source import CLAIMS, Source

KEY = ("fig1a", "fig4a", "fig5b", "fig7a")  # small copies open the page, as far as they are drawn
SHOWN = 3  # claims beside a figure; further ones are folded
FINDINGS = Path("data/paper/headlines.csv")
CAPTIONS = Path("report")


def render(root: Path, study: str, source: Source, benchmarks: Path, stale: bool) -> str:
    """Return the page of a study, of which the checkout at `root` has captions, template and main findings.

    Raises InputError for tables that cannot be read.
    """
    claims = counts.read(source.folder / CLAIMS)
    main = headlines.of_study(claims, headlines.read(root / FINDINGS))
    theirs = main[main["source"] == PAPER]
    listed = figures(source.folder, root / CAPTIONS, claims, list(main["id"]))
    strict: dict = {"autoescape": True, "undefined": jinja2.StrictUndefined}
    files = jinja2.FileSystemLoader(root / CAPTIONS)
    environment = jinja2.Environment(loader=files, trim_blocks=True, lstrip_blocks=True, **strict)
    return environment.get_template("page.html").render(
        study=study,
        source=source,
        stale=stale,
        findings=cells.answers(main),
        main=len(theirs),
        main_counted=headlines.counted(theirs),
        caution=headlines.caution(claims),
        counts=counts.by_source(claims),
        verdicts=VERDICTS,
        origins=" ".join(counts.origins(claims)),
        claims=cells.answers(claims),
        explained=caption(root / CAPTIONS / "claims.rst"),
        figures=listed,
        shown=SHOWN,
        key=[figure for figure in listed if figure["small"]],
        tables=cells.tables(source.folder / "tables"),
        most_rows=cells.ROWS,
        times=cells.run_times(benchmarks),
        commit=made.commit(),
        versions=made.versions(),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def figures(results: Path, captions: Path, claims: pd.DataFrame, main: list[str]) -> list[dict]:
    """Return every figure that was drawn, in the paper's order: caption, claims, picture, the same in words.

    A figure's claims start with the main findings `main`, given by their ids.
    """
    listed = []
    for path in sorted((results / "figures").glob("*.png"), key=lambda path: place(path.stem)):
        about = claims[claims["figure"] == path.stem]
        about = about.loc[(~about["id"].isin(main)).sort_values(kind="stable").index]
        said = caption(captions / f"{path.stem}.rst")
        title = heading(captions, path.stem)
        listed.append(
            {
                "name": path.stem,
                "title": path.stem.removeprefix("fig"),
                "heading": title,
                "picture": pictures.picture(path),
                "small": pictures.small(path) if path.stem in KEY else None,
                "pdf": pictures.pdf(path),
                "words": pictures.in_words(path.stem, title, results, about),
                "caption": said,
                "caution": headlines.caution(about),
                "claims": cells.answers(about),
            }
        )
    return listed


def heading(captions: Path, figure: str) -> str:
    """Return the first, bold sentence of a figure's caption: "Figure 1a: accuracy as units are ablated."."""
    path = captions / f"{figure}.rst"
    bold = path.read_text("utf-8").split("**") if path.exists() else []
    return minus(" ".join(bold[1].split())) if len(bold) > 1 else f"Figure {figure.removeprefix('fig')}."


def caption(path: Path) -> str:
    """Render a figure's caption, reStructuredText as in Snakemake's own reports, as HTML."""
    if not path.exists():
        return ""  # a user's own figure may have none
    settings = {"report_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    return publish_parts(path.read_text("utf-8"), writer="html5", settings_overrides=settings)["body"]
