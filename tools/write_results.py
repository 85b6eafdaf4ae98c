"""Write the claims of published studies as one page, and the paper's main findings into another."""

import textwrap
from pathlib import Path

import pandas as pd

from directions.claims.counts import by_kind, by_source, distances, merged, origins, read
from directions.claims.format import claimed, found, from_memory, number, whose
from directions.claims.verdicts import place
from directions.core import cli
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.core.files import atomic

MARKS = ("<!-- written by make results -->", "<!-- end of what make results writes -->")
WIDTH = 110
REPLICATION = "replication.png"  # Figure 1a as drawn by tools/draw_replication.py
HEAD = """\
# The paper's claims and our results

This page is generated from the tables below `{published}`: `make results` copies them there from finished
studies and runs `tools/write_results.py`. Do not edit it by hand.

A study is a file in `configs/`; each figure lists what it was tested on. In brackets: 95 % intervals from
bootstraps over networks and the repetitions within them; n: networks in the smallest group. With two or
three networks, intervals are too narrow: read "reproduced" there as "true of every network that we trained".

- *reproduced*: the whole interval is on the claimed side; for a value, our interval, widened by a tolerance,
  overlaps the paper's. *Direction only*: our number is on the claimed side, but the interval extends to the
  other. *Not reproduced*: our number is on the other side, or a value is missed.
- *too few networks*: some group has a single network, so there is no interval. *Not testable at this scale*:
  the study lacks what the claim is about, such as the paper's data set or the size of its networks.
- *direction*: a claim about a side, such as "A lies above B". *Value*: a number, ± its 95 % error if known.
  *Shape*: whole curves or scatter plots, by their distance to the printed ones. The distance to a value is
  ours minus theirs.

{origins}

"""
SOURCES_ARE = (
    "Terms are explained in [data/paper/README.md](../data/paper/README.md), our own bounds and tolerances in"
    " [D13](DEVIATIONS.md#d13-bounds-and-tolerances-that-are-ours)."
)


def wrapped(sentences: list[str]) -> str:
    """Wrap a paragraph to the page width, keeping links whole."""
    return textwrap.fill(" ".join(sentences), WIDTH, break_long_words=False, break_on_hyphens=False)


def ours(row: pd.Series) -> str:
    """Format our value, its interval, if any, and the verdict: "0.31 [0.28, 0.34]: reproduced"."""
    return ": ".join(filter(None, [found(row), row["verdict"]]))


def line(cells: list[str]) -> str:
    """Format a row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def header(cells: list[str]) -> list[str]:
    """Format the first two rows of a Markdown table."""
    return [line(cells), "|---" * len(cells) + "|"]


def panel(figure: str, study: str, published: Path) -> str:
    """Link a study's panel, relative to a page beside the folder of published studies."""
    path = Path(study, "figures", f"{figure}.png")
    return f"![{figure}, {study}]({published.name}/{path})" if (published / path).exists() else "not drawn"


def section(figure: str, studies: dict[str, pd.DataFrame], published: Path) -> str:
    """Write a figure's section: heading, panels, what each study tested on, a row per claim, notes.

    Studies without a claim about the figure, which they may not have drawn, are left out.
    """
    here = about(figure, studies)
    lines = [f"## {titled(figure)}", "", *header(list(here))]
    lines.append(line([panel(figure, study, published) for study in here]))
    lines += [line([tested(rows) for rows in here.values()]), ""]
    if figure == "fig1a" and (published / REPLICATION).exists():
        lines += [f"![Figure 1a beside an independent replication]({published.name}/{REPLICATION})", ""]
    return "\n".join([*lines, *table(figure, here)]) + "\n"


def titled(figure: str) -> str:
    """Name a figure in a heading: "Figure 1a", "Figure orders"."""
    return f"Figure {figure.removeprefix('fig')}"


