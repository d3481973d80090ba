"""Sums over the last windows equal a recount of the windows they say they cover."""

import numpy as np
import pytest

from detectors.sums import Sums, lengths_of, tiers_of


def recount(history: dict[int, np.ndarray], first: int, last: int, n: int) -> np.ndarray:
    return sum((v for w, v in history.items() if first <= w <= last), np.zeros(n, np.int64))


@pytest.mark.parametrize("lengths", [(1, 2, 4, 8), (24, 96), (1, 2, 4, 15, 60, 120, 360, 1440)])
def test_sums_equal_a_recount_also_after_gaps(lengths):
    rng, n, window = np.random.default_rng(5), 40, 1000
    sums, history = Sums(n, lengths), {}
    for _ in range(300):
        window += int(rng.choice([1, 1, 1, 2, 7, 30, 400], p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.08, 0.02]))
        counts = rng.poisson(0.3, n)
        sums.move(window)
        moved = np.flatnonzero(counts)
        sums.add(window, moved, counts[moved])
        history[window] = counts
        for row, first in enumerate(sums.first(window)):
            assert np.array_equal(sums.totals[row], recount(history, first, window, n)), (window, lengths[row])


def test_blocks_make_a_sum_at_most_a_third_shorter_than_its_length():
    for window_seconds in (10, 60, 300, 900, 3600, 86_400, 604_800):
        for lengths in lengths_of(window_seconds):
            for k, first in zip(lengths, Sums(1, lengths).first(10**6), strict=True):
                assert 2 / 3 * k <= 10**6 - first + 1 <= k


def test_lengths_reach_a_day_whatever_the_base_window():
    assert lengths_of(60) == ((1, 2, 4, 15, 60, 120), (360, 1440))
    assert lengths_of(900) == ((1, 2, 4, 8), (24, 96))
    assert lengths_of(3600) == ((1, 2), (4, 6, 24))
    assert lengths_of(86_400) == ((1,), (2, 4))


def test_every_length_belongs_to_one_tier():
    rows = sorted(r for _, tier in tiers_of((1, 2, 4, 38, 360, 720, 2160, 8640)) for r in tier)
    assert rows == list(range(8))


def test_kept_and_grown_series_keep_their_sums_and_lose_them_in_time():
    sums = Sums(3, (1, 4, 48))
    sums.move(0)
    sums.add(0, np.arange(3), np.array([1, 2, 3]))
    sums.keep(np.array([2, 0]))
    sums.grow(3)
    assert sums.totals.tolist() == [[3, 1, 0]] * 3
    sums.move(2)
    assert sums.totals.tolist() == [[0, 0, 0], [3, 1, 0], [3, 1, 0]]
    sums.move(100)
    assert not sums.totals.any()
