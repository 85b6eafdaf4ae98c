"""Statistics beside the paper's curves, and those that take a condition: by hand, and on both sides."""

import numpy as np
import pandas as pd
import pytest
import synthetic_claims as world
import synthetic_paper as theirs
from scipy.stats import spearmanr

from directions.claims.statistics import SHAPES, STATISTICS, Untestable, conditions, curves, units
from directions.core.errors import InputError


def value(name: str, tables: dict, panel: pd.DataFrame | None = None, **condition) -> float:
    tables = tables if panel is None else tables | {"paper": panel}
    return STATISTICS[name].value(tables, condition)


# --- curves ---

PANEL = pd.DataFrame(  # two straight curves, 1 to 0 and 1 to 0.5, over all units
    {"corrupt": [0.0, 0.0, 1.0, 1.0], "fraction": [0.0, 1.0, 0.0, 1.0], "accuracy": [1.0, 0.0, 1.0, 0.5]}
)


def made(accuracies: dict[float, list[float]], networks=2) -> dict:
    """Runs and ablation: every network of a fraction has this curve, its units evenly spaced."""
    rows, runs = [], []
    for corrupt, accuracy in accuracies.items():
        for seed in range(networks):
            run = f"{corrupt}-{seed}"
            runs.append({"run": run, "corrupt": corrupt, "seed": seed})
            for ordering in range(2):
                own = {"run": run, "clamp": "zero", "ordering": ordering, "units": len(accuracy) - 1}
                own |= {"ablated": range(len(accuracy)), "accuracy": accuracy}
                rows.append(pd.DataFrame(own))
    return {"runs": pd.DataFrame(runs), "ablation": pd.concat(rows)}


def test_distances_from_a_curve_by_hand_over_the_share_of_units():
    tables = made({0.0: [1.0, 0.9, 0.0], 1.0: [1.0, 0.75, 0.5]})  # 0.4 above in the middle; the paper's own
    one = {"corrupt": 0.0}
    assert value("curve_mean_distance", tables, PANEL, **one) == pytest.approx(0.2)
    assert value("curve_largest_distance", tables, PANEL, **one) == pytest.approx(0.4)
    assert value("curve_mean_distance", tables, PANEL, corrupt=1.0) == pytest.approx(0, abs=1e-12)
    assert value("curve_mean_distance", tables, PANEL) == pytest.approx(0.1)  # the mean over conditions
    assert value("curve_largest_distance", tables, PANEL) == pytest.approx(0.4)  # the largest of all


@pytest.mark.parametrize("column", ["ordering", "run"])
def test_it_is_the_mean_curve_that_is_compared_and_others_may_lie_on_both_sides(column):
    tables = made({0.0: [1.0, 0.5, 0.0]})
    first = tables["ablation"][column] == tables["ablation"][column].iloc[0]
    tables["ablation"]["accuracy"] += np.where(first, 0.1, -0.1)
    assert value("curve_largest_distance", tables, PANEL, corrupt=0.0) == pytest.approx(0, abs=1e-12)


def test_a_curve_of_the_paper_that_ends_stays_where_it_ended():
    ending = pd.DataFrame({"group": "best", "fraction": [0.0, 0.5], "accuracy": [1.0, 0.2]})
    runs = made({0.0: [1.0, 0.2, 0.2]})
    observed = curves.theirs({"paper": ending}, {"group": "best"})
    assert [own for own, _ in observed] == [{"group": "best"}]
    extremes = runs | {"runs": runs["runs"].assign(test_accuracy=[0.9, 0.8], train_accuracy=1.0)}
    assert value("curve_largest_distance", extremes, ending, group="best") == pytest.approx(0, abs=1e-12)


def test_top5_accuracy_is_compared_where_it_was_measured_as_figure_1_draws_it():
    tables = made({0.0: [0.0, 0.0, 0.0]})
    tables["ablation"]["accuracy_top5"] = np.tile([1.0, 0.5, 0.0], 4)
    assert value("curve_mean_distance", tables, PANEL, corrupt=0.0) == pytest.approx(0, abs=1e-12)


def test_curves_of_figure_5_are_told_apart_by_dropout_and_labels_or_batch_norm():
    panel = theirs.panel("fig5a")
    known = [own for own, _ in curves.theirs({"paper": panel}, {})]
    assert {(own["corrupt"], own["dropout"]) for own in known} == {
        (corrupt, dropout) for corrupt in (0.0, 1.0) for dropout in (0.1, 0.2, 0.3)
    }
    dropout, norm = world.paper_of("mnist_dropout"), world.paper_of("conv_normalization")
    assert value("curve_mean_distance", dropout, panel, corrupt=1.0, dropout=0.2) < 0.01
    swapped = dropout | {"runs": dropout["runs"].assign(corrupt=1 - dropout["runs"]["corrupt"])}
    assert value("curve_mean_distance", swapped, panel, corrupt=1.0, dropout=0.2) > 0.2
    assert value("curve_mean_distance", norm, theirs.panel("fig5b"), batch_norm=True) < 0.01
    with pytest.raises(InputError, match="no curve with corrupt=0.5.*it has corrupt=0, corrupt=0.2"):
        value("curve_mean_distance", dropout, theirs.panel("fig1a"), corrupt=0.5)


