"""Plain methods others use, as banks of the same contract, to compare with: mean and spread of the past, normal tail.

They know no rhythm, no sparseness, no dispersion; their p-values are not calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from detectors import inputs
from detectors.base import Scores
from detectors.state import pack, unpack

LEAST_WINDOWS = 7
DAY_SECONDS = 86_400


class Moments:
    """Compares a window with `length` windows that ended `guard` windows ago; `least_sd`: floor of the spread.

    With `half_life_windows` the past is weighted exponentially instead. Windows are kept: 4 bytes each and series.
    """

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        length: int = 7,
        guard: int = 0,
        least_sd: float = 0.5,
        half_life_windows: float | None = None,
        **ignored: Any,
    ) -> None:
        self.window, self.guard, self.least_sd = inputs.window_of(window_seconds), guard, least_sd
        age = np.arange(length)[::-1]
        weights = np.ones(length) if half_life_windows is None else 0.5 ** (age / half_life_windows)
        self.weights = weights[:, None]
        self.past = np.full((length + guard, n_series), np.nan, np.float32)  # oldest first; NaN: before its time
        self.last: int | None = None

    def score(self, start: float, counts: npt.ArrayLike, exposure: npt.ArrayLike | None = None) -> Scores:
        n = self.past.shape[1]
        begin = inputs.start_of(start, self.last, self.window)
        given, share = inputs.counts_of(counts, n), inputs.exposure_of(exposure, n)
        past = self._past(begin)[: len(self.weights)].astype(np.float64)
        known = np.isfinite(past)
        weight = np.where(known, self.weights, 0.0)
        total = np.maximum(weight.sum(0), 1e-12)
        mean = np.where(known, past * weight, 0.0).sum(0) / total
        spread = np.where(known, (past - mean) ** 2 * weight, 0.0).sum(0) / total
        sd = np.maximum(np.sqrt(spread), self.least_sd)
        expected = mean if share is None else mean * share
        p = np.asarray(special.ndtr(-(given - expected) / sd), np.float64)
        p[known.sum(0) < LEAST_WINDOWS] = 1.0
        if share is not None:
            p[share == 0] = 1.0
        return Scores(p, expected, expected + 1.96 * sd)

    def learn(
        self,
        start: float,
        counts: npt.ArrayLike,
        hold: npt.ArrayLike | None = None,
        exposure: npt.ArrayLike | None = None,
    ) -> None:
        n = self.past.shape[1]
        begin = inputs.start_of(start, self.last, self.window)
        given, held = inputs.counts_of(counts, n), inputs.hold_of(hold, n)
        share = inputs.exposure_of(exposure, n)
        row = given / (1.0 if share is None else np.where(share > 0, share, 1.0))
        before = self._past(begin)
        past = np.vstack([before[1:], row[None].astype(np.float32)])
        for frozen in (held, None if share is None else share == 0):
            if frozen is not None:
                past[:, frozen] = before[:, frozen]
        self.past, self.last = past, begin

    def _past(self, start: int) -> npt.NDArray[np.float32]:
        """The windows before `start`, those left out as zeros."""
        if self.last is None:
            return self.past
        left_out = min((start - self.last) // self.window - 1, len(self.past))
        return np.vstack([self.past[left_out:], np.zeros((left_out, self.past.shape[1]), np.float32)])

    def skip(self, start: float, stop: float) -> None:
        nothing = np.zeros(self.past.shape[1])
        for at in range(int(start), int(stop), self.window):
            self.learn(at, nothing.astype(np.int64), exposure=nothing)

    def grow(
        self,
        n_series: int,
        groups: npt.ArrayLike | None = None,
        parents: npt.ArrayLike | None = None,
        zones: Sequence[str] | None = None,
    ) -> None:
        new = n_series - self.past.shape[1]
        if new < 0:
            raise ValueError(f"n_series: {n_series} is fewer than the {self.past.shape[1]} there are")
        self.past = np.hstack([self.past, np.full((len(self.past), new), np.nan, np.float32)])

    def keep(self, index: npt.ArrayLike) -> None:
        self.past = self.past[:, inputs.index_of(index, self.past.shape[1])]

    def snapshot(self) -> bytes:
        meta = {"window_seconds": self.window, "windows": len(self.past), "last": self.last}
        return pack("moments/1", meta, {"past": self.past})

    def restore(self, state: bytes) -> None:
        meta, arrays = unpack("moments/1", state)
        if (meta["window_seconds"], meta["windows"]) != (self.window, len(self.past)):
            raise ValueError("state: of another window or length")
        self.past, self.last = arrays["past"], meta["last"]


def ears_c1(**options: Any) -> Moments:
    """EARS C1 (Hutwagner et al. 2003): the 7 windows before."""
    return Moments(**options)


def ears_c2(**options: Any) -> Moments:
    """EARS C2: 7 windows, up to 2 windows ago."""
    return Moments(guard=2, **options)


def windowed_gaussian(**options: Any) -> Moments:
    """The week before (at most 2,016 windows), as in NAB's windowed Gaussian."""
    length = int(np.clip(7 * DAY_SECONDS / options["window_seconds"], 52, 2016))
    return Moments(length=length, least_sd=0.1, **options)


def ewma(**options: Any) -> Moments:
    """z-score over an exponentially weighted mean and variance with a half-life of a day (at least 4 windows)."""
    half_life = max(4.0, DAY_SECONDS / options["window_seconds"])
    return Moments(length=int(np.clip(5 * half_life, 20, 2016)), half_life_windows=half_life, least_sd=0.1, **options)
