"""Numbers about the bound, from tables whose numbers are known."""

import pandas as pd
import pytest

from directions.claims.statistics import registry
from directions.claims.statistics.ranks import Untestable


def tables(rows: list[tuple]) -> dict[str, pd.DataFrame]:
    """One network per fraction and seed: rows (fraction, seed, pairs, gap, bound, null_bound, kept)."""
    names = ["corrupt", "seed", "pairs", "gap", "bound", "null_bound", "kept"]
    found = pd.DataFrame(rows, columns=names)
    found["run"] = [
        f"corrupt-{fraction}_seed-{seed}" for fraction, seed in found[["corrupt", "seed"]].to_numpy()
    ]
    runs = found[["run", "corrupt", "seed"]].drop_duplicates()
    return {"runs": runs, "cmi": found.drop(columns=["corrupt", "seed"])}


ROWS = [
    (0.0, 0, 75, 0.1, 0.3, 0.1, 0.8), (0.0, 0, 75, 0.1, 0.5, 0.1, 0.8), (0.0, 0, 250, 0.05, 0.2, 0.1, 0.9),
    (0.0, 1, 75, 0.1, 0.4, 0.1, 0.8), (0.0, 1, 75, 0.1, 0.4, 0.1, 0.8), (0.0, 1, 250, 0.06, 0.2, 0.1, 0.8),
    (0.5, 0, 75, 0.4, 0.6, 0.2, 0.7), (0.5, 0, 250, 0.40, 0.9, 0.1, 0.7),
    (0.5, 1, 75, 0.6, 0.8, 0.2, 0.7), (0.5, 1, 250, 0.50, 0.7, 0.1, 0.6),
]  # fmt: skip


@pytest.mark.parametrize(("name", "condition", "value"), [
    ("cmi_slack", {}, 0.145),  # 250 pairs, fraction 0: 0.2 - 0.055; others 0.2, 0.3, 0.35
    ("cmi_bound", {"corrupt": 0.5}, 0.8), ("cmi_bound", {"corrupt": 0.0}, 0.4),
    ("cmi_rise", {}, 0.2),  # 75 pairs: (0.7 - 0.2) - (0.4 - 0.1); 250 pairs: 0.7 - 0.1
    ("cmi_area_correlation", {}, -1.0),  # of 250 pairs
])  # fmt: skip
def test_numbers_about_the_bound(name, condition, value):
    assert registry.STATISTICS[name].value(tables(ROWS), condition) == pytest.approx(value)


def test_one_fraction_does_not_rise():
    with pytest.raises(Untestable, match="one fraction"):
        registry.STATISTICS["cmi_rise"].value(tables(ROWS[6:]), {})


def test_networks_that_guess_have_no_area_to_compare():
    rows = [(*row[:-1], None if row[2] == 250 and row[0] == 0.5 else row[-1]) for row in ROWS]
    with pytest.raises(Untestable, match="hardly do better than guessing"):
        registry.STATISTICS["cmi_area_correlation"].value(tables(rows), {})
    assert registry.STATISTICS["cmi_slack"].value(tables(rows), {}) == pytest.approx(0.145)
