"""How well scores tell wrong labels from true ones, against the definition."""

import numpy as np
import pytest

from directions.claims.statistics.examples import detection, told_apart

WRONG = np.array([1, 0, 1, 0, 0], float)
SCORES = np.array([3.0, 1.0, 2.0, 2.0, 0.5])  # pairs: 3 > 1, 2, .5; 2 > 1, .5 and ties with 2: 5.5 of 6


def counted(counts) -> float:
    pairs = [
        (counts[i] * counts[j], (SCORES[i] > SCORES[j]) + (SCORES[i] == SCORES[j]) / 2)
        for i in np.flatnonzero(WRONG)
        for j in np.flatnonzero(1 - WRONG)
    ]
    return sum(n * won for n, won in pairs) / sum(n for n, _ in pairs)


def test_detection_counts_pairs():
    draws = np.array([[1, 1, 1, 1, 1], [2, 0, 1, 3, 1], [0, 1, 1, 1, 0]])
    found = detection(WRONG, SCORES, draws)
    assert found[0] == pytest.approx(5.5 / 6)
    assert found == pytest.approx([counted(draw) for draw in draws])


def test_without_wrong_labels_there_is_nothing_to_tell():
    assert np.isnan(detection(np.zeros(5), SCORES, np.ones((1, 5)))).all()
    assert np.isnan(detection(WRONG, SCORES, np.array([[0, 1, 0, 1, 1]]))).all()


def test_the_second_score_is_subtracted():
    seen = np.column_stack([WRONG, SCORES, -SCORES])
    assert told_apart(seen[:, :2], np.ones((1, 5)))[0] == pytest.approx(5.5 / 6)
    assert told_apart(seen, np.ones((1, 5)))[0] == pytest.approx(5.5 / 6 - 0.5 / 6)
