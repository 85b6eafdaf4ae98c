import numpy as np

from directions.analyses import unit_scores
from directions.analyses.ablate_ordered import SCORES

LAYERS = {"a": 3, "b": 4}


def order(*values, **how):
    return unit_scores.order(np.array(values, dtype=float), LAYERS, **how).tolist()


def test_every_score_that_a_config_may_name_is_computed():
    assert set(SCORES) == {*unit_scores.ACTIVITY, "importance", "l1"}


def test_units_without_a_score_come_last_from_either_end():
    values = 3, np.nan, 1, 9, 7, np.nan, 8
    assert order(*values, highest=True, within=False) == [3, 6, 4, 0, 2, 1, 5]
    assert order(*values, highest=False, within=False) == [2, 0, 4, 6, 3, 1, 5]


def test_within_layers_the_same_fraction_of_each_goes():
    assert order(1, 2, 3, 40, 10, 30, 20, highest=True, within=True) == [3, 2, 5, 1, 6, 0, 4]
    assert order(1, 2, 3, 40, 10, 30, 20, highest=True, within=False)[:4] == [3, 5, 6, 4]
