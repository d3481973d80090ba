"""Simulated complaint counts of many mostly sparse series in 15-minute windows, with disruptions.

Rates are log-normal over the series; eight groups have a daily and weekly rhythm of their own; counts are negative
binomial with variance phi x mean. A disruption adds k standard deviations and half a complaint a window, from its third
window on in full.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WINDOW_SECONDS = 900
WEEK = 7 * 24 * 4
MONDAY = 1_704_067_200  # 2024-01-01 00:00 UTC
GROUPS = 8
MEDIAN_RATE, LOG_SD, HIGHEST_RATE = 0.05, 2.0, 200.0
STRENGTHS = (2, 4, 8, 16)
LEAST_EXTRA = 0.5
RAMP_WINDOWS = 2


@dataclass(frozen=True)
class Disruptions:
    """Arrays of one length: which series, first window, windows, strength k."""

    series: Ints
    start: Ints
    length: Ints
    k: Ints

    def __add__(self, other: Disruptions) -> Disruptions:
        mine, theirs = vars(self).values(), vars(other).values()
        return Disruptions(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))

    def at(self, window: int) -> Ints:
        """Those going on."""
        return np.flatnonzero((window >= self.start) & (window < self.start + self.length))


def some(rng: np.random.Generator, series: Ints, first: int, last: int, lengths: tuple[int, int]) -> Disruptions:
    """One disruption for each entry of `series`, begun in [first, last), of lengths[0] to lengths[1] - 1 windows."""
    count = len(series)
    return Disruptions(
        series, rng.integers(first, last, count), rng.integers(*lengths, count), rng.choice(STRENGTHS, count)
    )


class Town:
    """The series. `counts(window)` draws one window; windows are drawn in order, each once."""

    def __init__(self, rng: np.random.Generator, n_series: int, disruptions: Disruptions) -> None:
        self.rng, self.disruptions = rng, disruptions
        self.groups = rng.integers(0, GROUPS, n_series)
        self.rates = np.minimum(MEDIAN_RATE * np.exp(LOG_SD * rng.normal(size=n_series)), HIGHEST_RATE)
        self.phi = 1 + 2 * rng.beta(1, 3, n_series)
        self.rhythm = _rhythm(rng)

    def mean(self, window: int) -> Floats:
        """What is usual, float64[n]."""
        return np.asarray(self.rates * self.rhythm[self.groups, window % WEEK], np.float64)

    def counts(self, window: int) -> Ints:
        mean = self.mean(window)
        # Gamma-Poisson with shape mean / (phi - 1): variance phi x mean.
        excess = np.maximum(self.phi - 1, 1e-6)
        drawn = self.rng.poisson(self.rng.gamma(mean / excess, excess))
        now = self.disruptions.at(window)
        if len(now):
            which = self.disruptions.series[now]
            extra = self.disruptions.k[now] * np.sqrt(self.phi[which] * mean[which]) + LEAST_EXTRA
            begun = np.minimum((window - self.disruptions.start[now] + 1) / RAMP_WINDOWS, 1.0)
            np.add.at(drawn, which, self.rng.poisson(extra * begun))
        return drawn.astype(np.int64)


def _rhythm(rng: np.random.Generator) -> Floats:
    """Mean 1 over the week, float64[groups, windows of the week]."""
    window = np.arange(WEEK)
    hour, weekend = window % 96 / 4, window // 96 >= 5
    peak = rng.uniform(12, 20, (GROUPS, 1))
    swing = rng.uniform(0.5, 1.3, (GROUPS, 1))
    angle = 2 * np.pi * (hour - peak) / 24
    shape = np.exp(swing * np.cos(angle) + 0.3 * np.cos(2 * angle))
    shape = np.where(weekend, rng.uniform(0.4, 1.2, (GROUPS, 1)) * shape, shape)
    return np.asarray(shape / shape.mean(1, keepdims=True), np.float64)


def town(n_series: int, weeks: int, seed: int, lengths: tuple[int, int] = (8, 17), past: int = 0) -> Town:
    """20 of 1,000 series are disrupted once in the last week, which is judged; `past`: so many of 1,000, a week, in the
    weeks between the first and that one. Those of the last week come first in `disruptions`."""
    rng = np.random.default_rng(seed)
    last = (weeks - 1) * WEEK
    chosen = rng.choice(n_series, max(1, n_series * 20 // 1000), replace=False)
    disruptions = some(rng, chosen, last + 16, weeks * WEEK - 40, lengths)
    if past:
        before = rng.integers(0, n_series, n_series * past * (weeks - 2) // 1000)
        disruptions += some(rng, before, WEEK, last - 40, lengths)
    return Town(rng, n_series, disruptions)
