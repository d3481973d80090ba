"""Rate strata: what is learnt about tails is pooled over series of about the same rate."""

from __future__ import annotations

import numpy as np

from detectors.base import Floats, Ints

EDGES_PER_DAY = np.array([0.5, 2.0, 8.0, 32.0, 128.0, 512.0, 2048.0])
STRATA = len(EDGES_PER_DAY) + 1
DAY_SECONDS = 86_400


def stratum_of(rate: Floats, window_seconds: int) -> Ints:
    """Stratum of expected counts a window, int64[m]."""
    out: Ints = np.searchsorted(EDGES_PER_DAY * (window_seconds / DAY_SECONDS), rate)
    return out
