import numpy as np
import pandas as pd
import pytest

from directions.analyses.selection import selection, settings_table
from directions.core.errors import InputError

KEYS = ["learning_rate", "batch", "seed"]


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four settings of two networks, each with two curves and a mean-clamped one that must not count."""
    keys = [(f"r{r}b{b}s{s}", r, b, s) for r in (1, 2) for b in (16, 32) for s in (0, 1)]
    runs = pd.DataFrame(keys, columns=["run", *KEYS])
    runs["test_accuracy"] = 0.5 + 0.1 * runs["learning_rate"] + 0.01 * runs["seed"]
    curves = [(0, "zero", 0.2), (1, "zero", 0.4), (0, "mean", 0.9)]
    areas = pd.concat([runs[["run"]].assign(ordering=o, clamp=c, auc=a) for o, c, a in curves])
    return areas, runs.sample(frac=1, random_state=0)  # rows belong together by name, not by place


def test_a_setting_is_the_mean_of_its_seeds_and_orderings():
    found = settings_table(*tables(), KEYS)
    assert list(found[["learning_rate", "batch"]].itertuples(index=False, name=None)) == [
        (1, 16), (1, 32), (2, 16), (2, 32)
    ]  # fmt: skip
    np.testing.assert_allclose(found["auc"], 0.3)
    np.testing.assert_allclose(found["test_accuracy"], [0.605, 0.605, 0.705, 0.705])


def test_a_setting_that_some_networks_do_not_read_is_one_of_theirs():
    areas, runs = tables()
    runs["momentum"] = np.where(runs["learning_rate"] == 1, 0.9, np.nan)
    assert len(settings_table(areas, runs, [*KEYS, "momentum"])) == 4


def test_too_few_settings_are_refused():
    areas, runs = tables()
    for keys in (["learning_rate", "seed"], ["seed"]):
        with pytest.raises(InputError, match="settings besides seed are too few to choose from"):
            settings_table(areas, runs, keys)


def of(auc, accuracy) -> pd.DataFrame:
    return pd.DataFrame({"auc": np.asarray(auc, float), "test_accuracy": np.asarray(accuracy, float)})


def test_area_that_orders_as_accuracy_does_always_picks_the_best():
    values = np.random.default_rng(0).normal(size=96)
    found = selection(of(values, values), 200)
    assert (found["settings"] == 48).all()
    assert (found["rank"] == 1).all()
    assert (found["gap"] == 0).all()


def test_area_that_orders_backwards_always_picks_the_worst():
    values = np.random.default_rng(0).normal(size=96)
    found = selection(of(-values, values), 200)
    assert (found["rank"] == 48).all()
    np.testing.assert_allclose(found["gap"], found["best_accuracy"] - found["picked_accuracy"])
    assert (found["gap"] > 0).all()


def test_area_that_knows_nothing_picks_by_chance():
    random = np.random.default_rng(1)
    ranks = [selection(of(random.normal(size=96), random.normal(size=96)), 50)["rank"] for _ in range(40)]
    assert np.mean(np.concatenate(ranks) <= 10) == pytest.approx(10 / 48, abs=0.1)


def test_subsets_are_half_of_the_settings_differ_and_repeat():
    settings = of([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    found = selection(settings, 100)
    assert (found["settings"] == 2).all()
    assert set(found["picked_auc"]) == {2, 3, 4, 5}  # the larger of two
    pd.testing.assert_frame_equal(found.head(10), selection(settings, 10))


def test_settings_as_good_as_the_pick_do_not_push_it_down():
    found = selection(of([4, 3, 2, 1], [0.9, 0.9, 0.9, 0.9]), 20)
    assert (found["rank"] == 1).all()
