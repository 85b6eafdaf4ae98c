"""Pages of the published figures, for the site of the documentation: a gallery, and a page per figure."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import write_results
from write_results import far, tally

from directions.claims.counts import by_source, distances
from directions.claims.headlines import caution
from directions.claims.verdicts import place
from directions.core.errors import InputError
from directions.figures.redraw import experiment
from directions.report.page import caption, heading
from directions.report.pictures import small
from directions.study.catalogue import FIGURES, paper_files

PUBLISHED = Path("docs/results")
CAPTIONS = Path("report")
PAGES = "docs/figures"  # of the site; no such folder is in the repository
GROUPS = ("The paper's figures", "Of its appendix", "Beyond the paper")
HEAD = """\
# Figures

Every published figure. Its page says what it shows and what came out of the claims, and has its tables.
"""


def figures() -> dict[str, list[str]]:
    """Map each published figure to the studies that drew it, in the paper's order."""
    drawn = sorted(PUBLISHED.glob("*/figures/*.png"), key=lambda path: (place(path.stem), path))
    studies: dict[str, list[str]] = {}
    for path in drawn:
        studies.setdefault(path.stem, []).append(path.parents[1].name)
    return studies


def grouped() -> dict[str, list[str]]:
    """Map each of `GROUPS` to its figures."""
    groups: dict[str, list[str]] = {group: [] for group in GROUPS}
    for figure in figures():
        panel = figure.startswith("fig") + figure.startswith("figA")
        groups[(GROUPS[2], GROUPS[0], GROUPS[1])[panel]].append(figure)
    return {group: names for group, names in groups.items() if names}


def pages() -> dict[str, str | bytes]:
    """Return all pages and thumbnails, {path in the site: content}."""
    claims = write_results.read_all(PUBLISHED)
    made: dict[str, str | bytes] = {f"{PAGES}/README.md": gallery()}
    for figure, studies in figures().items():
        made[f"{PAGES}/{figure}.md"] = page(figure, studies, claims)
        made |= {f"{PAGES}/{study}/{figure}.webp": thumbnail(figure, study) for study in studies}
    return made


def thumbnail(figure: str, study: str) -> bytes:
    """Return a small copy of a published figure, as WebP."""
    return base64.b64decode(small(PUBLISHED / study / f"figures/{figure}.png").source.partition(",")[2])


def gallery() -> str:
    """Write the page of thumbnails, a section per study."""
    lines = [HEAD]
    shown = figures()
    for study in sorted({study for studies in shown.values() for study in studies}):
        lines += [f"## {study}", "", '<div class="gallery" markdown>', ""]
        for figure in (figure for figure, studies in shown.items() if study in studies):
            name = write_results.titled(figure)
            text = heading(CAPTIONS, figure).removeprefix(name).strip(":. ")
            picture = f"![]({study}/{figure}.webp){{ loading=lazy }}"
            lines += [f"[{picture}**{name}** {text}]({figure}.md#{study})", ""]
        lines += ["</div>", ""]
    return "\n".join(lines)


def page(figure: str, studies: list[str], claims: Mapping[str, pd.DataFrame]) -> str:
    """Write a figure's page: caption; per study the picture, distances, tables and commands; claims."""
    about = write_results.about(figure, dict(claims))
    text = caption(CAPTIONS / f"{figure}.rst")
    lines = [f"# {write_results.titled(figure)}", "", text, ""]
    named = sorted(set(re.findall(r"docs/(\w+)\.md", text)))
    lines += [f"More: {', '.join(f'[{name}.md](../{name}.md)' for name in named)}.", ""] if named else []
    for study in studies:
        lines += of_study(figure, study, about.get(study))
    if figure == "fig1a" and (PUBLISHED / write_results.REPLICATION).exists():
        picture = f"../results/{write_results.REPLICATION}"
        lines += ["## An independent replication", "", f"![Figure 1a beside a replication]({picture})", ""]
    if about:
        lines += ["## Claims", "", *write_results.table(figure, about), ""]
        lines += ["The words are explained in [RESULTS.md](../RESULTS.md).", ""]
    return "\n".join(lines)


def of_study(figure: str, study: str, claims: pd.DataFrame | None) -> list[str]:
    """Write a study's part of a figure's page."""
    picture = f"../results/{study}/figures/{figure}.png"
    lines = [f"## {study}", "", f"[![{heading(CAPTIONS, figure)} Study {study}]({picture})]({picture})"]
    if claims is not None:
        lines += ["", f"Tested on: {write_results.tested(claims)}.", "", *summary(figure, claims)]
    lines += ["", f"Files: {', '.join(files(figure, study))}.", ""]
    return [*lines, "```bash", *commands(figure, study), "```", ""]


def summary(figure: str, claims: pd.DataFrame) -> list[str]:
    """Say a study's distance to the printed curves, if a figure has any, and tabulate its verdicts."""
    lines: list[str] = []
    for _, row in distances(claims.assign(figure=figure)).iterrows():
        lines += ["Distance to the paper's curves: mean {}, largest {}.".format(*far(row)), ""]
    return [*lines, *tally("claims of", {"verdicts": by_source(claims)}), "", caution(claims)]


def files(figure: str, study: str) -> list[str]:
    """Link what is published of a figure: drawings, tables it is made from, claims, the paper's curves."""
    folder = PUBLISHED / study
    linked = [folder / f"figures/{figure}.{kind}" for kind in ("pdf", "png")]
    try:
        tables = folder / "tables" / experiment(figure, folder)
        linked += [tables / f"{table}.csv" for table in FIGURES.get(figure, ())]
    except InputError:
        pass  # without a claim about it nobody knows which experiment it shows
    linked.append(folder / "tables/claims.csv")
    texts = {path: path.name for path in linked}
    texts |= {Path(path): "the paper's curves" for path in paper_files(figure, paper_curves=True)}
    return [f"[{text}](../../{path}) ({size(path)})" for path, text in texts.items() if path.exists()]


def size(path: Path) -> str:
    """Format the size of a file: "3 kB", "1.2 MB"."""
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"


def commands(figure: str, study: str) -> list[str]:
    """Return commands that draw, pull and compute a figure; only recorded studies can be pulled."""
    lines = {
        f"directions figure {figure} {PUBLISHED}/{study} --output {figure}": "from these tables",
        f"snakemake --cores all --config study={study} -- {figure}": "from raw data",
    }
    if Path(f"data/asked/{study}.yaml").exists():
        lines = {f"make pull STUDY={study} FIG={figure}": "with its tables"} | lines
    width = max(map(len, lines))
    return [f"{command:{width}}  # {what}" for command, what in lines.items()]
