"""The readings of the paper's figures: every panel is there, within its axes, with the areas stated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from directions.core.errors import InputError
from directions.study import paper_curves

FIGURES = Path(__file__).parents[3] / "data/paper/figures"
AXES = {  # panel: {column: printed limits}; "accuracy" and so on where the axis is 0 to 1
    "fig1a": {"ablated": (0, 1024), "accuracy": (0, 1), "corrupt": (0, 1)},
    "fig1b": {"ablated": (0, 1600), "accuracy": (0, 1), "corrupt": (0, 1)},
    "fig1c": {"ablated": (0, 4000), "accuracy": (0, 1), "corrupt": (0, 1)},
    "fig2a": {"noise_scale": (0.0495, 8.27), "accuracy": (0, 1), "corrupt": (0, 1)},
    "fig2b": {"noise_scale": (0.1, 1), "accuracy": (0, 1), "corrupt": (0, 1)},
    "fig3a": {"ablated": (0, 2500), "accuracy": (0, 1), "generalisation_error": (0.14, 0.35)},
    "fig3b": {"generalisation_error": (0.10, 0.40), "area_normalized": (0.3, 1.02)},
    "fig4a": {"epoch": (0, 26), "train_loss": (0, 0.4), "test_loss": (0, 0.4), "area_normalized": (0.9, 1)},
    "fig4b": {"test_loss": (0.05, 0.25), "area_normalized": (0.90, 1.0015)},
    "fig4c": {"test_accuracy": (0, 1), "area_normalized": (0, 1.0015)},
    "fig5a": {"ablated": (0, 4100), "accuracy": (0, 1), "dropout": (0.1, 0.3)},
    "fig5b": {"ablated": (0, 1650), "accuracy": (0, 1)},
    "fig6a": {"bin_left": (0, 1), "bin_right": (0, 1), "density": (0, 6)},
    "fig6b": {"bin_left": (0, 0.8), "bin_right": (0, 0.8), "density": (0, 16)},
    "fig7a": {"selectivity": (0.1, 1.1), "impact": (-0.02, 0.04)},
    "fig7b": {"selectivity": (0, 1), "impact": (-0.015, 0.020)},
    "fig7c": {"correlation": (-0.7, 0.1)},
    "fig7d": {"selectivity": (0, 1), "impact": (-0.5, 3.0)},
    "fig7e": {"correlation": (-0.8, 0.4)},
}
CURVES = {  # panel: its columns that tell curves apart, how many there are, what is on the horizontal axis
    "fig1a": (["corrupt"], 6, "ablated"),
    "fig1b": (["corrupt"], 6, "ablated"),
    "fig1c": (["corrupt"], 6, "ablated"),
    "fig2a": (["corrupt"], 6, "noise_scale"),
    "fig2b": (["corrupt"], 6, "noise_scale"),
    "fig3a": (["group"], 2, "ablated"),
    "fig5a": (["labels", "dropout"], 6, "ablated"),
    "fig5b": (["batch_norm"], 2, "ablated"),
}
DOTS = {"fig3b": 161, "fig4b": 179, "fig4c": 136, "fig7a": 115, "fig7b": 241, "fig7d": 621}
DOTS |= {"fig4a": 380, "fig6a": 138, "fig6b": 66, "fig7c": 11, "fig7e": 25}


def panel(name: str) -> pd.DataFrame:
    return paper_curves.read(FIGURES / f"{name}.csv")


def test_every_panel_of_figures_1_to_7_has_a_file_and_no_other_file_lies_there():
    assert {path.stem for path in FIGURES.glob("*.csv")} == {*paper_curves.COLUMNS, "areas"}
    assert set(AXES) == set(CURVES) | set(DOTS) == set(paper_curves.COLUMNS)


@pytest.mark.parametrize("name", paper_curves.COLUMNS)
def test_a_panel_has_its_columns_and_no_others(name):
    found = panel(name)
    assert tuple(pd.read_csv(FIGURES / f"{name}.csv").columns) == paper_curves.COLUMNS[name]
    assert set(found) - set(paper_curves.COLUMNS[name]) == (
        {"fraction"} if name in paper_curves.UNITS else set()
    )


@pytest.mark.parametrize("name", AXES)
def test_every_value_lies_within_the_printed_axes(name):
    found = panel(name)
    for column, (low, high) in AXES[name].items():
        values = found[column].dropna()
        assert len(values) > 0, column
        assert values.between(low, high).all(), (column, values.min(), values.max())


@pytest.mark.parametrize("name", CURVES)
def test_curves_run_from_left_to_right_with_one_value_at_each_place(name):
    columns, count, x = CURVES[name]
    curves = dict(iter(panel(name).groupby(columns)))
    assert len(curves) == count
    for curve in curves.values():
        assert (curve[x].diff().dropna() > 0).all()
        assert curve["accuracy"].notna().all()
        assert x == "noise_scale" or curve[[x, "accuracy"]].iloc[0].tolist() == [0, 1]


@pytest.mark.parametrize("name", DOTS)
def test_a_panel_of_dots_or_bins_holds_as_many_as_were_read(name):
    assert len(panel(name)) == DOTS[name]


def areas() -> pd.DataFrame:
    """The table of areas, indexed by panel and condition."""
    return pd.read_csv(FIGURES / "areas.csv").set_index(["panel", "condition"])


def of_curve(curve: pd.DataFrame, units: float, tail: float) -> float:
    """Mean accuracy over [0, units], at `tail` past the end of the curve."""
    ablated, accuracy = curve["ablated"].to_numpy(), curve["accuracy"].to_numpy()
    return (np.trapezoid(accuracy, ablated) + tail * (units - ablated[-1])) / units


@pytest.mark.parametrize("name", ["fig1a", "fig1b", "fig1c", "fig3a", "fig5a", "fig5b"])
def test_stated_areas_are_those_of_the_curves(name):
    stated, columns = areas().loc[name.removeprefix("fig")], CURVES[name][0]
    words = {
        "corrupt": "corrupt={0}",
        "group": "{0}",
        "labels": "{0} labels, dropout={1}",
        "batch_norm": "{0} batch norm",
    }[columns[0]]
    checked = 0
    for condition, curve in panel(name).groupby(columns):
        row = stated.loc[words.format(*condition)]
        if row["meaning"] == "fraction":
            found = of_curve(curve, row["units_assumed"], tail=0.1)
            assert found == pytest.approx(row["area_over_fraction"], abs=row["error"]), condition
        else:
            found = np.trapezoid(curve["accuracy"], curve["ablated"])
            assert found == pytest.approx(row["value"], abs=row["error"]), condition
        checked += 1
    assert checked == len(stated)


@pytest.mark.parametrize("name", ["fig2a", "fig2b"])
def test_stated_means_and_half_accuracy_scales_of_noise_are_those_of_the_curves(name):
    stated = areas().loc[name.removeprefix("fig")]
    for corrupt, curve in panel(name).groupby("corrupt"):
        row = stated.loc[f"corrupt={corrupt}"]
        scale = np.log10(curve["noise_scale"].to_numpy())
        mean = np.trapezoid(curve["accuracy"], scale) / (scale[-1] - scale[0])
        assert mean == pytest.approx(row["value"], abs=0.001)
        below = curve["accuracy"].to_numpy()[::-1]
        half = 10 ** np.interp(0.5, below, scale[::-1])
        assert half == pytest.approx(float(row["note"].removeprefix("half-accuracy scale ")), abs=0.002)


def test_fractions_are_shares_of_all_units_and_curves_that_end_earlier_end_at_chance():
    for name, units in paper_curves.UNITS.items():
        found = panel(name)
        assert found["fraction"].to_numpy() == pytest.approx(found["ablated"] / units)
        last = found.groupby(CURVES[name][0])[["fraction", "accuracy"]].last()
        early = last[last["fraction"] < 1]
        assert (early["accuracy"] <= 0.122).all()
        assert len(early) == {"fig1b": 2, "fig1c": 6, "fig3a": 2, "fig5b": 1}.get(name, 0)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("fig9a", "x\n1\n", "the paper has no panel 'fig9a'.*fig7e"),
        ("fig7c", None, "does not exist.*git checkout"),
        ("fig7e", "layer\n1\n", "lacks the column correlation"),
    ],
)
def test_what_is_no_panel_is_refused(tmp_path, name, text, message):
    path = tmp_path / f"{name}.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        paper_curves.read(path)
