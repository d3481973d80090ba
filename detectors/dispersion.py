"""Over-dispersion theta (variance = mean (1 + theta)) of each series by empirical Bayes: its own, shrunk to its stratum's.

A sparse series says little about its own theta, and a plug-in estimate makes chance clusters look impossible: pooling
over series of about the same rate, and keeping what stays uncertain, is what makes deep tails honest.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Floats, Indices, Ints
from detectors.state import Arrays
from detectors.strata import STRATA

USUAL, USUAL_SPREAD = 1.0, 1.0  # theta and its standard deviation between series where nothing is known
POOL_COUNTS, POOL_SERIES = 30.0, 10.0  # weight of that prior in a pool
MOST_COUNTS = 300.0  # no series weighs more in a pool: one that has gone wrong must not set everyone's theta
LEAST, MOST = 0.02, 200.0


class Dispersion:
    """`excess`: sum over windows of (count - mean)^2 - count; `basis`: of counts; their quotient is a series' own theta.

    Both are weighted by how well the window's mean was known, and scaled like the level.
    """

    def __init__(self, n_series: int) -> None:
        self.excess, self.basis = np.zeros(n_series, np.float32), np.zeros(n_series, np.float32)
        self.theta = np.full(STRATA, USUAL)
        self.variance = np.full(STRATA, USUAL_SPREAD**2)

    def copy(self) -> Dispersion:
        other = object.__new__(Dispersion)
        other.__dict__.update(self.__dict__)
        other.excess, other.basis = self.excess.copy(), self.basis.copy()
        return other

    def learn(
        self, index: Ints, counts: Floats, mean: Floats, theta: Floats, relative: Floats, doubt: Floats, scale: float
    ) -> None:
        """Take in windows with counts > 0 only. `relative`: relative variance of the level; `doubt`: of the profile.

        The windows without counts owe mean^2 each; they are paid here, in expectation, by those with counts.
        """
        none = np.exp(-mean * np.log1p(theta) / theta)  # chance of no count at all
        owed = mean * mean * none / np.maximum(1 - none, 1e-12)
        unsure = mean * mean * relative / np.maximum(1 - none, 1e-12)
        weight = scale / (1 + mean * doubt / (1 + theta)) ** 2
        self.excess[index] += ((counts - mean) ** 2 - counts + owed - np.minimum(unsure, mean)) * weight
        self.basis[index] += counts * weight

    def posterior(self, index: Ints, rate: Floats, strata: Indices, scale: float) -> tuple[Floats, Floats]:
        """Theta and its standard deviation, float64[m]. `rate`: expected in a learnt window."""
        seen = self.basis[index] / scale
        pooled, between = self.theta.take(strata), self.variance.take(strata)
        own = self.excess[index] / scale / np.maximum(seen, 1e-9)
        sampling = sampling_variance(pooled, rate) / np.maximum(seen, 1e-9)
        trust = between / (between + sampling)
        theta = np.clip(pooled + trust * (own - pooled), LEAST, MOST)
        return theta, np.sqrt((1 - trust) * between)

    def refresh(self, rate: Floats, strata: Indices, scale: float) -> None:
        """Pool anew, over all series: expected in a learnt window, stratum."""
        seen = self.basis / scale
        weight = np.minimum(seen, MOST_COUNTS)
        own = self.excess / scale / np.maximum(seen, 1e-9)
        total = float(weight.sum())
        overall = (float(weight @ own) + POOL_COUNTS * USUAL) / (total + POOL_COUNTS)
        sums = np.bincount(strata, weight, STRATA)
        means = np.bincount(strata, weight * own, STRATA)
        self.theta = np.clip((means + POOL_COUNTS * max(overall, LEAST)) / (sums + POOL_COUNTS), LEAST, MOST)
        pooled = self.theta.take(strata)
        sampling = sampling_variance(pooled, rate) / np.maximum(seen, 1e-9)
        # Weighted by precision, so that series which say something about their theta decide how thetas differ.
        precision = 1 / (sampling + 0.25 * pooled * pooled) ** 2
        surplus = np.minimum((own - pooled) ** 2, 25 * pooled * pooled + 25 * sampling) - sampling
        by = np.bincount(strata, precision * surplus, STRATA)
        norm = np.bincount(strata, precision, STRATA)
        heaviest = np.zeros(STRATA)
        np.maximum.at(heaviest, strata, precision)
        effective = norm / np.maximum(heaviest, 1e-300)
        spread = np.divide(by, norm, out=np.zeros(STRATA), where=norm > 0)
        prior = (USUAL_SPREAD / USUAL * self.theta) ** 2 * 0.3
        self.variance = np.maximum(
            (effective * spread + POOL_SERIES * prior) / (effective + POOL_SERIES), 0.01 * self.theta**2
        )

    def grow(self, n_series: int) -> None:
        new = np.zeros(n_series - len(self.excess), np.float32)
        self.excess, self.basis = np.concatenate([self.excess, new]), np.concatenate([self.basis, new])

    def keep(self, index: Ints) -> None:
        self.excess, self.basis = self.excess[index], self.basis[index]

    def rescale(self, factor: float) -> None:
        self.excess *= np.float32(factor)
        self.basis *= np.float32(factor)

    def state(self) -> Arrays:
        return {"excess": self.excess, "basis": self.basis, "theta": self.theta, "variance": self.variance}

    def load(self, arrays: Arrays) -> None:
        self.excess, self.basis = arrays["excess"], arrays["basis"]
        self.theta, self.variance = arrays["theta"], arrays["variance"]


def sampling_variance(theta: Floats, rate: Floats) -> Floats:
    """Variance of a series' own theta times the complaints it rests on, for negative binomial windows of mean `rate`."""
    out: Floats = theta * (2 + theta * (8 + 6 * theta)) + 2 * (1 + theta) ** 2 * rate
    return out