def test_a_condition_that_the_study_lacks_and_curves_that_end_early_are_untestable():
    tables = made({0.0: [1.0, 0.5, 0.0]})
    with pytest.raises(Untestable, match="no network with corrupt=1 in this study"):
        value("curve_mean_distance", tables, PANEL)
    tables["ablation"]["units"] = 4
    with pytest.raises(Untestable, match="do not reach from end to end"):
        value("curve_mean_distance", tables, PANEL, corrupt=0.0)


# --- noise ---

LEVELS = pd.DataFrame(  # 1 at 0.1, 0 at 10, a straight line over the logarithm
    {"corrupt": 0.0, "noise_scale": [0.1, 10.0], "accuracy": [1.0, 0.0]}
)


def noisy(ratios: list[float], accuracy: list[float]) -> dict:
    runs = pd.DataFrame({"run": ["a", "b"], "corrupt": 0.0})
    rows = [
        pd.DataFrame({"run": run, "repeat": repeat, "noise_sd_ratio": ratios, "accuracy": accuracy})
        for run in "ab"
        for repeat in range(2)
    ]
    return {"runs": runs, "noise": pd.concat(rows)}


def test_noise_is_compared_over_its_logarithm_and_the_paper_s_range():
    tables = noisy([0.0, 0.01, 0.1, 1.0, 10.0, 100.0], [1.0, 1.0, 1.0, 0.9, 0.0, 0.0])
    assert value("noise_mean_distance", tables, LEVELS, corrupt=0.0) == pytest.approx(0.2)
    assert value("noise_largest_distance", tables, LEVELS, corrupt=0.0) == pytest.approx(0.4)
    assert value("noise_mean", tables, LEVELS, corrupt=0.0) == pytest.approx(0.5 * 0.95 + 0.5 * 0.45)
    short = noisy([0.1, 1.0], [1.0, 0.9])
    with pytest.raises(Untestable, match="do not reach"):
        value("noise_mean", short, LEVELS, corrupt=0.0)


def test_the_half_accuracy_scale_is_interpolated_over_the_logarithm():
    tables = noisy([0.0, 0.1, 1.0, 10.0], [1.0, 1.0, 0.75, 0.25])
    assert value("noise_half_scale", tables, corrupt=0.0) == pytest.approx(10**0.5)
    again = noisy([0.1, 1.0, 10.0, 100.0], [0.9, 0.4, 0.9, 0.1])
    assert value("noise_half_scale", again, corrupt=0.0) == pytest.approx(10**-0.2)  # the first fall
    for accuracy in ([0.9, 0.8, 0.6], [0.4, 0.3, 0.2]):
        with pytest.raises(Untestable, match="accuracy does not fall to a half"):
            value("noise_half_scale", noisy([0.1, 1.0, 10.0], accuracy), corrupt=0.0)


def test_the_half_accuracy_scales_of_the_paper_come_out():
    tables = world.paper_of("mnist_corruption")
    stated = (1.771, 1.911, 1.206, 1.130, 0.861, 0.758)
    for corrupt, scale in zip((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), stated, strict=True):
        assert value("noise_half_scale", tables, corrupt=corrupt) == pytest.approx(scale, rel=0.05)


# --- units ---


def layered(correlations: list[float], count=50) -> np.ndarray:
    """(units, 3): layer, x, y with these rank correlations within the layers, exactly 1, 0 or -1."""
    parts = []
    for layer, sign in enumerate(correlations):
        x = np.arange(count, dtype=float)
        y = sign * x if sign else np.minimum(x, x[::-1])
        parts.append(np.stack([np.full(count, layer), x, y], axis=1))
    return np.concatenate(parts)


def test_correlations_by_layer_by_hand():
    seen = layered([-1, 0, 0, 1, 0])
    once = np.ones((1, len(seen)), int)
    assert units.layer_mean(seen, once) == pytest.approx(0, abs=1e-12)
    assert units.largest_later(seen, once) == pytest.approx(1)
    assert units.largest_later(layered([1, 1, 0, 0]), np.ones((1, 200), int)) == pytest.approx(0, abs=1e-12)
    assert units.layer_mean(layered([-1, 1, 1, 1]), np.ones((1, 200), int)) == pytest.approx(0.5)
    with pytest.raises(Untestable, match="2 layer.* has no layer 3"):
        units.largest_later(layered([1, 1]), np.ones((1, 100), int))


def test_a_layer_without_variation_has_no_part_in_the_mean_of_layers():
    seen = layered([1, 1])
    seen[seen[:, 0] == 1, 1] = 0.5
    assert units.layer_mean(seen, np.ones((1, 100), int)) == pytest.approx(1)


