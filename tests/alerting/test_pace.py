"""Telling batch entry from a crowd."""

from __future__ import annotations

import numpy as np
import pytest

from alerting.pace import largest_sitting, pace_of


@pytest.mark.parametrize("pace", [1.0, 1.5, 2.0, 4.7, 5.0])
def test_a_steady_pace_is_caught(pace: float) -> None:
    seconds = np.floor(100.3 + pace * np.arange(40)).astype(int).tolist()
    assert pace_of(seconds).paced >= 30


@pytest.mark.parametrize("mean_gap_seconds", [0.5, 1.0, 2.0, 3.0, 20.0, 60.0])
def test_chance_arrivals_are_not(mean_gap_seconds: float) -> None:
    rng = np.random.default_rng(5)
    marked = 0
    for _ in range(200):
        seconds = np.floor(np.cumsum(rng.exponential(mean_gap_seconds, 60))).astype(int).tolist()
        marked += pace_of(seconds).paced >= 30
    assert marked <= 2


def test_a_short_steady_run_is_waited_for() -> None:
    assert pace_of(list(range(0, 60, 5))).undecided
    assert not pace_of([0, 40, 44, 120, 180, 181, 300, 420, 500, 640]).undecided


def test_a_long_typing_session_is_caught_though_its_gaps_vary() -> None:
    rng = np.random.default_rng(6)
    gaps = rng.choice([0, 1, 2, 3, 4], 300, p=[0.12, 0.5, 0.2, 0.12, 0.06])
    assert pace_of(np.cumsum(gaps).tolist()).paced >= 150


def test_the_largest_sitting_is_the_most_records_within_so_long() -> None:
    assert largest_sitting([0, 100, 1800, 1900, 3700, 9000], 1800) == 3
    assert largest_sitting([], 1800) == 0
