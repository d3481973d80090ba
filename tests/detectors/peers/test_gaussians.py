"""Means and spreads are those of the windows they are said to be of."""

import numpy as np
import pytest
from scipy import stats

from detectors import create

DAY, START = 86_400, 1_704_067_200


def test_ewma_forgets_and_the_windowed_gaussian_does_not_within_its_window():
    banks = [create(name, n_series=1, window_seconds=DAY) for name in ("ewma", "windowed_gaussian")]
    for bank in banks:
        for t in range(50):
            bank.learn(START + t * DAY, np.array([10 if t < 30 else 20]))
    expected = [bank.score(START + 50 * DAY, np.array([0])).expected[0] for bank in banks]
    assert expected[0] > 19
    assert expected[1] == pytest.approx(14)


def test_the_windowed_gaussian_drops_what_is_older_than_its_window():
    counts = np.random.default_rng(3).poisson(5, 180)
    bank = create("windowed_gaussian", n_series=2, window_seconds=DAY)
    for t, y in enumerate(counts):
        bank.learn(START + t * DAY, np.array([y, 0]), hold=np.array([False, t % 2 == 0]))
    p = bank.score(START + 180 * DAY, np.array([9, 1])).p_value[0]
    assert p == pytest.approx(stats.norm.sf(9, counts[-52:].mean(), counts[-52:].std()), rel=1e-9)


def test_ewma_weighs_by_age():
    counts = np.random.default_rng(4).poisson(5, 60)
    bank = create("ewma", n_series=1, window_seconds=DAY)
    for t, y in enumerate(counts):
        bank.learn(START + t * DAY, np.array([y]))
    weights = 0.5 ** (np.arange(60)[::-1] / 4)
    mean = np.average(counts, weights=weights)
    sd = np.sqrt(np.average((counts - mean) ** 2, weights=weights))
    assert bank.score(START + 60 * DAY, np.array([9])).p_value[0] == pytest.approx(stats.norm.sf(9, mean, sd), rel=1e-9)
