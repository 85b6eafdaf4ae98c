"""Dots, boxes and histograms of units draw what the tables say (Figures 6, 7, A2, A3, A4)."""

import itertools

import numpy as np
import pandas as pd
import pytest
from figure_tables import curves, draw, drawn, tables_for, words
from scipy.stats import spearmanr

from directions.claims import statistics
from directions.figures import layers, scales, style

NETWORK = "seed-0"


def of_network(tables, run=NETWORK) -> pd.DataFrame:
    mine = [tables[name][tables[name]["run"] == run] for name in ("units", "single") if name in tables]
    return mine[0] if len(mine) == 1 else mine[0].merge(mine[1], on=["layer", "unit", "run"])


def dots(axes) -> np.ndarray:
    """(dots, 2) of a scatter, sorted."""
    points = np.asarray(axes.collections[0].get_offsets())
    return points[np.lexsort(points.T)]


@pytest.mark.parametrize(("name", "column"), [("fig7a", "selectivity"), ("figA4a", "information_bits")])
@pytest.mark.parametrize(("place", "effect"), [(0, "importance"), (1, "worst_class_drop")])
def test_one_dot_per_unit_of_the_lowest_seed(name, column, place, effect):
    tables = tables_for(name)
    shown, one = curves(draw(name, tables), place), of_network(tables)
    live = one[~one["dead"]]
    for label, layer in (("layer 1", "relu1"), ("layer 2", "relu2")):
        expected = live.loc[live["layer"] == layer, [column, effect]].to_numpy()
        np.testing.assert_allclose(shown[label], expected)
    assert len(shown["dead"]) == 3
    assert (shown["dead"][:, 0] < 0).all()


@pytest.mark.parametrize("name", ["fig7a", "fig7b", "fig7c"])
def test_of_a_sample_of_units_the_figure_says_how_many_there_are(name):
    tables = tables_for(name)
    every = of_network(tables)
    tables["single"] = tables["single"].iloc[::2]
    some = of_network(tables)
    assert len(some) < len(every)
    assert f"a random {len(some)} of {len(every)}, " in words(draw(name, tables))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("fig7b", "selectivity"),
        ("fig7d", "selectivity"),
        ("figA4b", "information_bits"),
        ("figA4d", "information_bits"),
    ],
)
def test_one_dot_per_feature_map_in_the_colour_of_its_layer(name, column):
    tables = tables_for(name)
    figure, one = draw(name, tables), of_network(tables)
    live = one[~one["dead"]]
    for axes, effect in zip(figure.axes, ("importance", "worst_class_drop"), strict=False):
        expected = live[[column, effect]].to_numpy()
        np.testing.assert_allclose(dots(axes), expected[np.lexsort(expected.T)])
    points = figure.axes[0].collections[0]
    place_of = layers.places(one)
    layer_of = dict(zip(live[column], live["layer"].map(place_of), strict=True))
    places = [layer_of[x] for x in np.asarray(points.get_offsets())[:, 0]]
    np.testing.assert_array_equal(points.get_array(), places)
    assert f"{len(live):,} live, {len(one) - len(live)} dead" in words(figure)


@pytest.mark.parametrize("name", ["fig7a", "fig7b"])
def test_figure_7_quotes_the_correlation_of_the_claims_table(name):
    tables = tables_for(name)
    ours = statistics.estimate("selectivity_correlation", tables, f"{name}_rank_correlation", fewest=2)
    said = words(draw(name, tables)).replace("−", "-")
    number = tables["runs"]["run"].nunique()
    assert f"mean of {number} networks: Spearman {ours.value:.2f} [{ours.low:.2f}, {ours.high:.2f}]" in said


@pytest.mark.parametrize(
    ("name", "column"), [("fig7c", "selectivity"), ("fig7e", "selectivity"), ("figA4c", "information_bits")]
)
def test_one_correlation_per_layer_and_no_lines_of_regression(name, column):
    tables = tables_for(name)
    figure, one = draw(name, tables), of_network(tables)
    (axes,), names = figure.axes, layers.places(one)
    heads = [line for line in axes.get_lines() if line.get_marker() == "o"]
    every = [of_network(tables, run) for run in tables["runs"]["run"]]
    fewest = {
        layer: min(((~some["dead"]) & (some["layer"] == layer)).sum() for some in every) for layer in names
    }
    shown = [place for layer, place in names.items() if fewest[layer] >= layers.FEWEST_UNITS]
    assert [line.get_xdata()[0] for line in heads] == shown
    layer = list(names)[-1]
    each = [some[(~some["dead"]) & (some["layer"] == layer)] for some in every]
    rho = np.mean([spearmanr(some[column], some["importance"]).statistic for some in each])
    assert heads[-1].get_ydata()[0] == pytest.approx(rho)
    stages = layers.stages(names)
    assert len(axes.get_lines()) == 2 + 2 * len(shown) + len(stages)  # one joins the dots, one is 0
    intervals = [
        line.get_ydata() for line in axes.get_lines() if list(line.get_xdata()) in [[p, p] for p in shown]
    ]
    assert len(intervals) == len(shown)
    assert axes.get_ylim()[0] <= np.min(intervals)
    assert np.max(intervals) <= axes.get_ylim()[1]


