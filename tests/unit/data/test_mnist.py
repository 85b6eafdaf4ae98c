import numpy as np
import pytest
from data_samples import idx

from directions.core.errors import InputError
from directions.data.mnist import decode_idx


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (0,)])
def test_idx_of_any_shape(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(decode_idx(idx(array), "f"), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\0",
        b"\0\0\x0d\x01\0\0\0\x01\0",
        b"\0\0\x08\x02\0\0\0\x01",
        idx(np.zeros((2, 3), np.uint8))[:-1],
        idx(np.zeros((2, 3), np.uint8)) + b"\0",
        b"\0\0\x08\x03" + b"\xff" * 12,
        b"\0\0\x08\x04" + b"\0\1\0\0" * 4,  # 2 to the 64: nothing, if the product overflowed
    ],
)
def test_what_is_not_idx_is_refused_by_name(content):
    with pytest.raises(InputError, match="labels-file"):
        decode_idx(content, "labels-file")
