"""The paper's own curves and dots lie behind ours, as its files have them."""

import numpy as np
import pandas as pd
import pytest
from figure_tables import curves, draw, drawn, paper_of, tables_for, words
from matplotlib.colors import to_hex

from directions.core.errors import InputError
from directions.figures import fig5a, overlay, style
from directions.study import paper_curves
from directions.study.catalogue import IN_PAPER, PAPER_CURVES, paper_files

LABEL = f"_{overlay.NAME}"


def behind(figure, place: int = 0) -> list:
    """The paper's lines of axes `place`, in the order drawn."""
    return [line for line in figure.axes[place].get_lines() if line.get_label() == LABEL]


def test_every_panel_that_was_read_has_a_place_in_the_figures():
    assert set(IN_PAPER) == set(paper_curves.COLUMNS)
    assert paper_files("fig7e", True) == ["data/paper/figures/fig7e.csv"]
    assert paper_files("fig7e", False) == paper_files("figA1", True) == []
    assert PAPER_CURVES.format(figure="fig1a") == "data/paper/figures/fig1a.csv"


@pytest.mark.parametrize("name", IN_PAPER)
def test_the_paper_is_named_once_drawn_thin_and_behind_and_left_out_where_not_given(name):
    figure, without = drawn(name, behind=True), drawn(name)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names.count("paper, read from its figure") == 1
    assert "paper, read" not in words(without)
    theirs = [some for axes in figure.axes for some in axes.get_children() if some.get_label() == LABEL]
    assert theirs
    assert not [some for axes in without.axes for some in axes.get_children() if some.get_label() == LABEL]
    ours = [
        line for axes in figure.axes for line in axes.get_lines() if line.get_label() in set(curves(figure))
    ]
    for some in theirs:
        assert some.get_zorder() < min([2, *(line.get_zorder() for line in ours)])
        assert some.get_linewidth() < 1 or some.get_marker() == "o"
    assert curves(figure).keys() == curves(without).keys()


