import logging

import numpy as np
import pytest
import torch

from directions.core.errors import InputError
from directions.interventions import batching

INPUTS, TARGETS = torch.arange(7.0), torch.arange(7)


def work_with_room_for(most: int, seen: list[int]):
    """Sums of inputs and targets; fails as PyTorch does when there are more than `most` images."""

    def work(inputs, targets, first):
        if len(inputs) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        seen.append(len(inputs))
        assert first == targets[0]
        return np.array([inputs.sum().item(), targets.sum().item()])

    return work


@pytest.mark.parametrize(("most", "parts"), [(7, [7]), (4, [3, 3, 1]), (1, [1] * 7)])
def test_what_does_not_fit_is_halved_until_it_does_and_nothing_is_counted_twice(most, parts, caplog):
    seen = []
    with caplog.at_level(logging.WARNING):
        found = batching.in_parts(work_with_room_for(most, seen), INPUTS, TARGETS, 0)
    assert seen == parts
    assert found.tolist() == [21, 21]
    assert ("out of memory with 7 images at a time: continuing with 3" in caplog.text) == (most < 7)


def test_where_one_image_is_too_much_there_is_a_clear_end():
    with pytest.raises(InputError, match="one image does not fit into the memory of cpu"):
        batching.in_parts(work_with_room_for(0, []), INPUTS, TARGETS, 0)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def work(_inputs, _targets, _first):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        batching.in_parts(work, INPUTS, TARGETS, 0)


def test_larger_layers_mean_fewer_images_and_never_none():
    cpu = torch.device("cpu")
    few, many = batching.affordable(10_000, cpu), batching.affordable(1000, cpu)
    assert 1 < few < many
    assert few * 10_000 <= batching.CACHED
    assert batching.affordable(2**30, cpu) == 1
