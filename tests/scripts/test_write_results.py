"""The page of results: what it shows of a claims table, and how it refuses what is none."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from directions.claims import RESULT
from directions.errors import InputError

SCRIPT = Path(__file__).parents[2] / "scripts/write_results.py"
MLP = "MNIST, mlp 128x128, 3,000 images, 120 epochs"


def write_results(*argv: str) -> None:
    spec = importlib.util.spec_from_file_location("write_results", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([f"--{argument}" for argument in argv])


def row(name: str, figure: str, **values) -> dict:
    made = dict.fromkeys(RESULT) | {"id": name, "figure": figure, "claim": f"Sentence of {name}."}
    made |= {"experiment": "some", "tested_on": MLP, "direction": "above", "bound": 0.0}
    return made | {"verdict": "reproduced", "certainty": "verified", "origin": "abstract"} | values


@pytest.fixture
def table(tmp_path) -> Path:
    untestable = "not testable at this scale"
    rows = [
        row("figA4a_gain", "figA4a", estimate=-0.2, low=-0.3, high=0.1,
            verdict="not reproduced", note="a note"),
        row("fig4c_top1", "fig4c", direction="equal", bound=None, paper_value=0.13, tested_on=None,
            verdict=untestable, note="no table"),
        row("fig2a_more", "fig2a", estimate=0.25, low=0.2, high=0.3),
        row("fig2a_size", "fig2a", estimate=0.5, direction="below", bound=0.3, paper_value=0.095,
            claim="|rho| is small.", certainty="remembered", verdict=untestable),
    ]  # fmt: skip
    path = tmp_path / "claims.csv"
    pd.DataFrame(rows, columns=RESULT).to_csv(path, index=False)
    return path


def test_the_page_has_a_section_per_figure_and_a_row_per_claim(table, tmp_path):
    write_results(f"claims={table}", "study=quick", f"output={tmp_path}/docs/RESULTS.md")
    text = (tmp_path / "docs/RESULTS.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## Figure 2a", "## Figure 4c", "## Figure A4a"
    ]  # fmt: skip
    expected = [
        "| `more`: Sentence of fig2a_more. | > 0 | 0.250 [0.200, 0.300] | reproduced | verified |",
        "| `size`: \\|rho\\| is small. | < 0.3, 0.095 | 0.500 | not testable at this scale | remembered |",
        "| `top1`: Sentence of fig4c_top1. | 0.13 | - | not testable at this scale | verified |",
        "| `gain`: Sentence of figA4a_gain. | > 0 | -0.200 [-0.300, 0.100] | not reproduced | verified |",
    ]
    assert [line for line in lines if line.startswith("| `")] == expected
    assert [line for line in lines if line.startswith("- `")] == ["- `top1`: no table", "- `gain`: a note"]
    assert lines.count(f"Tested on: {MLP}.") == 2
    assert "This study has no tables for it." in lines


def test_the_page_counts_verdicts_and_says_what_made_it(table, tmp_path):
    write_results(f"claims={table}", "study=quick", f"output={tmp_path}/RESULTS.md")
    top = (tmp_path / "RESULTS.md").read_text(encoding="utf-8").split("## Figure")[0]
    assert "| reproduced | 1 |\n| direction only | 0 |\n| not reproduced | 1 |\n" in top
    assert "| not testable at this scale | 2 |\n| all | 4 |\n" in top
    assert "generated" in top
    for source in ("`make results STUDY=quick`", "`scripts/write_results.py`", f"`{table}`"):
        assert source in top


def test_what_is_no_claims_table_is_refused_and_leaves_the_page_as_it_was(table, tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text("as it was")
    other = tmp_path / "other.csv"
    other.write_text("run,auc\na,0.5\n")
    for wrong in (other, tmp_path / "absent.csv", tmp_path / "claims.json"):
        with pytest.raises(InputError):
            write_results(f"claims={wrong}", "study=quick", f"output={page}")
    assert page.read_text() == "as it was"
