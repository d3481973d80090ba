"""A brand whose mentions come in cascades is judged by its own record."""

import numpy as np

from detectors import create

MONDAY, WINDOW = 1_704_067_200, 300


def test_a_cascade_like_those_seen_before_is_less_news_than_the_largest_in_weeks():
    rng, n = np.random.default_rng(1), 288 * 14
    counts = rng.poisson(10 * rng.gamma(4, 1 / 4, n))
    cascades = rng.choice(np.arange(288, n - 300), 30, replace=False)
    counts[cascades] += rng.integers(60, 120, 30)
    banks = {name: create(name, n_series=1, window_seconds=WINDOW) for name in ("default", "tweets")}
    for name, bank in banks.items():
        for t, y in enumerate(counts):
            bank.learn(MONDAY + t * WINDOW, np.array([y]))
        banks[name] = [float(bank.score(MONDAY + n * WINDOW, np.array([y])).p_value[0]) for y in (100, 600)]
    assert banks["tweets"][0] > 1e-3
    assert banks["tweets"][0] > banks["default"][0]
    assert banks["tweets"][1] < banks["tweets"][0] / 3
