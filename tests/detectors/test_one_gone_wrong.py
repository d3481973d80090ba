"""One busy series that goes wrong for days leaves its neighbours' profile, dispersion and calibration as they were."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from detectors import create
from detectors.base import Ints

WINDOW = 900
DAY = 86_400 // WINDOW
MONDAY = 1_704_067_200
SERIES = 600
WRONG = 0  # the busy one


def usual(rng: np.random.Generator, window: int) -> Ints:
    """Counts of a window: one series of 200, 599 sparse ones, all of one group's day."""
    hour = window % DAY / 4
    rate = np.full(SERIES, 0.2)
    rate[WRONG] = 200.0
    return rng.poisson(rate * np.exp(0.8 * np.cos(2 * np.pi * (hour - 16) / 24)) / 1.17)


@cache
def lived(wrong: str) -> tuple[float, float]:
    """Eight days as usual, four in which the busy series is wrong: share of p < .001 among the others then, and how unusual eight
    people in a window, forty times the usual, are to them afterwards (-log10, median)."""
    rng = np.random.default_rng(5)
    bank = create("default", n_series=SERIES, window_seconds=WINDOW, groups=np.zeros(SERIES, np.int64), zones=["UTC"])
    rare = judged = 0
    for window in range(12 * DAY):
        start = MONDAY + window * WINDOW
        counts = usual(rng, window)
        if window >= 8 * DAY:
            counts[WRONG] = {
                "right": counts[WRONG],
                "twenty times": 20 * counts[WRONG],
                "silent or loud": 0 if rng.random() < 0.5 else 8000,
                "at night": 4000 if window % DAY < 24 else counts[WRONG],
            }[wrong]
            p = bank.score(start, counts).p_value
            rare += int((p[1:] < 1e-3).sum())
            judged += SERIES - 1
        bank.learn(start, counts)
    counts = np.where(np.arange(SERIES) == WRONG, 200, 8)
    found = bank.score(MONDAY + 12 * DAY * WINDOW, counts).p_value[1:]
    return rare / judged, float(np.median(-np.log10(found)))


@pytest.mark.parametrize("wrong", ["twenty times", "silent or loud", "at night"])
def test_the_others_are_judged_as_if_it_were_not_there(wrong: str) -> None:
    calm, sharp = lived("right")
    share, found = lived(wrong)
    assert share <= max(1.5e-3, 1.5 * calm)
    assert found > 0.85 * sharp
