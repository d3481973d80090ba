"""Snapshots come back as they were, or are refused."""

import numpy as np
import pytest

from detectors.state import pack, unpack


def test_arrays_of_any_kind_and_shape_come_back():
    arrays = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.zeros(0), "c": np.array([1.5], np.float32)}
    meta, back = unpack("kind/1", pack("kind/1", {"x": [1, None]}, arrays))
    assert meta == {"x": [1, None]}
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert np.array_equal(back[name], array)


def test_another_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="'other/1', wanted 'kind/1'"):
        unpack("kind/1", pack("other/1", {}, {}))


@pytest.mark.parametrize("at", [0, 7, 25, -1])
def test_one_flipped_bit_is_noticed(at):
    state = bytearray(pack("kind/1", {}, {"a": np.arange(9)}))
    state[at] ^= 4
    with pytest.raises(ValueError, match="state:"):
        unpack("kind/1", bytes(state))
