"""Recursive log-linear model of yearly series: level, trend and two harmonics of the year, updated once a window.

A dynamic generalised linear model (West, Harrison and Migon 1985): the expected count has a gamma prior whose mean and
spread the state gives; a count moves it as so many independent complaints as its over-dispersion leaves.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Bools, Floats, Indices

YEAR_SECONDS = 365.2425 * 86_400
STATES = 6  # level, trend a year, cosine and sine of the year, of half a year
MEMORY_YEARS = np.array([3.0, 6.0, 8.0, 8.0, 8.0, 8.0])
LEAST_SPREAD = 1e-5


class Harmonic:
    """`mean`: float64[n, 6] state, `cover`: float64[n, 6, 6] its covariance; one series, one row.

    `start`: float64[6], variances before the first count; 0 is not allowed, next to it leaves the state out.
    """

    def __init__(self, n_series: int, window_seconds: int, start: Floats) -> None:
        self.start = start
        self.years = window_seconds / YEAR_SECONDS
        keep = np.exp(-self.years / MEMORY_YEARS)
        self.inflate = 1 / np.sqrt(np.outer(keep, keep))
        self.mean, self.cover = self._new(n_series)

    def _new(self, n_series: int) -> tuple[Floats, Floats]:
        mean = np.zeros((n_series, STATES))
        mean[:, 0] = -1.0
        return mean, np.tile(np.diag(self.start), (n_series, 1, 1))

    def copy(self) -> Harmonic:
        other = object.__new__(Harmonic)
        other.__dict__.update(self.__dict__)
        other.mean, other.cover = self.mean.copy(), self.cover.copy()
        return other

    def design(self, start: int) -> Floats:
        """What the state is multiplied by to give the logarithm of the expected count: float64[6]."""
        phase = 2 * np.pi * (start / YEAR_SECONDS)
        return np.array([1.0, 0.0, np.cos(phase), np.sin(phase), np.cos(2 * phase), np.sin(2 * phase)])

    def forecast(self, start: int) -> tuple[Floats, Floats]:
        """Expected count and its relative variance, float64[n]."""
        f = self.design(start)
        spread = np.einsum("nij,i,j->n", self.cover, f, f)
        return np.exp(np.clip(self.mean @ f, -20.0, 20.0)), np.maximum(spread, LEAST_SPREAD)

    def learn(self, start: int, counts: Floats, exposure: Floats, phi: Floats, seen: Bools) -> tuple[Floats, Floats]:
        """Take counts (capped by the caller) of the series `seen`; all series move on by one window. Gives what `forecast` gave before."""
        f = self.design(start)
        rate, spread = self.forecast(start)
        shape, weight = 1 / spread, 1 / np.maximum(phi, 1.0)
        after = shape + counts * weight
        moved = np.log(after / (shape / rate + exposure * weight)) - np.log(rate)
        gain = (self.cover @ f) / spread[:, None]
        use = seen.astype(np.float64)
        shrink = use * spread * (1 - np.minimum(shape / after, 1.0))
        self.mean += gain * (use * moved)[:, None]
        self.cover -= gain[:, :, None] * gain[:, None, :] * shrink[:, None, None]
        self._move_on(seen)
        return rate, spread

    def _move_on(self, seen: Bools) -> None:
        """One window passes: the trend moves the level; what is known fades, but never beyond what was at the start."""
        self.mean[:, 0] += self.years * self.mean[:, 1]
        c = self.cover
        c[:, 0, :] += self.years * c[:, 1, :]
        c[:, :, 0] += self.years * c[:, :, 1]
        now = np.diagonal(c, axis1=1, axis2=2)
        fade = seen & (now <= self.start).all(1)
        c[fade] *= self.inflate

    def grow(self, n_series: int) -> None:
        mean, cover = self._new(n_series - len(self.mean))
        self.mean, self.cover = np.vstack([self.mean, mean]), np.concatenate([self.cover, cover])

    def keep(self, index: Indices) -> None:
        self.mean, self.cover = self.mean[index], self.cover[index]
