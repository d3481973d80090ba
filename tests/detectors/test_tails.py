"""Tails agree with scipy's distributions, and what is uncertain makes them heavier."""

import numpy as np
from scipy import stats

from detectors.tails import mixed, negative_binomial, upper_quantile

COUNT = np.array([0.0, 1, 3, 8, 40, 200])
MEAN = np.array([0.5, 0.01, 0.2, 2.0, 20.0, 150.0])


def test_negative_binomial_tails_equal_scipys():
    variance = MEAN * 1.7
    p = MEAN / variance
    expected = stats.nbinom.sf(COUNT - 1, MEAN * p / (1 - p), p)
    assert np.allclose(negative_binomial(COUNT, MEAN, variance), expected, rtol=1e-8)


def test_small_counts_in_any_order_have_tails_as_exact_as_large_ones():
    rng = np.random.default_rng(3)
    count = rng.integers(0, 40, 2000).astype(float)
    mean = count * rng.uniform(0.01, 1.5, 2000) + 1e-3
    variance = mean * (1 + 10 ** rng.uniform(-3, 2, 2000))
    p = mean / variance
    expected = stats.nbinom.sf(count - 1, mean * p / (1 - p), p)
    assert expected.min() < 1e-12
    assert np.allclose(negative_binomial(count, mean, variance), expected, rtol=1e-8, atol=0)


def test_without_excess_variance_the_tail_is_poissons():
    assert np.allclose(negative_binomial(COUNT, MEAN, MEAN), stats.poisson.sf(COUNT - 1, MEAN), rtol=1e-5)


def test_an_uncertain_dispersion_makes_the_deep_tail_heavier():
    one = np.ones(1)
    known = mixed(12 * one, 1 * one, 0.5 * one, 1e-6 * one, 0 * one)
    unsure = mixed(12 * one, 1 * one, 0.5 * one, 0.5 * one, 0 * one)
    assert np.allclose(known, negative_binomial(12 * one, one, 1.5 * one), rtol=1e-3)
    assert unsure > 3 * known


def test_the_band_lies_near_the_exact_quantile_for_busy_series():
    mean = np.array([20.0, 100.0, 1000.0])
    assert np.allclose(upper_quantile(mean, mean), stats.poisson.ppf(0.975, mean), rtol=0.03)
    assert (upper_quantile(np.array([1e-9, 0.0]), np.array([1e-9, 1e-12])) >= 0).all()
