"""Over-dispersion is found in sparse series by pooling, and one series gone wrong does not set it for all."""

import numpy as np

from detectors.dispersion import Dispersion


def taught(counts: np.ndarray, mean: np.ndarray) -> tuple[Dispersion, np.ndarray]:
    n = counts.shape[1]
    bank = Dispersion(n)
    for row in counts:
        i = np.flatnonzero(row)
        bank.learn(i, row[i].astype(float), mean[i], np.full(len(i), 0.5), np.zeros(len(i)), np.zeros(len(i)), 1.0)
    strata = np.zeros(n, np.int64)
    bank.refresh(mean, strata, 1.0)
    return bank, strata


def test_sparse_series_share_the_theta_that_none_of_them_shows_alone():
    rng, n, windows, theta = np.random.default_rng(1), 400, 500, 1.0
    mean = np.full(n, 0.05)
    counts = rng.negative_binomial(0.05 / theta, 1 / (1 + theta), (windows, n))
    bank, strata = taught(counts, mean)
    own, sd = bank.posterior(np.arange(n), mean, strata, 1.0)
    assert 0.8 < bank.theta[0] < 1.2
    assert own.std() < 0.5
    assert (sd > 0).all()


def test_busy_series_keep_their_own_theta():
    rng, n = np.random.default_rng(2), 60
    true = np.where(np.arange(n) < 30, 0.2, 3.0)
    mean = np.full(n, 5.0)
    counts = rng.negative_binomial(5 / true, 1 / (1 + true), (400, n))
    bank, strata = taught(counts, mean)
    own, _ = bank.posterior(np.arange(n), mean, strata, 1.0)
    assert np.abs(np.log(own / true)).mean() < 0.3


def test_one_series_gone_wrong_does_not_set_the_theta_of_all():
    rng, n = np.random.default_rng(3), 200
    mean = np.full(n, 0.5)
    counts = rng.poisson(0.5, (500, n))
    counts[::25, 0] += 200
    bank, _ = taught(counts, mean)
    assert bank.theta[1] < 2
    assert bank.theta[0] < 3
