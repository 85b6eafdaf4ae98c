"""A simulated cluster: cases whose end is known."""

import pytest

from directions.workflow.cluster import Network, simulate


def test_one_gpu_takes_the_sum_and_is_never_idle():
    networks = [Network(5.0, (1.0, 2.0)), Network(3.0)]
    assert simulate(networks, 1).seconds == 11
    assert simulate(networks, 1).busy == 1


def test_many_gpus_take_as_long_as_the_longest_network():
    networks = [Network(5.0, (1.0, 2.0)), Network(3.0)]
    found = simulate(networks, 10)
    assert found.seconds == max(network.longest for network in networks) == 7
    assert found.busy == pytest.approx(11 / 70)


def test_the_longest_start_first_and_analyses_fill_what_is_free():
    assert simulate([Network(1.0)] * 4 + [Network(4.0)], 2).seconds == 4
    assert simulate([Network(2.0, (2.0,)), Network(3.0)], 2).seconds == 4


def test_training_on_several_gpus_waits_for_them_and_holds_them():
    assert simulate([Network(2.0, gpus=4)], 4).seconds == 2
    assert simulate([Network(2.0, gpus=4)], 2).seconds == 4
    assert simulate([Network(2.0, gpus=4), Network(1.0)], 4).seconds == 3


def test_nothing_to_do_takes_no_time():
    assert simulate([], 3).seconds == 0
