"""What series gained comes back as it went in, from a list or from bits, and takes few bytes."""

import numpy as np
import pytest

from detectors.blocks import load, merged, of_window, renumbered, state_of


def windows(n: int, share: float, exact: bool) -> tuple[list, np.ndarray]:
    rng = np.random.default_rng(4)
    blocks, total = [], np.zeros(n)
    for number in range(8):
        gained = rng.geometric(0.3, n) * (rng.random(n) < share) * (1 - 0.5 * exact)
        gained[7] = 300
        series = np.flatnonzero(gained)
        blocks.append(of_window(number, series, gained[series], exact))
        total += gained
    return blocks, total


def dense(blocks: list, n: int) -> np.ndarray:
    out = np.zeros(n)
    for block in blocks:
        out[block.series()] += block.values
    return out


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.2])
def test_windows_are_summed_kept_and_renumbered(share, exact):
    n = 3001
    blocks, total = windows(n, share, exact)
    block = merged(blocks, 0, n, exact)
    assert np.array_equal(dense(block, n), total)
    again = load(state_of([*block, *blocks]), exact)
    assert np.array_equal(dense(again, n), 2 * total)
    assert [one.values.dtype for one in again] == [one.values.dtype for one in (*block, *blocks)]
    stay = np.random.default_rng(5).permutation(n)[:1000]
    number = np.full(n, -1, np.int32)
    number[stay] = np.arange(1000)
    kept = renumbered(block, number, 1000)
    assert np.array_equal(dense(kept, 1000), total[stay])
    assert all((np.diff(one.series()) > 0).all() for one in kept)


def test_one_busy_series_does_not_make_the_others_wide():
    blocks, total = windows(3001, 0.2, exact=False)
    size = sum(len(array.tobytes()) for array in state_of(merged(blocks, 0, 3001, exact=False)).values())
    assert size < 3001 / 8 + np.count_nonzero(total) + 120
