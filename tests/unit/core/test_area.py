import numpy as np
import pytest

from directions.core.area import area


def test_a_constant_curve_has_its_own_height():
    assert area(np.array([0, 3, 10]), np.full(3, 0.7)) == pytest.approx(0.7)


def test_a_step_worked_out_by_hand():
    """Accuracy 1 up to 4 of 10 units, 0 from 5 on: 0.4 and half of a tenth."""
    assert area(np.arange(11), np.r_[np.ones(5), np.zeros(6)]) == pytest.approx(0.45)


def test_only_the_share_of_units_counts_and_uneven_grids_are_weighted():
    line = np.linspace(1, 0, 11)
    assert area(np.arange(11), line) == pytest.approx(0.5)
    assert area(np.arange(11)[[0, 1, 2, 10]] * 7, line[[0, 1, 2, 10]]) == pytest.approx(0.5)
