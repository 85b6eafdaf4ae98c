"""Published tables are as declared, and docs/TABLES.md says what is declared."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from directions.core import tables as table_files
from directions.core.columns import Table
from directions.study.catalogue import FIGURES, SPECS
from directions.study.tables import AREAS, CLAIMS, COLLECTED, KEYS, SELECTION

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "docs/results").glob("*/tables/**/*.csv"))
ANALYSED = [Table(spec.table, spec.rows, (*KEYS, *spec.columns)) for spec in SPECS.values()]
TABLES = {table.table: table for table in (*COLLECTED.values(), AREAS, SELECTION, CLAIMS, *ANALYSED)}
NOT_PUBLISHED = {
    "network", "layers", "units_by_layer", "auc_se",  # of own networks
    "build", "code",  # of models of one's own
    "keep_every",  # of networks with checkpoints by steps
    "limit_sample", "limit_sum",  # of networks trained by variants of LIMIT
    "scored_images",  # of curves scored on some images only
    "norm_images",  # of curves by other statistics of batch norm than those of training (D32)
}  # fmt: skip
MANY_CLASSES = re.compile(r".*_top5")  # of data sets with more than ten classes, none of which is published

read = cache(table_files.csv)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: "/".join(path.parts[-4:]))
def test_a_published_table_is_as_declared(path):
    TABLES[path.stem].check(read(path))


@pytest.mark.parametrize("name", TABLES)
def test_no_column_is_declared_that_no_published_table_has(name):
    there = [column for path in PATHS if path.stem == name for column in read(path)]
    varied = [one.names for one in KEYS] if name != "runs" else []
    for column in TABLES[name].columns:
        for one in column.each:
            if one not in NOT_PUBLISHED and one not in varied and not MANY_CLASSES.match(one):
                assert any(column.covers(other) for other in there), one


def test_every_table_that_figures_read_is_declared():
    assert {name for tables in FIGURES.values() for name in tables} <= set(TABLES)


def test_the_page_says_what_is_declared(tmp_path):
    """Else run `make tables`."""
    page = tmp_path / "TABLES.md"
    subprocess.run([sys.executable, "tools/write_tables.py", "--page", page], check=True, cwd=ROOT)
    text = page.read_text(encoding="utf-8")
    assert text == (ROOT / "docs/TABLES.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        [section] = re.findall(rf"^## {name}: .*?(?=^## |\Z)", text, re.M | re.S)
        assert all(
            f"`{column}`" in section for one in table.columns if one not in KEYS for column in one.each
        )