def test_the_correlation_of_one_layer_is_that_of_its_live_units():
    tables = world.paper_of("mnist_selectivity")
    merged = tables["units"].merge(tables["single"], on=["run", "layer", "unit"]).query("layer == 'relu2'")
    expected = [
        spearmanr(own["selectivity"], own["importance"]).statistic for _, own in merged.groupby("run")
    ]
    assert value("selectivity_correlation_layer", tables, layer=2) == pytest.approx(np.mean(expected))
    with pytest.raises(Untestable, match="has 0 unit.* in layer 3"):
        value("selectivity_correlation_layer", tables, layer=3)


def test_means_of_figure_6_count_dead_units_as_0():
    tables = world.paper_of("conv_normalization")
    assert value("selectivity_mean", tables, batch_norm=False) == pytest.approx(0.499, abs=0.01)
    assert value("information_mean", tables, batch_norm=True) == pytest.approx(0.189, abs=0.01)
    half = tables["units"].assign(dead=tables["units"]["unit"] < 30)
    half.loc[half["dead"], "selectivity"] = np.nan
    runs = tables["runs"].set_index("run")["batch_norm"]
    live = half[~half["dead"] & half["run"].map(runs)]["selectivity"].mean()
    assert value("selectivity_mean", tables | {"units": half}, batch_norm=True) == pytest.approx(live / 2)


# --- areas, dropout, training ---


def test_areas_of_each_condition_are_those_of_its_networks():
    dropout, norm = world.paper_of("mnist_dropout"), world.paper_of("conv_normalization")
    mean = dropout["areas"].groupby(["corrupt", "dropout"])["auc"].mean()
    assert value("auc", dropout, corrupt=1.0, dropout=0.3) == pytest.approx(mean[1.0, 0.3])
    assert value("auc", norm, batch_norm=False) == pytest.approx(0.447, abs=0.01)
    written = norm | {"runs": norm["runs"].assign(batch_norm=norm["runs"]["batch_norm"].map(str))}
    assert value("auc", written, batch_norm=False) == value("auc", norm, batch_norm=False)
    ensemble = world.paper_of("conv_ensemble")
    assert value("auc", ensemble, group="best") == pytest.approx(0.525, abs=0.01)
    assert value("auc", ensemble, group="worst") == pytest.approx(0.259, abs=0.01)


def test_what_is_kept_past_the_dropout_fraction_is_the_paper_s():
    tables = world.paper_of("mnist_dropout")
    kept = [value("dropout_further", tables, corrupt=1.0, dropout=p) for p in (0.1, 0.2, 0.3)]
    assert kept == pytest.approx([0.897, 0.868, 0.833], abs=0.005)
    assert value("dropout_further_difference", tables) == pytest.approx(0.102, abs=0.005)  # at 0.1


def test_the_course_of_training_at_fractions_of_an_epoch_by_hand():
    epochs, areas = [0.0, 0.136, 0.272, 0.545, 1.09], [0.2, 0.5, 0.9, 0.8, 0.72]
    losses = [2.3, 1.0, 0.5, 0.4, 0.6]
    runs = pd.DataFrame({"run": ["a", "b"]})
    rows = [
        pd.DataFrame({"run": run, "epoch": epochs, "ordering": o, "auc": areas, "test_loss": losses})
        for run in "ab"
        for o in range(2)
    ]
    tables = {"runs": runs, "checkpoints": pd.concat(rows)}
    assert value("auc_peak_epoch", tables) == pytest.approx(0.272)
    assert value("test_loss_lowest_epoch", tables) == pytest.approx(0.545)
    assert value("test_loss_lowest", tables) == pytest.approx(0.4)
    assert value("auc_end_relative", tables) == pytest.approx(0.8)
    assert value("auc_peak_distance", tables) == pytest.approx(np.log2(0.545 / 0.272))
    assert value("auc_half_rise", tables) == pytest.approx(0.272 / 1.09)


# --- conditions ---


def test_conditions_are_read_and_written_alike():
    for text in ("", "corrupt=0.2", "corrupt=1;dropout=0.1", "batch_norm=true", "group=best", "layer=11"):
        assert conditions.written(conditions.parse(text)) == text
    assert conditions.parse(" corrupt=1 ; dropout=0.1") == {"corrupt": 1.0, "dropout": 0.1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corrupt", "'corrupt': write name=value"),
        ("speed=1", "name one of corrupt, dropout"),
        ("corrupt=1.5", "corrupt must be between 0 and 1, got '1.5'"),
        ("corrupt=nan", "corrupt must be between"),
        ("batch_norm=1", "batch_norm must be true or false"),
        ("group=middle", "group must be best or worst"),
        ("layer=0", "layer must be a whole number from 1"),
        ("corrupt=1;corrupt=0", "corrupt is given twice"),
    ],
)
def test_what_is_no_condition_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        conditions.parse(text)


def test_statistics_of_shape_are_those_that_compare_curves():
    assert set(SHAPES) == {
        f"{kind}_{name}_distance" for kind in ("curve", "noise") for name in ("mean", "largest")
    }
    draws = {"a": np.array([[[0.1, -0.3]]])}  # one resample, one network
    assert curves.mean_distance(draws) == pytest.approx(0.2)
    assert curves.largest_distance(draws) == pytest.approx(0.3)
