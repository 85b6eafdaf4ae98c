import numpy as np
import torch

from directions.core.seeds import number, stream, torch_stream


def test_streams_with_other_names_are_independent_and_the_same_name_repeats():
    draws = {key: stream(*key).random(4) for key in [("labels", 0), ("labels", 1), ("order", 0)]}
    assert len({tuple(values) for values in draws.values()}) == 3
    np.testing.assert_array_equal(stream("labels", 0).random(4), draws["labels", 0])


def test_streams_are_the_same_on_every_machine_and_version():
    assert number("labels", 0) == 7165601444104957342
    np.testing.assert_array_equal(stream("labels", 0).permutation(8), [6, 3, 2, 4, 7, 0, 1, 5])


def test_global_generators_are_not_touched():
    torch.manual_seed(1)
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    stream("a").random()
    torch.rand(1, generator=torch_stream("a"))
    np.testing.assert_array_equal(np_state, np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(torch_state, torch.get_rng_state())
