"""A brand whose mentions come in cascades is judged by its own record."""

from itertools import pairwise

import numpy as np

from benchmarks.detection import mentions
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


def told(counts, hold_from=None):
    """p-values of one brand; from row `hold_from` on it stands in an open incident."""
    bank, found = create("tweets", n_series=1, window_seconds=WINDOW), []
    for t, y in enumerate(counts):
        found.append(float(bank.score(MONDAY + t * WINDOW, np.array([y])).p_value[0]))
        bank.learn(MONDAY + t * WINDOW, np.array([y]), np.array([hold_from is not None and t >= hold_from]))
    return np.array(found)


def test_a_cascade_is_news_as_it_breaks_out_and_a_larger_one_on_top_of_it_again():
    rng, n = np.random.default_rng(2), 288 * 10
    counts = rng.poisson(10 * rng.gamma(4, 1 / 4, n + 60))
    counts[n:] += (400 * 0.7 ** np.arange(60)).astype(int)
    counts[n + 30] += 6000
    p = told(counts)
    assert p[n] < 1e-3
    assert (p[n + 3 : n + 30] == 1).all()
    assert p[n + 30] < p[n] / 2


def test_what_goes_on_is_told_again_only_as_it_gets_half_as_likely():
    rng, n = np.random.default_rng(2), 288 * 10
    counts = rng.poisson(10 * rng.gamma(4, 1 / 4, n + 24))
    counts[n:] += 400
    p = told(counts)[n:]
    again = p[p < 1]
    assert 1 <= len(again) <= 4
    assert (again[1:] <= again[:-1] / 2).all()


def test_inside_an_open_incident_what_lasts_stays_unusual():
    rng, n = np.random.default_rng(2), 288 * 10
    counts = rng.poisson(10 * rng.gamma(4, 1 / 4, n + 24))
    counts[n:] += 400
    assert (told(counts, hold_from=n + 1)[n:] < 1e-3).all()


def test_of_the_largest_the_larger_is_more_surprising_however_far_out():
    rng, n = np.random.default_rng(3), 288 * 10
    bank = create("tweets", n_series=1, window_seconds=WINDOW)
    for t, y in enumerate(rng.poisson(10 * rng.gamma(4, 1 / 4, n))):
        bank.learn(MONDAY + t * WINDOW, np.array([y]))
    far = [float(bank.score(MONDAY + n * WINDOW, np.array([y])).p_value[0]) for y in (300, 3000, 30_000, 300_000)]
    assert all(later < 0.5 * earlier for earlier, later in pairwise(far))


def test_heavy_tails_and_cascades_are_no_rarer_than_it_says():
    """Eight simulated brands whose mentions come in cascades: at most three times as many windows under a p as the p says."""
    simulated = mentions.simulate(5, 8).counts[: 288 * 35]
    p = 10 ** -mentions.surprise("tweets", simulated)[288 * 14 :]
    for cut in (1e-2, 1e-3):
        assert cut / 10 <= (p <= cut).mean() <= 3 * cut