def test_intervals_within_layers_hold_their_values_and_small_layers_are_left_out():
    tables = tables_for("fig7b")
    units = statistics.joined_units(tables)
    names = layers.places(units)
    units.loc[(units["layer"] == "relu2") & (units["unit"] > 3), "dead"] = True
    found = layers.within(units[~units["dead"]], "selectivity", "importance", "k", names)
    assert list(found["place"]) == [1, *range(3, 12)]
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    assert "1 with fewer than 5 live left out" in layers.summary(found, names)


def test_units_that_are_all_equal_show_no_correlation():
    units = pd.DataFrame({"run": "a", "layer": "relu1", "x": np.arange(6.0), "y": 0.0})
    found = layers.within(units, "x", "y", "k", {"relu1": 1})
    assert found[["value", "low", "high"]].to_numpy().tolist() == [[0, 0, 0]]


def test_the_stages_of_a_resnet_are_marked():
    places = layers.places(tables_for("fig7d")["units"])
    assert len(places) == 49
    assert layers.stages(places) == [1.5, 10.5, 22.5, 40.5]
    assert layers.stages({"relu1": 1}) == []


def test_figure_a4a_shows_the_floor_of_shuffled_labels_and_other_numbers_of_bins():
    figure = drawn("figA4a")
    assert "shuffled labels: 0.020" in words(figure)
    assert curves(figure)["shuffled labels: 0.020"][0, 0] == pytest.approx(0.02)
    tables = tables_for("figA4b")
    tables["units"]["information_bits_fine"] *= -1  # turns the correlation round, dead units apart
    assert "half as many bins" in words(draw("figA4b", tables))


@pytest.mark.parametrize("bulk", [0.002, 0.009])
def test_a_few_units_that_dwarf_the_rest_make_the_axis_logarithmic(bulk):
    tables = tables_for("fig7a")
    tables["single"]["importance"] *= bulk / tables["single"]["importance"].abs().quantile(0.9)
    tables["single"].loc[0, "importance"] = 100 * bulk
    figure = draw("fig7a", tables)
    assert figure.axes[0].get_yscale() == "symlog"
    assert "linear within" in words(figure)
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_ylim()
    labels = [tick.label1 for tick in figure.axes[0].yaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert len(boxes) >= 4  # also where most dots lie: 0, half of the linear part and all of it
    threshold = scales.symmetric_log(tables["single"]["importance"].to_numpy())
    places = figure.axes[0].get_yticks()
    assert {0, threshold / 2, threshold} <= set(places)
    assert not figure.axes[0].yaxis.get_minorticklocs().size
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))


@pytest.mark.parametrize("name", ["fig7a", "fig7b"])
def test_a_network_without_dead_units_has_no_strip_for_them(name):
    figure = draw(name, dead=0)
    assert "dead" not in curves(figure)
    assert "live, none dead" in words(figure)
    assert figure.axes[0].get_xlim()[0] == 0


@pytest.mark.parametrize(("name", "column"), [("fig6a", "selectivity"), ("fig6b", "information_bits")])
def test_figure_6_pools_networks_and_counts_dead_units(name, column):
    tables = tables_for(name)
    figure = draw(name, tables)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    steps = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    for side, said, outline in zip((True, False), legend, steps, strict=True):
        runs = tables["runs"].loc[tables["runs"]["batch_norm"] == side, "run"]
        units = tables["units"][tables["units"]["run"].isin(runs)]
        live, dead = units[~units["dead"]], units["dead"].sum()
        expected = f"median {live[column].median():.3f}, {len(live):,} live, {dead} dead"
        assert said.startswith(f"{'' if side else 'no '}batch norm: {expected}")
        values, edges, _ = outline.get_data()
        np.testing.assert_allclose(values, np.histogram(live[column], edges)[0] / len(live))
        assert values.sum() == pytest.approx(1)  # no unit falls outside the axis


@pytest.mark.parametrize(("name", "number"), [("figA2a", 11), ("figA2b", 49)])
def test_figure_a2_has_a_box_per_layer_in_forward_order(name, number):
    tables = tables_for(name)
    axes = draw(name, tables).axes[0]
    live = tables["units"][~tables["units"]["dead"]]
    medians = live.groupby("layer", sort=False)["selectivity"].median()
    drawn_medians = [line.get_ydata()[0] for line in axes.get_lines() if line.get_color() == "white"]
    np.testing.assert_allclose(drawn_medians, medians)
    assert len(medians) == number
    assert f"{tables['units']['dead'].sum()} dead" in words(draw(name, tables))


def test_figure_a3_draws_selectivity_against_the_weights():
    tables = tables_for("figA3a")
    figure, one = draw("figA3a", tables), of_network(tables)
    live = one[~one["dead"]]
    expected = live[["l1", "selectivity"]].to_numpy()
    np.testing.assert_allclose(dots(figure.axes[0]), expected[np.lexsort(expected.T)])
    pooled = spearmanr(live["l1"], live["selectivity"]).statistic
    assert figure.axes[0].texts[0].get_text() == f"pooled Spearman {pooled:.2f}".replace("-", "−")


def test_colours_of_layers_are_fixed():
    assert style.in_sequence(0, 11) != style.in_sequence(10, 11)
    assert style.in_sequence(0, 1) == style.in_sequence(0, 5)
