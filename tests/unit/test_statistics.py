"""The numbers behind the claims: against SciPy, by hand, and their intervals against chance."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from scipy.stats import spearmanr

from directions import statistics
from directions.errors import InputError
from directions.statistics import estimate


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
    units = tables["units"].merge(tables["single"], on=["run", "layer", "unit"])

    def slow(column, table):
        return np.mean([spearmanr(n[column], n["importance"]).statistic for _, n in table.groupby("run")])

    live = units[~units["dead"]]
    for column, name in (("selectivity", "selectivity"), ("information_bits", "information")):
        found = estimate(f"{name}_correlation", tables, "k").value
        assert found == pytest.approx(slow(column, live))
    assert abs(slow("information_bits", units) - found) > 0.01


def test_areas_are_means_of_the_zero_clamp_only():
    tables = synthetic.corruption_tables()
    clean = tables["areas"].query("corrupt == 0")["auc"].mean()
    other = tables["areas"].assign(clamp="mean", auc=0.0)
    both = tables | {"areas": pd.concat([tables["areas"], other])}
    assert estimate("auc", both, "k", 0.0).value == pytest.approx(clean)


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
    units = np.stack([np.arange(8.0), np.zeros(8), [5, 1, 6, 2, 7, 3, 0, 8]], axis=1)
    assert statistics._minimal_impact(units[None]) == pytest.approx(0.5)


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
        drawn = statistics.resample(networks, statistics._mean, random, 400).mean(1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= 0.5 <= high
    assert 0.88 <= hits / trials <= 0.99  # a bootstrap over units or orderings alone covers about 0.45


def test_networks_are_resampled_and_not_only_their_observations():
    apart = [np.full((10, 1), 0.0), np.full((10, 1), 1.0)]
    drawn = statistics.resample(apart, statistics._mean, np.random.default_rng(0), 400).mean(1)
    assert set(np.unique(drawn)) == {0.0, 0.5, 1.0}


def test_a_network_of_dead_units_is_named_and_not_dropped():
    tables = synthetic.unit_tables()
    tables["units"].loc[tables["units"]["run"] == "seed-2", "dead"] = True
    with pytest.raises(statistics.Untestable, match="seed-2 has 0 unit"):
        estimate("selectivity_correlation", tables, "k")


def test_units_that_only_one_table_holds_are_refused():
    tables = synthetic.unit_tables()
    tables["single"] = tables["single"].iloc[1:]
    with pytest.raises(InputError, match="different units.*relu1"):
        estimate("selectivity_correlation", tables, "k")
