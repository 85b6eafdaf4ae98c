"""The numbers behind the claims: against SciPy, by hand, and their intervals against chance."""

import numpy as np
import pandas as pd
import pytest
import synthetic
import synthetic_claims as world
from scipy.stats import spearmanr

from directions.claims import statistics
from directions.claims.statistics import bootstrap, checkpoints, dropout, estimate, ranks, selection
from directions.claims.statistics import networks as statistics_networks
from directions.claims.statistics import units as statistics_units
from directions.core.errors import InputError


def test_spearman_agrees_with_scipy_ties_included():
    random = np.random.default_rng(0)
    x, y = random.integers(0, 6, (5, 40)), random.normal(size=(5, 40)).round(1)
    expected = [spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(statistics.spearman(x, y), expected)


def test_no_rank_correlation_of_constants():
    with pytest.raises(statistics.Untestable, match="equal"):
        statistics.spearman(np.ones(5), np.arange(5.0))


def test_dead_units_have_no_part_in_a_correlation():
    tables = synthetic.unit_tables(dead=40)
    merged = tables["units"].merge(tables["single"], on=["run", "layer", "unit"])

    def slow(column, table):
        return np.mean([spearmanr(n[column], n["importance"]).statistic for _, n in table.groupby("run")])

    live = merged[~merged["dead"]]
    for column, name in (("selectivity", "selectivity"), ("information_bits", "information")):
        found = estimate(f"{name}_correlation", tables, "k").value
        assert found == pytest.approx(slow(column, live))
    assert abs(slow("information_bits", merged) - found) > 0.01


def test_areas_are_means_of_the_zero_clamp_only():
    tables = synthetic.corruption_tables()
    clean = tables["areas"].query("corrupt == 0")["auc"].mean()
    other = tables["areas"].assign(clamp="mean", auc=0.0)
    both = tables | {"areas": pd.concat([tables["areas"], other])}
    assert estimate("auc", both, "k", {"corrupt": 0.0}).value == pytest.approx(clean)


def test_areas_are_of_top5_accuracy_where_it_was_measured():
    tables = synthetic.corruption_tables()
    areas = tables["areas"]
    measured = tables | {"areas": areas.assign(auc_top5=0.9 - areas["auc"])}
    mean = areas.groupby("corrupt")["auc"].mean()
    assert estimate("auc_difference", tables, "k").value == pytest.approx(mean[0.0] - mean[1.0])
    assert estimate("auc_difference", measured, "k").value == pytest.approx(mean[1.0] - mean[0.0])
    assert estimate("auc", measured, "k", {"corrupt": 0.0}).value == pytest.approx(0.9 - mean[0.0])
    assert estimate("auc_trend", measured, "k").value > 0 > estimate("auc_trend", tables, "k").value


def test_area_under_noise_is_the_mean_over_log_noise():
    tables = synthetic.corruption_tables(auc={0.0: 0.7, 1.0: 0.2}, networks=2, orderings=2)
    noise = tables["noise"]
    ratio = noise["noise_sd_ratio"]
    # clean networks: 1 below a noise ratio of 1 and 0 above; corrupted: 0.5 all along the 2.5 decades
    noise["accuracy"] = np.where(noise["corrupt"] == 1, 0.5, (ratio < 1).astype(float))
    low, high = np.log10(0.0316), 1.0
    levels = np.linspace(low, high, 16)
    last, first = levels[levels < 0].max(), levels[levels >= 0].min()
    expected = ((last + first) / 2 - low) / (high - low) - 0.5
    assert estimate("noise_area_difference", tables, "k").value == pytest.approx(expected)


def test_minimal_impact_share_by_hand():
    # the most selective quarter are units 6 and 7; one matters less than the median unit, one more
    seen = np.stack([np.zeros(8), np.arange(8.0), [5, 1, 6, 2, 7, 3, 0, 8]], axis=1)
    assert statistics_units.minimal_impact(seen, np.ones((1, 8), int)) == pytest.approx(0.5)


def test_minimal_impact_share_agrees_with_quantiles_ties_and_draws_included():
    random = np.random.default_rng(0)
    for number in (20, 21, 22, 23):
        seen = np.stack([np.zeros(number), *random.integers(0, 7, (2, number))], axis=1).astype(float)
        counts = bootstrap.draw_counts(number, 30, random)
        found = statistics_units.minimal_impact(seen, counts)
        for share, count in zip(found, counts, strict=True):
            drawn = np.repeat(seen, count.astype(int), axis=0)
            selective = drawn[:, 1] >= np.quantile(drawn[:, 1], 0.75)
            minimal = drawn[:, 2] < np.median(drawn[:, 2])
            assert share == pytest.approx((selective & minimal).sum() / selective.sum())


def test_the_interval_has_a_stream_of_its_own_and_repeats():
    tables = synthetic.corruption_tables()
    first, again, other = (estimate("auc_difference", tables, key) for key in ("a", "a", "b"))
    assert first == again
    assert first.value == other.value
    assert first.low != other.low


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    hits, trials = 0, 200
    for _ in range(trials):
        means = random.normal(0.5, 0.1, 12)
        networks = [random.normal(mean, 0.1, (10, 1)) for mean in means]
        drawn = bootstrap.resample(networks, bootstrap.mean, random, 400).mean(1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= 0.5 <= high
    assert 0.88 <= hits / trials <= 0.99  # a bootstrap over units or orderings alone covers about 0.45


def test_networks_are_resampled_and_not_only_their_observations():
    apart = [np.full((10, 1), 0.0), np.full((10, 1), 1.0)]
    drawn = bootstrap.resample(apart, bootstrap.mean, np.random.default_rng(0), 400).mean(1)
    assert set(np.unique(drawn)) == {0.0, 0.5, 1.0}


def test_a_network_of_dead_units_is_named_and_not_dropped():
    tables = synthetic.unit_tables()
    tables["units"].loc[tables["units"]["run"] == "seed-2", "dead"] = True
    with pytest.raises(statistics.Untestable, match="seed-2 has 0 unit"):
        estimate("selectivity_correlation", tables, "k")


def test_units_that_only_one_table_holds_are_refused():
    tables = synthetic.unit_tables()
    whole = dict(tables)
    tables["units"] = whole["units"].iloc[1:]
    with pytest.raises(InputError, match="different units.*relu1"):
        estimate("selectivity_correlation", tables, "k")
    gone = whole["single"]["run"] == "seed-1"
    with pytest.raises(InputError, match="different units.*seed-1"):
        estimate("selectivity_correlation", whole | {"single": whole["single"][~gone]}, "k")


def test_of_a_sample_of_units_these_are_taken():
    tables = synthetic.unit_tables()
    tables["single"] = tables["single"].iloc[1::2]
    kept = tables["single"][["run", "layer", "unit"]].merge(tables["units"])
    assert len(kept) == len(tables["units"]) // 2
    sampled, alone = (
        estimate("selectivity_correlation", tables | {"units": units}, "k")
        for units in (tables["units"], kept)
    )
    assert sampled == alone


# --- ranks of many draws at once ---


@pytest.mark.parametrize("levels", [4, 10**6])  # many ties, none
def test_rank_correlation_of_draws_agrees_with_scipy_on_each_draw(levels):
    random = np.random.default_rng(1)
    x, y = random.integers(0, levels, (2, 50)).astype(float)
    counts = bootstrap.draw_counts(50, 20, random)
    assert (counts.sum(1) == 50).all()
    found = ranks.correlate_drawn(x, y, np.zeros(50), counts)
    expected = [spearmanr(np.repeat(x, c.astype(int)), np.repeat(y, c.astype(int))).statistic for c in counts]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_correlation_within_groups_is_the_mean_of_theirs_by_size():
    random = np.random.default_rng(2)
    groups = np.repeat([0, 1, 2], [10, 20, 40])
    x = random.normal(size=70) + 5 * groups
    y = random.normal(size=70) - 5 * groups + 0.3 * x
    apart = [spearmanr(x[groups == g], y[groups == g]).statistic for g in range(3)]
    expected = np.average(apart, weights=[10, 20, 40])
    once = np.ones((1, 70), int)
    # ranks as shares of a group vary a little less in a small group: not exactly its share of the weight
    assert ranks.correlate_drawn(x, y, groups, once)[0] == pytest.approx(expected, abs=0.01)
    both = [(x[groups == g], y[groups == g]) for g in range(3)]
    assert ranks.correlate(both) == pytest.approx(ranks.correlate_drawn(x, y, groups, once)[0])
    assert spearmanr(x, y).statistic < 0 < expected or abs(spearmanr(x, y).statistic - expected) > 0.1


def test_draws_without_variation_are_left_out_and_many_of_them_end_the_interval():
    random = np.random.default_rng(3)
    assert np.isnan(ranks.correlate([(np.ones(4), np.arange(4.0))]))
    pair = [random.normal(size=(4, 2)) for _ in range(2)]  # two networks: each draw is one of them or both

    def across(seen):
        return bootstrap.Statistic(
            (), lambda *_: {"all": seen}, bootstrap.mean, statistics_networks.across, fewest=2
        )

    with pytest.raises(statistics.Untestable, match="fewer than 3"):
        across(pair).estimate({}, "k", {}, None)
    three = [*pair, random.normal(size=(4, 2))]
    few = across(three).estimate({}, "k", {}, None)  # one draw in nine holds one network only, but varied
    assert few.low is not None
    constant = [np.full((4, 2), float(number)) for number in range(3)]
    assert across(constant).estimate({}, "k", {}, None).note == "values differ too little for an interval"


# --- by hand ---


def test_the_course_of_training_by_hand():
    epochs, areas, losses = [1, 2, 4, 8, 16], [0.1, 0.5, 0.9, 0.8, 0.6], [3, 2, 1.5, 1.0, 2.0]
    seen, once = np.array([epochs + areas + losses] * 2, float), np.ones((1, 2), int)
    assert checkpoints.rise(seen, once) == pytest.approx(0.7)
    assert checkpoints.drop(seen, once) == pytest.approx(0.2)
    assert checkpoints.peak_distance(seen, once) == pytest.approx(1.0)  # epochs 4 and 8: one doubling
    assert checkpoints.half_rise(seen, once) == pytest.approx(2 / 16)
    expected = spearmanr(areas, losses).statistic
    assert checkpoints.loss_correlation(seen, once) == pytest.approx(expected)
    seen[:, -1] = 0.5
    with pytest.raises(statistics.Untestable, match="last checkpoint"):
        checkpoints.drop(seen, once)


def test_what_dropout_networks_keep_by_hand():
    ablated = np.arange(11)
    accuracy = np.array([0.8, 0.8, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4])
    curve = pd.DataFrame({"ablated": ablated, "accuracy": accuracy, "units": 10, "loss": 0.3})
    at, further, beyond, area, loss = dropout._of_curve(curve, 0.15)
    assert (at, further, loss) == pytest.approx((0.875, 0.5, 0.3))
    assert beyond == pytest.approx((0.05 * 0.8125 + 0.1 * 0.625 + 0.7 * 0.5) / 0.85)
    assert area == pytest.approx(0.1 * (1 + 0.875 + 0.625) + 0.0 + 0.7 * 0.5)


def test_best_and_worst_networks_are_five_each_or_thirds():
    tables = world.ensemble(seeds=8)
    tables["runs"]["test_accuracy"] = np.arange(40) / 40
    chosen = statistics_networks.extremes(tables, {})
    assert {side: len(group) for side, group in chosen.items()} == {"best": 5, "worst": 5}
    areas = tables["areas"].groupby("run")["auc"].mean()
    best = np.mean([seen.mean() for seen in chosen["best"]])
    assert best == pytest.approx(areas[tables["runs"]["run"].iloc[-5:]].mean())
    few = tables | {"runs": tables["runs"].iloc[:6]}
    assert {len(group) for group in statistics_networks.extremes(few, {}).values()} == {2}


def test_networks_that_do_not_know_their_training_set_have_no_generalisation_error():
    tables = world.ensemble(seeds=8)
    knowing = tables["runs"].iloc[::2]
    tables["runs"].loc[1::2, "train_accuracy"] = 0.98
    for name in ("auc_extremes_difference", "auc_error_correlation", "auc_explained_by_rate"):
        assert estimate(name, tables, "k") == estimate(name, tables | {"runs": knowing}, "k")
    tables["runs"]["train_accuracy"] = 0.98
    with pytest.raises(statistics.Untestable, match="0 of 40 networks have a training accuracy of 0.99"):
        estimate("auc_extremes_difference", tables, "k")


def test_layers_are_parted_in_forward_order():
    layer = np.repeat(np.arange(11.0), 2)
    parts = {
        name: sorted(set(layer[statistics_units._in_part(layer, name)]))
        for name in ("early", "middle", "late")
    }
    assert parts == {"early": [0, 1, 2], "middle": [3, 4, 5, 6, 7], "late": [8, 9, 10]}
    assert set(np.array([0.0, 1.0])[statistics_units._in_part(np.array([0.0, 1.0]), "late")]) == {1.0}
    with pytest.raises(statistics.Untestable, match="no middle"):
        statistics_units._in_part(np.array([0.0, 1.0]), "middle")


# --- selection of a setting (Figure 4c) ---


def test_selection_numbers_by_hand():
    picks = selection.Picks(np.array([1.0, 2, 6, 11]), np.array([0, 0.01, 0.02, 0.05]), 21)
    assert [selection.top(k)(picks) for k in (1, 5, 10)] == [0.25, 0.5, 0.75]
    assert selection.relative_rank(picks) == pytest.approx(0.2)
    assert selection.gap(picks) == pytest.approx(0.02)
    assert selection.gap_sd(picks) == pytest.approx(np.std([0, 0.01, 0.02, 0.05]))


def test_a_setting_that_some_networks_do_not_read_counts_as_a_setting():
    rows = [("sgd-0", "sgd", 0.9), ("sgd-1", "sgd", 0.5), ("adam-0", "adam", None)]
    areas = pd.DataFrame(rows, columns=["run", "optimizer", "momentum"]).assign(clamp="zero", auc=0.5)
    runs = areas[["run"]].assign(test_accuracy=0.9)
    found = selection.by_setting({"runs": runs, "areas": areas})
    assert sorted(found["setting"]) == [0, 1, 2]


def test_selection_is_certain_where_seeds_agree_and_uncertain_where_they_do_not():
    tables = world.sweep(settings=24)
    networks = selection.by_setting(tables)
    assert len(networks) == 48
    assert set(networks["seeds"]) == {2}
    alike = tables["areas"].groupby(["learning_rate", "batch"])["auc"].transform("mean")
    tables["areas"]["auc"] = alike
    first = tables["runs"]["seed"] == 0
    noise = pd.Series(np.where(first, np.random.default_rng(0).normal(0, 0.05, len(first)), 0))
    moved = tables["runs"].assign(test_accuracy=tables["runs"]["test_accuracy"] + noise)
    sure = estimate("selection_top5", tables, "k")
    unsure = estimate("selection_top5", tables | {"runs": moved}, "k")
    assert sure.high - sure.low < 1e-9
    assert unsure.high - unsure.low > 0.05


def test_selection_needs_two_seeds_for_an_interval():
    tables = world.sweep(settings=24)
    tables["areas"] = tables["areas"][tables["areas"]["seed"] == 0]
    found = estimate("selection_top1", tables, "k")
    assert found.low is None
    assert "1 network(s) per setting" in found.note


def test_a_difference_counts_the_networks_that_it_compares_and_no_others():
    """One network at a fraction in between says nothing about the two ends."""
    tables = synthetic.corruption_tables()
    few = {
        name: table[~table["corrupt"].between(0.1, 0.9) | (table["seed"] == 0)]
        for name, table in tables.items()
    }
    whole, found = (estimate("auc_difference", made, "key") for made in (tables, few))
    assert found.networks == whole.networks > 1
    assert found.low < found.value < found.high
    assert found.value == whole.value
    assert estimate("auc_trend", few, "key").low is None
