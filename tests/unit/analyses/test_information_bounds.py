"""Bounds by information against closed forms: nothing told, everything told, and what chance alone makes."""

import itertools
import math

import numpy as np
import pytest

from directions.analyses.information_bounds import bound, information, null_bound

VACUOUS = math.sqrt(2 * math.log(2))
HALVES = np.arange(20)[:, None] % 2 * np.ones((1, 3), int)  # every pair's coin falls alike equally often


def test_what_never_changes_tells_nothing():
    assert bound(np.full((20, 3), 2), HALVES) == 0
    assert (information(np.full((20, 3), 2), HALVES) == 0).all()


def test_what_differs_without_regard_to_the_coin_tells_nothing():
    done = np.arange(20)[:, None] // 2 % 2 * np.ones((1, 3), int)
    assert bound(done, HALVES) == pytest.approx(0, abs=1e-7)


def test_who_remembers_every_coin_tells_all():
    for done in (2 * HALVES, 2 - 2 * HALVES, 7 * HALVES + 1):
        assert information(done, HALVES) == pytest.approx(np.full(3, math.log(2)))
        assert bound(done, HALVES) == pytest.approx(VACUOUS)


def test_a_table_worked_by_hand():
    """Heads: 3 of 4 do 1, tails: 1 of 4. I = ln 2 - h(1/4), in nats; another pair tells nothing."""
    coins = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    done = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    told = math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    pairs = np.stack([done, np.zeros(8, int)], 1), np.stack([coins, coins], 1)
    assert information(*pairs) == pytest.approx([told, 0])
    assert bound(*pairs) == pytest.approx(math.sqrt(2 * told) / 2)


def expected_by_chance(splits: int) -> float:
    """Mean bound over all tables of two answers and a coin, both fair and independent: enumerated."""
    total = 0.0
    for cuts in itertools.combinations(range(splits + 3), 3):
        a, b, c, d = (high - low - 1 for low, high in itertools.pairwise((-1, *cuts, splits + 3)))
        ways = math.factorial(splits) / math.prod(map(math.factorial, (a, b, c, d)))
        done, coins = np.repeat([0, 0, 1, 1], [a, b, c, d]), np.repeat([0, 1, 0, 1], [a, b, c, d])
        total += ways / 4**splits * bound(done[:, None], coins[:, None])
    return total


@pytest.mark.parametrize(("splits", "by_chance"), [(10, 0.2852), (30, 0.1494)])
def test_by_chance_two_answers_look_informative(splits, by_chance):
    assert expected_by_chance(splits) == pytest.approx(by_chance, abs=1e-4)
    random = np.random.default_rng(0)
    done, coins = random.integers(2, size=(2, splits, 5000))
    assert bound(done, coins) == pytest.approx(by_chance, abs=0.006)
    assert null_bound(done, coins, 2, random) == pytest.approx(by_chance, abs=0.006)


def test_permuted_coins_tell_what_chance_tells_whatever_is_remembered():
    random = np.random.default_rng(0)
    coins = random.integers(2, size=(30, 5000))
    assert bound(coins, coins) > 1.1
    assert null_bound(coins, coins, 2, random) == pytest.approx(0.149, abs=0.006)


def test_a_coin_that_always_falls_alike_tells_nothing_however_permuted():
    random = np.random.default_rng(0)
    coins = np.tile([0, 1], (30, 20))
    assert null_bound(random.integers(2, size=coins.shape), coins, 3, random) == 0


def test_more_things_that_a_network_may_do_look_more_informative():
    random = np.random.default_rng(0)
    coins = random.integers(2, size=(30, 2000))
    of_kinds = [bound(random.integers(kinds, size=coins.shape), coins) for kinds in (2, 4, 100)]
    assert of_kinds == pytest.approx([0.149, 0.31, 1.07], abs=0.02)
