"""The distance of a study from the paper: none where the curves are the paper's own; elsewhere by hand."""

import numpy as np
import pytest
import synthetic_claims as world
import synthetic_paper as theirs

from directions.claims import distance
from directions.claims.statistics import Untestable

FIGURES = theirs.FIGURES


def test_the_paper_s_own_curves_are_at_no_distance():
    corruption, course = world.paper_of("mnist_corruption"), world.paper_of("mnist_early_stopping")
    found = distance.to_paper(corruption, course, FIGURES)
    assert found["areas"] < 0.002
    assert found["noise"] < 0.03
    assert found["end"] < 0.003
    assert found["correlation"] < 0.03
    assert found["peak_epoch"] < 0.1
    assert found["lowest_loss_epoch"] < 0.05
    parts = [value for name, value in found.items() if name != "distance"]
    assert len(parts) == 6
    assert found["distance"] == pytest.approx(np.mean(parts))


def test_areas_that_are_all_off_by_a_tenth_are_a_tenth_away_whatever_the_sign():
    tables = world.paper_of("mnist_corruption")
    areas = tables["areas"]
    sign = np.where(areas["corrupt"] > 0.5, 1, -1)
    moved = tables | {"areas": areas.assign(auc=areas["auc"] + 0.1 * sign)}
    assert distance.of_areas(moved, FIGURES) == pytest.approx(0.1, abs=0.002)


def test_twice_the_noise_for_the_same_accuracy_is_the_logarithm_of_two_away():
    tables = world.paper_of("mnist_corruption")
    noise = tables["noise"]
    moved = tables | {"noise": noise.assign(noise_sd_ratio=2 * noise["noise_sd_ratio"])}
    same = distance.of_noise(tables, FIGURES)
    assert distance.of_noise(moved, FIGURES) == pytest.approx(np.log(2), abs=same + 0.001)


def test_a_course_of_twice_the_length_is_the_logarithm_of_two_away_in_epochs_only():
    tables = world.paper_of("mnist_early_stopping")
    checkpoints = tables["checkpoints"]
    moved = tables | {"checkpoints": checkpoints.assign(epoch=2 * checkpoints["epoch"])}
    before, after = (distance.of_course(course, FIGURES) for course in (tables, moved))
    assert after["lowest_loss_epoch"] == pytest.approx(np.log(2), abs=before["lowest_loss_epoch"] + 1e-9)
    assert after["peak_epoch"] == pytest.approx(np.log(2), abs=before["peak_epoch"] + 1e-9)
    assert after["end"] == pytest.approx(before["end"])
    assert after["correlation"] == pytest.approx(before["correlation"])


def test_an_area_that_never_drops_is_a_twentieth_away_at_the_end():
    found = distance.of_course(world.course("never drops"), FIGURES)
    assert found["end"] == pytest.approx(1 - 0.9502 / 0.999, abs=0.001)
    assert found["correlation"] > 0.728


def test_a_study_without_a_fraction_has_no_distance():
    tables = world.paper_of("mnist_corruption")
    fewer = tables | {"runs": tables["runs"].query("corrupt != 0.4")}
    with pytest.raises(Untestable, match="no network with corrupt=0.4"):
        distance.of_areas(fewer, FIGURES)
