"""How much year is in a series: four log-linear models of it, each weighed by how well it has foretold the counts.

A multi-process model of class I (West and Harrison 1997, chapter 12). A series without a season, fitted with one, pays
for it in every forecast; told apart by evidence, both kinds keep what is theirs.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from detectors.base import Bools, Floats, Indices
from detectors.harmonic import Harmonic
from detectors.state import Arrays

NONE = 1e-6
MODELS = np.array(  # variances before the first count: level, trend a year, cosine and sine of the year, of half a year
    [
        [4.0, NONE, NONE, NONE, NONE, NONE],
        [4.0, NONE, 0.15, 0.15, NONE, NONE],
        [4.0, 0.01, 0.15, 0.15, NONE, NONE],
        [4.0, 0.01, 0.15, 0.15, 0.05, 0.05],
    ]
)
LEAST_EVIDENCE = -20.0  # logarithm; a model that has been wrong for years can come back


class Seasons:
    """`evidence`: float64[models, n], logarithm of each model's chance over the best one's."""

    def __init__(self, n_series: int, window_seconds: int) -> None:
        self.models = [Harmonic(n_series, window_seconds, start) for start in MODELS]
        self.evidence = np.zeros((len(MODELS), n_series))

    def copy(self) -> Seasons:
        other = object.__new__(Seasons)
        other.models = [model.copy() for model in self.models]
        other.evidence = self.evidence.copy()
        return other

    def forecast(self, start: int) -> tuple[Floats, Floats]:
        """Expected count and its relative variance, float64[n]: of the mixture, so what the models disagree about counts."""
        rates, spreads = (np.array(one) for one in zip(*(model.forecast(start) for model in self.models), strict=True))
        weight = np.exp(self.evidence)
        weight /= weight.sum(0)
        rate = (weight * rates).sum(0)
        return rate, (weight * rates**2 * (1 + spreads)).sum(0) / rate**2 - 1

    def learn(self, start: int, counts: Floats, exposure: Floats, phi: Floats, seen: Bools) -> None:
        """As `Harmonic.learn`; the evidence is what each model had foretold of the counts."""
        for model, evidence in zip(self.models, self.evidence, strict=True):
            rate, spread = model.learn(start, counts, exposure, phi, seen)
            mean = np.maximum(rate * exposure, 1e-12)
            evidence[seen] += _log_chance(counts, mean, mean * phi + mean * mean * spread)[seen]
        self.evidence = np.maximum(self.evidence - self.evidence.max(0), LEAST_EVIDENCE)

    def grow(self, n_series: int) -> None:
        new = n_series - self.evidence.shape[1]
        for model in self.models:
            model.grow(n_series)
        self.evidence = np.pad(self.evidence, ((0, 0), (0, new)))

    def keep(self, index: Indices) -> None:
        for model in self.models:
            model.keep(index)
        self.evidence = self.evidence[:, index]

    def state(self) -> Arrays:
        return {
            "mean": np.array([model.mean for model in self.models]),
            "cover": np.array([model.cover for model in self.models]),
            "evidence": self.evidence,
        }

    def restore(self, arrays: Arrays) -> None:
        for model, mean, cover in zip(self.models, arrays["mean"], arrays["cover"], strict=True):
            model.mean, model.cover = mean, cover
        self.evidence = arrays["evidence"]


def _log_chance(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """Of a negative binomial of this mean and variance > mean, at counts that need not be whole."""
    excess = variance - mean
    size = mean * mean / excess
    chance: Floats = special.gammaln(count + size) - special.gammaln(size) - special.gammaln(count + 1)
    return chance + size * np.log(mean / variance) + count * np.log(excess / variance)
