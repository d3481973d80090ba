"""Weekly counts over years: the season is no news, an outbreak is."""

import numpy as np

from detectors import create

WEEK = 604_800
START = 1_104_537_600  # 2005-01-01


def test_a_yearly_season_is_silent_and_an_outbreak_in_its_trough_is_not():
    rng, weeks, n = np.random.default_rng(1), 8 * 52, 40
    year = np.exp(0.8 * np.cos(2 * np.pi * np.arange(weeks) / 52.18))
    counts = rng.poisson(8 * year[:, None] * np.ones(n))
    bank = create("weekly", n_series=n, window_seconds=WEEK, season="yearly")
    p = np.ones(counts.shape)
    for t, row in enumerate(counts):
        p[t] = bank.score(START + t * WEEK, row).p_value
        bank.learn(START + t * WEEK, row)
    late = p[4 * 52 :]
    assert (late < 0.01).mean() < 0.015
    assert late.min() > 1e-6
    trough = bank.score(START + weeks * WEEK, np.full(n, 60))
    assert (trough.p_value < 1e-6).all()


def test_a_trend_is_followed():
    rng, weeks, n = np.random.default_rng(2), 10 * 52, 20
    mean = 5 * np.exp(0.002 * np.arange(weeks))
    bank = create("weekly", n_series=n, window_seconds=WEEK)
    for t, m in enumerate(mean):
        bank.learn(START + t * WEEK, rng.poisson(m, n))
    expected = bank.score(START + weeks * WEEK, np.zeros(n, int)).expected
    assert abs(expected.mean() / mean[-1] - 1) < 0.1
