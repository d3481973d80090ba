"""EARS C1, C2, C3 (Hutwagner et al. 2003, J Urban Health 80:i89), of the US Centers for Disease Control: seven windows and a normal tail.

No rhythm, no sparseness, no dispersion: the p-values are not calibrated. C1 and C2 are those of R's `surveillance`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from detectors.base import Bools, Floats, Scores
from detectors.peers.columns import Columns, slide
from detectors.state import Arrays

BASELINE = 7


class Ears(Columns):
    """Compares a window with the 7 that ended `guard` windows ago. `least_sd`: floor of their standard deviation.

    `before`: how many windows before this one add what they had above one standard deviation (C3: 2).
    Until all of these windows were seen, p is 1. 28 to 44 bytes a series.
    """

    KIND, FILL = "ears/1", {"past": np.nan}

    def __init__(
        self,
        *,
        n_series: int,
        window_seconds: float,
        guard: int = 0,
        before: int = 0,
        least_sd: float = 0.5,
        **ignored: Any,
    ) -> None:
        self.guard, self.before, self.least_sd = guard, before, least_sd
        rows = BASELINE + guard + before
        super().__init__(n_series, window_seconds, {"past": np.full((rows, n_series), np.nan, np.float32)}, rows)

    def take_in(self, arrays: Arrays, row: Floats, seen: Bools | slice) -> None:
        slide(arrays["past"], row, seen)

    def judge(self, arrays: Arrays, counts: Floats, share: Floats) -> Scores:
        past = arrays["past"].astype(np.float64)
        mean, sd = self._baseline(past, 0)
        known = np.isfinite(past).all(0)
        expected = np.where(known, mean, 0.0) * share
        z = (counts - expected) / sd
        for lag in range(1, self.before + 1):
            center, spread = self._baseline(past, lag)
            z = z + np.maximum(0.0, (past[-lag] - center) / spread - 1)
        p = np.where(known, special.ndtr(-np.where(known, z, 0.0)), 1.0)
        return Scores(p, expected, expected + 1.96 * np.where(known, sd, self.least_sd))

    def _baseline(self, past: Floats, lag: int) -> tuple[Floats, Floats]:
        """Mean and standard deviation that the window `lag` windows before this one is compared with."""
        end = len(past) - self.guard - lag
        seven = past[end - BASELINE : end]
        mean = seven.mean(0)
        return mean, np.maximum(np.sqrt(((seven - mean) ** 2).sum(0) / (BASELINE - 1)), self.least_sd)


def ears_c1(**options: Any) -> Ears:
    """The 7 windows before."""
    return Ears(**options)


def ears_c2(**options: Any) -> Ears:
    """7 windows, up to 2 windows ago, so that a slow start does not hide itself."""
    return Ears(guard=2, **options)


def ears_c3(**options: Any) -> Ears:
    """C2 of this window, and what the C2 of the two before it were above 1."""
    return Ears(guard=2, before=2, **options)