@pytest.mark.parametrize(("name", "units", "fractions"), [
    ("fig1a", 256 / 1024, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    ("fig1b", 192 / 1536, (0.0, 0.4, 1.0)), ("fig1c", 192 / 6144, (0.0, 0.4, 1.0)),
])  # fmt: skip
def test_ablation_curves_of_the_same_fractions_scaled_to_our_units(name, units, fractions):
    table, figure = paper_of(name), drawn(name, behind=True)
    for place in range(len(figure.axes)):
        lines = behind(figure, place)
        assert len(lines) == len(fractions)
        for line, fraction in zip(lines, fractions, strict=True):
            mine = table[np.isclose(table["corrupt"], fraction)]
            np.testing.assert_allclose(line.get_xdata(), units * mine["ablated"])
            np.testing.assert_allclose(line.get_ydata(), mine["accuracy"])
            assert to_hex(line.get_color()) == to_hex(style.corruption_colour(fraction))
    assert ("scaled to our number of units" in words(figure)) == (units != 1)
    assert ("6,144 (three block outputs) is our inference" in words(figure)) == (name == "fig1c")


def test_curves_of_as_many_units_as_ours_are_not_said_to_be_scaled():
    assert overlay.units_notes({"paper": pd.DataFrame()}, "fig1a", 1024) == ()
    assert "scaled" in overlay.units_notes({"paper": pd.DataFrame()}, "fig1a", 256)[0]
    assert overlay.units_notes({}, "fig1c", 256) == ()


def test_figure_1c_zooms_where_our_curves_part():
    tables = tables_for("fig1c")
    late = tables["ablation"]["ablated"] > 100
    tables["ablation"].loc[~late, "accuracy"] = 1.0
    whole, zoom = draw("fig1c", tables | {"paper": paper_of("fig1c")}).axes
    low, high = zoom.get_xlim()
    assert whole.get_xlim() == (0, 192)
    assert 80 < low < high <= 192
    assert zoom.get_ylim()[0] > whole.get_ylim()[0]


@pytest.mark.parametrize("name", ["fig2a", "fig2b"])
def test_noise_curves_on_an_axis_of_sd_ratios(name):
    table, figure = paper_of(name), drawn(name, behind=True)
    fractions = sorted(tables_for(name)["runs"]["corrupt"].unique())
    for line, fraction in zip(behind(figure), fractions, strict=True):
        mine = table[np.isclose(table["corrupt"], fraction)]
        np.testing.assert_allclose(line.get_xydata(), mine[["noise_scale", "accuracy"]])
    assert "counts SDs, as ours does, is our inference" in words(figure)


def test_the_best_and_worst_networks_and_the_difference_of_ours():
    table, figure = paper_of("fig3a"), drawn("fig3a", behind=True)
    for line, group in zip(behind(figure), ("best", "worst"), strict=True):
        mine = table[table["group"] == group]
        np.testing.assert_allclose(line.get_xdata(), mine["ablated"] * 352 / 2816)
        np.testing.assert_allclose(line.get_ydata(), mine["accuracy"])
    assert "errors of 0.14 and 0.35" in words(figure)
    assert "all 2,816 feature maps is our inference" in words(figure)


@pytest.mark.parametrize(("name", "column"), [
    ("fig3b", "generalisation_error"), ("fig4b", "test_loss"), ("fig4c", "test_accuracy"),
])  # fmt: skip
def test_dots_of_networks_and_checkpoints(name, column):
    [dots], table = behind(drawn(name, behind=True)), paper_of(name)
    np.testing.assert_allclose(dots.get_xydata(), table[[column, "area_normalized"]])
    assert dots.get_markerfacecolor() == "none"


def test_losses_and_areas_over_training():
    figure, table = drawn("fig4a", behind=True), paper_of("fig4a")
    for place in (0, 1):
        for line, side in zip(behind(figure, place), ("train", "test"), strict=True):
            np.testing.assert_allclose(line.get_xydata(), table[["epoch", f"{side}_loss"]])
        [line] = behind(figure, place + 2)
        np.testing.assert_allclose(line.get_xydata(), table[["epoch", "area_normalized"]])


def test_dropout_curves_in_the_shade_of_ours():
    figure, table = drawn("fig5a", behind=True), paper_of("fig5a")
    conditions = [(labels, rate) for labels in ("original", "corrupted") for rate in (0.1, 0.2, 0.3)]
    for line, ours, (labels, rate) in zip(behind(figure), curves(figure), conditions, strict=True):
        mine = table[(table["labels"] == labels) & np.isclose(table["dropout"], rate)]
        np.testing.assert_allclose(line.get_xydata(), mine[["ablated", "accuracy"]])
        assert line.get_color() == next(
            one.get_color() for one in figure.axes[0].lines if one.get_label() == ours
        )
    assert len({fig5a.shade("true labels", place, 3) for place in range(3)}) == 3
    assert to_hex(fig5a.shade("true labels", 2, 3)) == style.colour("true labels").lower()


def test_curves_with_and_without_batch_norm():
    figure, table = drawn("fig5b", behind=True), paper_of("fig5b")
    for line, side, name in zip(
        behind(figure), ("with", "without"), ("batch norm", "no batch norm"), strict=True
    ):
        mine = table[table["batch_norm"] == side]
        np.testing.assert_allclose(line.get_ydata(), mine["accuracy"])
        assert line.get_color() == style.colour(name)


@pytest.mark.parametrize("name", ["fig6a", "fig6b"])
def test_densities_as_shares_of_our_bins(name):
    figure, table = drawn(name, behind=True), paper_of(name)
    ours = next(patch for patch in figure.axes[0].patches if patch.get_label() != LABEL)
    width = np.diff(ours.get_data().edges)[0]
    theirs = [patch for patch in figure.axes[0].patches if patch.get_label() == LABEL]
    for steps, side in zip(theirs, ("with", "without"), strict=True):
        mine, data = table[table["batch_norm"] == side], steps.get_data()
        np.testing.assert_allclose(data[0], mine["density"] * width)
        np.testing.assert_allclose(data.edges[:-1], mine["bin_left"])
        assert np.sum(mine["density"] * np.diff(data.edges)) == pytest.approx(
            1, abs=0.03
        )  # as ours in all bins
    assert ("does not say in which unit" in words(figure)) == (name == "fig6b")


@pytest.mark.parametrize("name", ["fig7a", "fig7b", "fig7d"])
def test_dots_of_units_lie_within_the_axes(name):
    figure, table = drawn(name, behind=True), paper_of(name)
    [dots], axes = behind(figure), figure.axes[0]
    np.testing.assert_allclose(dots.get_xydata(), table[["selectivity", "impact"]])
    assert not behind(figure, 1)
    assert axes.get_xlim()[1] >= table["selectivity"].max()
    assert axes.get_ylim()[0] <= table["impact"].min() < table["impact"].max() <= axes.get_ylim()[1]
    assert f"{len(table)} can be told apart" in words(figure)


@pytest.mark.parametrize(("name", "last"), [("fig7c", 11), ("fig7e", 49)])
def test_a_correlation_per_layer(name, last):
    figure, table = drawn(name, behind=True), paper_of(name)
    [line] = behind(figure)
    np.testing.assert_allclose(line.get_ydata(), table["correlation"])
    np.testing.assert_allclose(line.get_xdata(), table["layer"].astype(float))
    assert line.get_xdata()[-1] == last
    assert figure.axes[0].get_ylim()[0] < table["correlation"].min()
    assert "scaled to our number of layers" not in words(figure)


def test_a_correlation_per_layer_is_scaled_to_fewer_layers_of_ours():
    tables = tables_for("fig7c")
    gone = ["relu10", "relu11"]
    gone = ["relu10", "relu11"]
    few = {name: tables[name][~tables[name]["layer"].isin(gone)] for name in ("single", "units")}
    figure = draw("fig7c", tables | few | {"paper": paper_of("fig7c")})
    assert behind(figure)[0].get_xdata()[-1] == 9
    assert "scaled to our number of layers" in words(figure)


@pytest.mark.parametrize("name", IN_PAPER)
def test_a_paper_table_without_a_column_is_refused(name):
    drawn_from = ("accuracy", "density", "impact", "area_normalized", "correlation")
    lacking = next(column for column in paper_curves.COLUMNS[name] if column in drawn_from)
    with pytest.raises(InputError, match=f"'paper' has no column '{lacking}'"):
        draw(name, tables_for(name) | {"paper": paper_of(name).drop(columns=lacking)})


@pytest.mark.parametrize(("name", "statistic", "sides"), [
    ("fig3a", "auc_extremes_difference", "best − worst"),
    ("fig5b", "auc_batch_norm_difference", "with − without"),
])  # fmt: skip
def test_the_difference_of_areas_is_that_of_the_claim(name, statistic, sides):
    from directions.claims.statistics import estimate

    tables = tables_for(name)
    key = {"fig3a": "fig3a_best_above_worst", "fig5b": "fig5b_batch_norm_above"}[name]
    ours = estimate(statistic, tables, key)
    said = f"area, {sides}: {ours.value:.3f} [{ours.low:.3f}, {ours.high:.3f}]".replace("-", "−")
    assert said in words(drawn(name)).splitlines()
