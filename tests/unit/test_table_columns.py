"""docs/TABLES.md names exactly the columns that the tables of the published studies have."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/TABLES.md").read_text(encoding="utf-8")
EVERYWHERE = "In most tables"
NOT_IN_ALL = {
    "layers",
    "units_by_layer",
    "auc_se",
    "keep_every",
}  # of own networks, of own networks, of networks with checkpoints by steps
MANY_CLASSES = re.compile(
    r".*_top5"
)  # columns of data sets with more than ten classes, none of which is published


def described(heading: str) -> set[str]:
    """The columns in the first cells below a heading."""
    [section] = re.findall(rf"^## {heading}\b.*?$(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_{}]+)`", cell)}


def published() -> dict[str, set[str]]:
    """{table: all columns that it has in some study}."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "docs/results").glob("*/tables/**/*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            names = {
                re.sub(r"^drop_class_\d+$", "drop_class_{class}", name) for name in next(csv.reader(file))
            }
        found.setdefault(path.stem, set()).update(names)
    return found


TABLES = published()


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_of_a_table_is_explained(table):
    if table == "claims":
        asked = (ROOT / "data/paper/README.md").read_text(encoding="utf-8")
        known = {
            name
            for line in asked.splitlines()
            if line.startswith("| ")
            for name in re.findall(r"\w+", line.split("|")[1])
        }
        assert TABLES[table] <= described(table) | known
        return
    assert TABLES[table] <= described(table) | described(EVERYWHERE)


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"claims"}))
def test_no_column_is_explained_that_is_not_there(table):
    surplus = described(table) - TABLES[table] - NOT_IN_ALL
    assert not [name for name in surplus if not MANY_CLASSES.match(name)]


def test_every_table_that_figures_read_is_explained():
    from directions.study.catalogue import FIGURES

    for table in {name for tables in FIGURES.values() for name in tables}:
        assert described(table)


def test_what_is_said_of_an_analysis_is_what_its_file_declares(tmp_path):
    """Else run `make tables`."""
    page = tmp_path / "TABLES.md"
    page.write_text(TEXT, encoding="utf-8")
    subprocess.run([sys.executable, "tools/write_tables.py", "--page", page], check=True, cwd=ROOT)
    assert page.read_text(encoding="utf-8") == TEXT
