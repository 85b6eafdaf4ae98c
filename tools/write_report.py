"""Write a finished study as one HTML file: claims, figures, sortable tables, run times, versions, commit."""

import base64
import io
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import jinja2
import pandas as pd
from docutils.core import publish_parts
from PIL import Image

from directions.claims.counts import by_source, origins, read
from directions.claims.format import claimed, found, number, plain, whose
from directions.claims.verdicts import VERDICTS, place
from directions.core import cli
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.core.files import atomic
from directions.workflow.run_times import times

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "snakemake", "dvc")
ROWS = 400  # longer tables are listed without their rows, which would dominate the file size


def caption(path: Path) -> str:
    """Render a figure's caption, reStructuredText as in Snakemake's own reports, as HTML."""
    if not path.exists():
        return ""  # a user's own figure may have none
    settings = {"report_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    return publish_parts(path.read_text("utf-8"), writer="html5", settings_overrides=settings)["body"]


def embedded(path: Path) -> dict:
    """Encode a picture for embedding: lossless WebP, half the bytes of the PNG."""
    packed = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(packed, "WEBP", lossless=True, method=2)
        width, height = picture.size
    source = f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"
    return {"source": source, "width": width, "height": height}


def shown(value: object) -> str:
    """Format a cell: short numbers, "" for a missing value."""
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(frame: pd.DataFrame) -> dict:
    """Return columns and cells, each cell with its sort key (the value itself).

    Columns with the same value in all rows are stated once, above the table.
    """
    many = len(frame) > 1
    same = [column for column in frame if many and len(frame[column].unique()) == 1]
    rest = frame.drop(columns=same)
    stated = ((column, shown(frame[column].iloc[0])) for column in same)
    return {
        "columns": [(str(column), pd.api.types.is_numeric_dtype(rest[column])) for column in rest],
        "rows": [
            [("" if pd.isna(value) else value, shown(value)) for value in row]
            for row in rest.astype(object).itertuples(index=False)
        ],
        "same": [(column, value) for column, value in stated if value],
    }


def tables(folder: Path) -> list[dict]:
    """Return every table of the study, {experiment, name, rows, table}, long ones without their cells."""
    listed = []
    for path in sorted(folder.glob("*/*.csv")):
        frame = table_files.csv(path)
        cells = table(frame.drop(columns="experiment", errors="ignore")) if len(frame) <= ROWS else None
        listed.append({"experiment": path.parent.name, "name": path.stem, "rows": len(frame), "table": cells})
    return listed


def figures(results: Path, captions: Path, claims: list[dict]) -> list[dict]:
    """Return every figure that was drawn, in the paper's order, with its caption and claims."""
    drawn = sorted((results / "figures").glob("*.png"), key=lambda path: place(path.stem))
    return [
        {
            "name": path.stem,
            "title": path.stem.removeprefix("fig"),
            "picture": embedded(path),
            "caption": caption(captions / f"{path.stem}.rst"),
            "claims": [claim for claim in claims if claim["figure"] == path.stem],
        }
        for path in drawn
    ]


def answers(claims: pd.DataFrame) -> list[dict]:
    """Return the claims as dicts of the page's texts."""
    return [
        row.to_dict()
        | {
            "panel": row["figure"].removeprefix("fig"),
            "claimed": claimed(row),
            "number": number(row),
            "whose": whose(row["certainty"]),
            "plain": plain(row["certainty"]),
            "found": found(row),
            "why": "" if pd.isna(row["note"]) else row["note"],
            "on": "" if pd.isna(row["tested_on"]) else row["tested_on"],
        }
        for _, row in claims.iterrows()
    ]


def commit() -> str:
    """Return the commit of this checkout and whether files differ from it, if it is a git checkout."""
    try:
        said = [
            subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.CalledProcessError):
        return "unknown: this is not a git checkout"
    return said[0] + (", with uncommitted changes" if said[1] else "")


def versions() -> list[tuple[str, str]]:
    """Return the versions installed on the machine that writes the page."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return [("Python", platform.python_version()), *found.items(), ("system", platform.platform())]


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--results", required=True, type=Path, help="folder of the study's results")
    parser.add_argument("--benchmarks", required=True, type=Path, help="folder of its jobs' run times")
    parser.add_argument("--captions", required=True, type=Path, help="folder of captions and page.html")
    parser.add_argument("--output", required=True, type=Path, help="HTML file to write")
    parser.add_argument("--stale", action="store_true", help="note that the files may not be current")
    args = parser.parse_args(argv)
    if not (args.results / "tables/claims.csv").exists():
        raise InputError(
            f"{args.results} has no claims table: finish the study first,"
            f" snakemake --cores all --config study={args.study} -- all"
        )
    results = read(args.results / "tables/claims.csv")
    claims = answers(results)
    try:
        units = {"median": "median, s", "total": "total, s", "memory_mib": "memory, MiB"}
        measured = times(args.benchmarks).reset_index().rename(columns=units)
    except InputError:
        measured = None  # pulled rather than computed: no jobs ran here
    strict = {"autoescape": True, "undefined": jinja2.StrictUndefined}
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, **strict)
    page = template.from_string((args.captions / "page.html").read_text("utf-8")).render(
        study=args.study,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=commit(),
        stale=args.stale,
        versions=versions(),
        verdicts=VERDICTS,
        counts={name: list(counts.items()) for name, counts in by_source(results).items()},
        origins=" ".join(origins(results)),
        claims=claims,
        explained=caption(args.captions / "claims.rst"),
        figures=figures(args.results, args.captions, claims),
        tables=tables(args.results / "tables"),
        most_rows=ROWS,
        times=None if measured is None else table(measured),
        seconds=None if measured is None else float(measured["total, s"].sum()),
    )
    with atomic(args.output) as written:
        written.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    cli.start(main)
