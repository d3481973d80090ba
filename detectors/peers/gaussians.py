"""Mean and spread of the past with a normal tail: the windowed Gaussian of NAB, and a z-score over exponential weights.

They know no rhythm, no sparseness, no dispersion; their p-values are not calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from detectors.base import Bools, Floats, Scores
from detectors.peers.columns import Columns, empty
from detectors.state import Arrays

LEAST_WINDOWS = 7
LEAST_SD = 0.1
DAY_SECONDS = 86_400
MOST_WINDOWS = 2016
FORGOTTEN_HALF_LIVES = 64


def tail(counts: Floats, mean: Floats, square: Floats, share: Floats, known: Bools) -> Scores:
    """Normal upper tail. `mean`, `square`: of the counts and of their squares at exposure 1; p is 1 where not `known`."""
    sd = np.maximum(np.sqrt(np.maximum(square - mean * mean, 0.0)), LEAST_SD)
    expected = mean * share
    p = np.where(known, special.ndtr(-(counts - expected) / sd), 1.0)
    return Scores(p, expected, expected + 1.96 * sd)


class WindowedGaussian(Columns):
    """The windows of the week before (52 to 2,016 of them; Lavin and Ahmad 2015, NAB). 4 bytes each and series."""

    KIND = "windowed-gaussian/1"
    FILL: Mapping[str, float] = {"past": np.nan, "oldest": 0, "known": 0, "total": 0, "squares": 0}

    def __init__(self, *, n_series: int, window_seconds: float, **ignored: Any) -> None:
        length = int(np.clip(7 * DAY_SECONDS / window_seconds, 52, MOST_WINDOWS))
        arrays: Arrays = {name: np.zeros(n_series) for name in ("known", "total", "squares")}
        arrays |= {"past": np.full((length, n_series), np.nan, np.float32), "oldest": np.zeros(n_series, np.int64)}
        super().__init__(n_series, window_seconds, arrays, length)

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        index = np.arange(self.n_series)[seen]
        past, oldest = arrays["past"], arrays["oldest"]
        at = oldest[index]
        gone, new = past[at, index], row[index].astype(np.float32)
        past[at, index] = new
        gone = np.where(np.isnan(gone), 0, gone).astype(np.float64)
        new = new.astype(np.float64)
        arrays["total"][index] += new - gone
        arrays["squares"][index] += new * new - gone * gone
        arrays["known"][index] = np.minimum(arrays["known"][index] + 1, len(past))
        oldest[index] = (at + 1) % len(past)

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        known = arrays["known"]
        n = np.maximum(known, 1.0)
        mean = np.maximum(arrays["total"], 0.0) / n
        return tail(counts, mean, arrays["squares"] / n, share, known >= LEAST_WINDOWS)


class Ewma(Columns):
    """z-score over an exponentially weighted mean and variance with a half-life of a day (at least 4 windows)."""

    KIND = "ewma/1"
    FILL: Mapping[str, float] = {"known": 0, "weight": 0, "total": 0, "squares": 0}

    def __init__(self, *, n_series: int, window_seconds: float, **ignored: Any) -> None:
        half_life = max(4.0, DAY_SECONDS / window_seconds)
        self.fade = 0.5 ** (1 / half_life)
        forgets = int(FORGOTTEN_HALF_LIVES * half_life)
        super().__init__(n_series, window_seconds, empty(self.FILL, n_series), forgets)

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        arrays["known"][seen] += 1
        for name, more in (("weight", np.ones(self.n_series)), ("total", row), ("squares", row * row)):
            arrays[name][seen] = arrays[name][seen] * self.fade + more[seen]

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        weight = np.maximum(arrays["weight"], 1e-12)
        mean, square = arrays["total"] / weight, arrays["squares"] / weight
        return tail(counts, mean, square, share, arrays["known"] >= LEAST_WINDOWS)