def about(figure: str, studies: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the claims about a figure by id, of each study that has any."""
    every = {study: table[table["figure"] == figure].set_index("id") for study, table in studies.items()}
    return {study: rows for study, rows in every.items() if len(rows)}


def tested(rows: pd.DataFrame) -> str:
    """Say what a study tested the claims about a figure on."""
    return ", ".join(rows["tested_on"].dropna().unique()) or "no tables for it"


def table(figure: str, here: dict[str, pd.DataFrame]) -> list[str]:
    """Tabulate the claims about a figure, a row per claim and a column per study, and list their notes."""
    lines = header(["claim", "claimed", *here, "whose claim"])
    notes: dict[tuple[str, str], list[str]] = {}
    for claim in dict.fromkeys(claim for rows in here.values() for claim in rows.index):
        answers = {study: rows.loc[claim] for study, rows in here.items() if claim in rows.index}
        row, name = next(iter(answers.values())), claim.removeprefix(f"{figure}_")
        cells = [ours(answers[study]) if study in answers else "-" for study in here]
        lines.append(line([f"`{name}`: {row['claim']}", claimed(row), *cells, whose(row["certainty"])]))
        for study, answer in answers.items():
            if not pd.isna(answer["note"]):
                notes.setdefault((study, answer["note"]), []).append(f"`{name}`")
    noted = [f"- {study}, {', '.join(names)}: {note}" for (study, note), names in notes.items()]
    return [*lines, *(["", "Notes:", "", *noted] if noted else [])]


def totals(counts: dict[str, pd.DataFrame], column: str) -> list[str]:
    """Tabulate how many claims of `column` have each verdict, per study, and their sum."""
    cells = pd.DataFrame({study: count[column] for study, count in counts.items() if column in count})
    cells = cells.reindex(columns=list(counts), fill_value=0)
    rows = [line([verdict, *map(str, row)]) for verdict, row in zip(cells.index, cells.values, strict=True)]
    return [*header([column, *counts]), *rows, line(["all", *map(str, cells.sum())]), ""]


def tally(title: str, counts: dict[str, pd.DataFrame]) -> list[str]:
    """Tabulate counts of verdicts as text, "38 reproduced, 10 direction only", a row per column."""
    lines = header([title, *counts])
    for name in dict.fromkeys(column for table in counts.values() for column in table):
        shares = [table.get(name, pd.Series(dtype=int)) for table in counts.values()]
        cells = [", ".join(f"{n} {verdict}" for verdict, n in share.items() if n) or "-" for share in shares]
        lines.append(line([name, *cells]))
    return lines


def verdicts(studies: dict[str, pd.DataFrame]) -> list[str]:
    """Write the section of verdicts: counts per source of claims, then the paper's claims by kind."""
    counts = {study: by_source(table) for study, table in studies.items()}
    lines = ["## Verdicts", ""]
    for source in dict.fromkeys(column for table in counts.values() for column in table):
        lines += totals(counts, source)
    kinds = {study: by_kind(table) for study, table in studies.items()}
    return [*lines, *tally("the paper's, by kind", kinds), ""]


def apart(studies: dict[str, pd.DataFrame]) -> list[str]:
    """Write the section of distances to the printed curves: mean and largest, per panel and study."""
    found = {study: distances(table) for study, table in studies.items()}
    figures = sorted({figure for table in found.values() for figure in table.index}, key=place)
    if not figures:
        return []
    lines = ["## Distance to the paper's curves", ""]
    lines += header(["figure", *(f"{study}: {word}" for study in found for word in ("mean", "largest"))])
    for figure in figures:
        rows = (table.reindex([figure]).iloc[0] for table in found.values())
        lines.append(line([figure.removeprefix("fig"), *(cell for row in rows for cell in far(row))]))
    note = "Mean: along each curve, then over curves; (2 of 6): over the curves that have a distance."
    return [*lines, "", f"{note} Few studies have the paper's size: see below.", ""]


def far(row: pd.Series) -> tuple[str, str]:
    """Format a panel's mean and largest distance, and how many curves the mean covers if not all."""
    part = f" ({row['known']:.0f} of {row['curves']:.0f})" if row["known"] < row["curves"] else ""
    mean = "-" if pd.isna(row["mean"]) else f"{row['mean']:.3f}{part}"
    return mean, "-" if pd.isna(row["largest"]) else f"{row['largest']:.3f}"


def page(studies: dict[str, pd.DataFrame], published: Path) -> str:
    """Write the whole page, with figures in the paper's order."""
    figures = [section(figure, studies, published) for figure in dict.fromkeys(merged(studies)["figure"])]
    head = HEAD.format(published=published, origins=wrapped([*origins(merged(studies)), SOURCES_ARE]))
    return head + "\n".join(["\n".join([*verdicts(studies), *apart(studies)]), *figures])


def findings(studies: dict[str, pd.DataFrame], headlines: pd.DataFrame) -> str:
    """Tabulate the paper's main findings, a row per claim of `headlines`, then verdicts per source."""
    answers = {study: table.set_index("id") for study, table in studies.items()}
    lines = header(["the paper's finding", "figure", "claimed", *studies])
    for row in headlines.itertuples():
        known = [table.loc[row.id] for table in answers.values() if row.id in table.index]
        if not known:
            raise InputError(f"no published study has the claim {row.id!r}: see data/paper/claims.csv")
        figure = known[0]["figure"].removeprefix("fig")
        memory = "(from memory)" if from_memory(known[0]["certainty"]) else ""
        cells = [figure, " ".join(filter(None, [row.quantity, number(known[0]), memory]))]
        cells += [ours(table.loc[row.id]) if row.id in table.index else "-" for table in answers.values()]
        lines.append(line([row.finding, *cells]))
    counts = {study: by_source(table) for study, table in studies.items()}
    return "\n".join([*lines, "", *tally("claims of", counts), "", wrapped(origins(merged(studies)))])


def between(text: str, inserted: str, path: Path) -> str:
    """Replace the text between the two marks. Raises InputError if `path` lacks a mark."""
    if text.count(MARKS[0]) != 1 or text.count(MARKS[1]) != 1:
        raise InputError(f"{path} must have the lines {MARKS[0]} and {MARKS[1]} once each, for the findings")
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}\n{inserted}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def read_all(published: Path) -> dict[str, pd.DataFrame]:
    """Read the claims of every study below `published`. Raises InputError if there is none."""
    folders = sorted(path.parents[1] for path in published.glob("*/tables/claims.csv"))
    if not folders:
        raise InputError(f"{published} has no published study: make results STUDIES=quick, after make quick")
    return {folder.name: read(folder / "tables/claims.csv") for folder in folders}


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--published", required=True, type=Path, help="folder with one folder per study, beside the page"
    )
    parser.add_argument("--output", required=True, type=Path, help="page to write, e.g. docs/RESULTS.md")
    parser.add_argument("--headlines", required=True, type=Path, help="CSV of the main findings")
    parser.add_argument(
        "--summary", required=True, type=Path, help="page in which the table of findings is replaced"
    )
    args = parser.parse_args(argv)
    studies = read_all(args.published)
    headlines = table_files.require(
        {"headlines": table_files.csv(args.headlines)}, "headlines", "id", "finding", "quantity"
    )
    text = args.summary.read_text(encoding="utf-8")
    summary = between(text, findings(studies, headlines), args.summary)
    with atomic(args.output) as written:
        written.write_text(page(studies, args.published), encoding="utf-8")
    with atomic(args.summary) as written:
        written.write_text(summary, encoding="utf-8")


if __name__ == "__main__":
    cli.start(main)
