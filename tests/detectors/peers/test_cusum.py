"""The chart adds up likelihood ratios, finds what no single window shows, and begins again after an alarm."""

import numpy as np
import pytest
from scipy import stats

from detectors import create

DAY, START = 86_400, 1_704_067_200


def grown(counts, **options):
    bank = create("cusum", n_series=1, window_seconds=DAY, **options)
    for t, y in enumerate(counts):
        bank.learn(START + t * DAY, np.array([y]))
    return bank


def test_a_step_is_the_log_likelihood_ratio():
    counts = np.random.default_rng(1).negative_binomial(4, 0.4, 80)
    bank = grown(counts, restart_above=1e9)
    bank.arrays["chart"][:] = 0.0
    weights = 0.5 ** (np.arange(80)[::-1] / 28)
    mean = np.average(counts, weights=weights)
    phi = np.average((counts - mean) ** 2, weights=weights) / mean
    size = mean / (phi - 1)
    usual, high = (stats.nbinom(size, size / (size + m)) for m in (mean, 2 * mean))
    expected = high.logpmf(30) - usual.logpmf(30)
    assert -np.log(bank.score(START + 80 * DAY, np.array([30])).p_value[0]) == pytest.approx(expected, rel=1e-9)


def test_a_slow_rise_adds_up():
    rng = np.random.default_rng(2)
    bank = grown(rng.poisson(4, 60))
    first = bank.score(START + 60 * DAY, np.array([8])).p_value[0]
    p = [first]
    for t in range(60, 66):
        bank.learn(START + t * DAY, np.array([8]))
        p.append(bank.score(START + (t + 1) * DAY, np.array([8])).p_value[0])
    assert first > 0.05
    assert min(p) < 2e-4


def test_a_chart_that_has_alarmed_or_is_in_an_incident_begins_again():
    counts = np.random.default_rng(3).poisson(4, 60)
    for hold in (None, np.array([True])):
        bank = grown(counts)
        bank.learn(START + 60 * DAY, np.array([60 if hold is None else 9]), hold=hold)
        assert bank.arrays["chart"][0] == 0


def test_a_rise_must_be_one():
    with pytest.raises(ValueError, match="times"):
        create("cusum", n_series=1, window_seconds=DAY, times=1.0)
