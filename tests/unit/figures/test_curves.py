"""Ablation and noise curves draw what the tables say (Figures 1, 2, 3a, 5, A1)."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from figure_tables import curves, draw, drawn, tables_for, words

from directions.core.errors import InputError


def mean_curve(tables, runs, clamp="zero") -> np.ndarray:
    table = tables["ablation"]
    mine = table[table["run"].isin(runs) & (table["clamp"] == clamp)]
    return mine.groupby("ablated")["accuracy"].mean().reset_index().to_numpy()


def test_figure_1a_draws_the_means_of_its_tables():
    tables = tables_for("fig1a")
    lines = curves(draw("fig1a", tables))
    assert len(lines) == len(synthetic.FRACTIONS)
    for (label, points), fraction in zip(lines.items(), synthetic.FRACTIONS, strict=True):
        runs = tables["runs"].loc[tables["runs"]["corrupt"] == fraction, "run"]
        np.testing.assert_allclose(points, mean_curve(tables, runs))
        areas = tables["areas"][tables["areas"]["corrupt"] == fraction]
        mean, sd = areas["auc"].mean(), areas["auc"].std()
        assert label.startswith(f"{fraction} ({90 * fraction:.0f} %)")
        assert label.endswith(
            f": {mean:.3f} ± {sd:.3f}"
        )  # divided by an unablated accuracy of 1 it is the same
    assert "Mean ± SD over 4 orderings × 2 networks" in words(drawn("fig1a"))


def test_an_area_divided_by_unablated_accuracy_is_given_where_it_differs():
    tables = tables_for("fig1a")
    ours = tables["areas"]["corrupt"] == 1
    tables["areas"].loc[ours, "auc_relative"] += 0.004
    figure = draw("fig1a", tables)
    *same, other = curves(figure)
    areas = tables["areas"][ours]
    assert other.endswith(f"({areas['auc_relative'].mean():.3f})")
    assert not any(label.endswith(")") for label in same)
    assert "area / unablated accuracy" in words(figure)
    assert "unablated accuracy" not in words(drawn("fig1a"))


def test_other_statistics_of_batch_norm_are_said_below_the_figure():
    said = "Ablation curves: batch norm by the mean and variance of 500 ablated images, not of training."
    assert said not in words(drawn("fig1a"))
    tables = tables_for("fig1a")
    tables["ablation"]["norm_images"] = 500
    assert said in words(draw("fig1a", tables))
    for figure in ("fig4c", "controls"):  # they read no curves, only their areas
        dots = tables_for(figure)
        dots["areas"]["norm_images"] = 500
        assert said in words(draw(figure, dots))


def test_the_number_of_images_scored_is_said_below_the_figure_unless_it_is_all():
    tables = tables_for("fig1a")
    tables["ablation"]["scored_images"] = 5000
    assert "Ablation curves: scored on 5,000 images drawn at random." in words(draw("fig1a", tables))
    assert "drawn at random" not in words(drawn("fig1a"))


def test_other_statistics_of_some_networks_are_said_of_these():
    tables = tables_for("fig4c")
    runs = list(tables["areas"]["run"].unique())
    numbers = {runs[0]: 500} | dict.fromkeys(runs[1:3], 32)
    tables["areas"]["norm_images"] = tables["areas"]["run"].map(numbers)
    said = f"of 32 ablated images ({runs[1]}, {runs[2]}), 500 ablated images ({runs[0]}), not of training."
    assert said in words(draw("fig4c", tables))
    tables["areas"]["norm_images"] = tables["areas"]["run"].map(dict.fromkeys(runs[1:], 32))
    assert f"of 32 ablated images ({len(runs) - 1} networks), not" in words(draw("fig4c", tables))


def test_figure_1a_pools_orderings_and_networks_in_its_band():
    tables = tables_for("fig1a")
    band = draw("fig1a", tables).axes[0].collections[0].get_paths()[0].vertices
    mine = tables["ablation"].query("corrupt == 0")
    half = mine["ablated"].unique()[16]
    here = mine.loc[mine["ablated"] == half, "accuracy"]
    edges = np.unique(band[np.isclose(band[:, 0], half), 1])
    np.testing.assert_allclose(edges, [here.mean() - here.std(), here.mean() + here.std()])
    assert len(here) == 8


def test_figure_1a_shows_the_zero_clamp_only():
    tables = tables_for("fig1a")
    both = dict(tables)
    for name, column in (("ablation", "accuracy"), ("areas", "auc")):
        both[name] = pd.concat([tables[name], tables[name].assign(clamp="mean", **{column: 0.0})])
    assert {k: v.tolist() for k, v in curves(draw("fig1a", both)).items()} == {
        k: v.tolist() for k, v in curves(draw("fig1a", tables)).items()
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fig1b", "of 352 in all"),
        ("fig1c", "of 1,420 in all"),
    ],
)
def test_figures_1b_and_1c_say_which_layers_are_ablated(name, said):
    assert f"192 feature maps of the last layers, {said}" in words(drawn(name))
    assert "last layers" not in words(drawn("fig1a"))


def top5(tables):
    """The same tables of a thousand classes, with columns about top-5 accuracy that are not the others."""
    ablation, areas = tables["ablation"], tables["areas"]
    return tables | {
        "runs": tables["runs"].assign(classes=1000),
        "ablation": ablation.assign(accuracy_top5=0.5 + ablation["accuracy"] / 2),
        "areas": areas.assign(auc_top5=0.5 + areas["auc"] / 2, auc_relative_top5=0.25),
    }


def test_figure_1c_draws_top5_accuracy_where_it_was_measured():
    tables = tables_for("fig1c")
    figure, plain = draw("fig1c", top5(tables)), drawn("fig1c")
    for (label, points), (name, others) in zip(curves(figure).items(), curves(plain).items(), strict=True):
        np.testing.assert_allclose(points[:, 1], 0.5 + others[:, 1] / 2)
        fraction = label.split(" ")[0]
        assert name.startswith(f"{fraction} ")
        mine = tables["areas"][tables["areas"]["run"].str.startswith(f"corrupt-{fraction}_")]["auc"]
        assert label.endswith(f": {0.5 + mine.mean() / 2:.3f} ± {mine.std() / 2:.3f} (0.250)")
    assert figure.axes[0].get_ylabel() == "top-5 training accuracy"
    assert plain.axes[0].get_ylabel() == "training accuracy"
    assert "among its first five" in words(figure)
    assert "five" not in words(plain)
    for one, level in ((figure, 5 / 1000), (plain, 1 / 10)):
        assert [line.get_ydata()[0] for line in one.axes[0].get_lines() if line.get_linestyle() == ":"] == [
            level
        ]
        [said] = [text for text in one.axes[0].texts if text.get_text() == "chance"]
        assert said.get_position()[1] > 0
        assert (said.get_verticalalignment() == "bottom") == (level < 0.07)  # else it would hide the ticks


def test_figure_1c_needs_the_areas_of_top5_accuracy_too():
    tables = top5(tables_for("fig1c"))
    with pytest.raises(InputError, match="'areas'.*'auc_top5'"):
        draw("fig1c", tables | {"areas": tables["areas"].drop(columns="auc_top5")})


@pytest.mark.parametrize("name", ["fig2a", "fig2b"])
def test_figure_2_draws_means_on_a_log_axis_and_keeps_the_untouched_accuracy(name):
    tables = tables_for(name)
    tables["noise"].loc[tables["noise"]["noise_sd_ratio"] == 0, "accuracy"] = 0.97
    figure = draw(name, tables)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    noise = tables["noise"][tables["noise"]["noise_sd_ratio"] > 0]
    fraction_of = tables["runs"].set_index("run")["corrupt"]
    fractions = sorted(fraction_of.unique())
    for points, fraction in zip(curves(figure).values(), fractions, strict=True):
        mine = noise[noise["run"].map(fraction_of) == fraction]
        np.testing.assert_allclose(points[:, 1], mine.groupby("noise_sd_ratio")["accuracy"].mean())
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(dots) == len(fractions)
    edge = dots[0].get_xdata()[0]
    assert axes.get_xlim()[0] < edge < 0.0316
    np.testing.assert_allclose([dot.get_ydata()[0] for dot in dots], 0.97)
    assert axes.xaxis.get_major_formatter()(edge, 0) == "0"


def test_figure_3a_takes_the_best_and_the_worst_that_know_their_training_set():
    tables = tables_for("fig3a")  # 18 networks, the first 2 of them did not learn
    figure = draw("fig3a", tables)
    ranked = tables["runs"].iloc[2:].sort_values("test_accuracy", ascending=False)["run"].tolist()
    best, worst = curves(figure).values()
    np.testing.assert_allclose(best, mean_curve(tables, ranked[:5]))
    np.testing.assert_allclose(worst, mean_curve(tables, ranked[-5:]))
    assert "16 of 18 networks that reached training accuracy ≥ 0.99" in words(figure)
    assert "Mean ± SD over 3 orderings × 5 networks" in words(figure)


@pytest.mark.parametrize(("seeds", "each"), [(1, 1), (3, 3)])
def test_figure_3a_takes_a_third_where_there_are_few(seeds, each):
    figure = draw("fig3a", rates=(0.001,), batches=(32, 64, 128), seeds=seeds, untrained=0)
    assert [label.split(" (")[0] for label in curves(figure)] == [f"{each} best", f"{each} worst"]


def test_figure_3a_takes_all_networks_where_too_few_know_their_training_set():
    figure = draw("fig3a", untrained=15)
    assert "All 18 networks taken: only 3 reached training accuracy" in words(figure)


def test_figure_5a_marks_the_dropout_fractions():
    tables = tables_for("fig5a")
    figure = draw("fig5a", tables)
    assert [label.split(":")[0] for label in curves(figure)] == [
        f"{side}, {rate}" for side in ("true", "corrupted") for rate in (0.1, 0.2, 0.3)
    ]
    uprights = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if line.get_linestyle() == ":"]
    np.testing.assert_allclose([x for x in uprights if x > 1], [409.6, 819.2, 1228.8])
    runs = tables["runs"].query("dropout == 0.2 and corrupt == 1")["run"]
    shown = next(points for label, points in curves(figure).items() if label.startswith("corrupted, 0.2"))
    np.testing.assert_allclose(shown, mean_curve(tables, runs))


@pytest.mark.parametrize("written", [bool, str])
def test_figure_5b_parts_networks_by_batch_norm(written):
    tables = tables_for("fig5b")
    tables["runs"]["batch_norm"] = tables["runs"]["batch_norm"].map(written)
    shown = curves(draw("fig5b", tables))
    for (label, points), start in zip(shown.items(), ("batch_norm-True", "batch_norm-False"), strict=True):
        runs = [run for run in tables["runs"]["run"] if run.startswith(start)]
        np.testing.assert_allclose(points, mean_curve(tables, runs))
        assert label.startswith("no" if "False" in start else "batch")


def test_figure_a1_compares_the_clamps_on_true_labels_and_at_every_fraction():
    tables = tables_for("figA1")
    figure = draw("figA1", tables)
    clean = tables["runs"].query("corrupt == 0")["run"]
    for (label, points), clamp in zip(curves(figure).items(), ("zero", "mean"), strict=True):
        assert label.startswith(clamp)
        np.testing.assert_allclose(points, mean_curve(tables, clean, clamp))
    fraction_of = tables["runs"].set_index("run")["corrupt"]
    for series, clamp in zip(figure.axes[1].containers, ("zero", "mean"), strict=True):
        areas = tables["areas"][tables["areas"]["clamp"] == clamp]
        expected = areas.groupby(areas["run"].map(fraction_of))["auc"].mean()
        np.testing.assert_allclose(np.asarray(series[0].get_ydata(), float), expected)


def test_figure_a1_needs_both_clamps():
    tables = tables_for("figA1")
    tables["ablation"] = tables["ablation"].query("clamp == 'zero'")
    with pytest.raises(InputError, match="'ablation' has no rows with clamp 'mean'"):
        draw("figA1", tables)
