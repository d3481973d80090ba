"""Batch entry: authorless records that come at a machine's pace are one act of data entry, not a crowd.

Two tests on runs of short gaps: a near-constant gap; or, in longer runs, fewer pairs within one second than chance arrivals of
the same local pace would have (people typing a stack of forms wait for each other, callers do not).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
STEADY = 0.35  # coefficient of variation of the middle 80 % of gaps; chance arrivals have .6 to 1, a machine 0 to .3
SHARE = 0.8  # of gaps that must be short
FEW = 8  # records from which a pace can be suspected
LONG = 100  # records the second test needs
LONG_RUN = 120
FEW_TOGETHER = -1.9  # standard deviations; chance arrivals are as low in about 2 of 100 runs
LOCAL = 15  # gaps over which the pace is taken to be the same


class Pace(NamedTuple):
    """`paced`: records that stand in machine-paced runs; `undecided`: what there is looks so, but is too short to tell."""

    paced: int
    undecided: bool


def pace_of(seconds: Sequence[int], records: int = 30, longest_gap_seconds: float = 5.0) -> Pace:
    """Judge event seconds (sorted) of records without an author."""
    count = len(seconds)
    if count < FEW:
        return Pace(0, False)
    at = np.asarray(seconds, np.int64)
    if count < records:
        return Pace(0, _steady(at, longest_gap_seconds))
    paced = np.zeros(count, bool)
    _mark(paced, at, records, longest_gap_seconds, long=False)
    if count >= LONG:
        _mark(paced, at, min(LONG_RUN, count), longest_gap_seconds, long=True)
    short = bool((np.diff(at) <= longest_gap_seconds).mean() >= SHARE)
    return Pace(int(paced.sum()), short and count < LONG and not paced.any())


def largest_sitting(seconds: Sequence[int], longest_seconds: float) -> int:
    """Most records (event seconds, sorted) within so many seconds: as many one hand can have entered from a list."""
    at = np.asarray(seconds, np.int64)
    return int((np.searchsorted(at, at + longest_seconds, side="right") - np.arange(len(at))).max(initial=0))


def _mark(paced: npt.NDArray[np.bool_], at: Ints, length: int, longest: float, *, long: bool) -> None:
    for begin in sorted({*range(0, len(at) - length + 1, length // 3), len(at) - length}):
        run = at[begin : begin + length]
        if _few_together(run, longest) if long else _steady(run, longest):
            paced[begin : begin + length] = True


def _steady(at: Ints, longest: float) -> bool:
    gaps = np.diff(at)
    if (gaps <= longest).mean() < SHARE:
        return False
    off = np.abs(gaps - np.median(gaps))
    kept = gaps[off <= np.sort(off)[max(0, round(SHARE * len(gaps)) - 1)]]
    mean = float(kept.mean())
    return mean > 0 and float(kept.std()) <= STEADY * mean


def _few_together(at: Ints, longest: float) -> bool:
    gaps = np.diff(at)
    if (gaps <= longest).mean() < SHARE:
        return False
    gaps = gaps[gaps <= longest]
    seen = expected = variance = 0.0
    for begin in range(0, len(gaps) - LOCAL + 1, LOCAL):
        block = gaps[begin : begin + LOCAL]
        mean = max(float(block.mean()), 0.2)
        together = 1 - mean * (1 - math.exp(-1 / mean))  # chance that two arrivals fall into one second
        expected += LOCAL * together
        variance += LOCAL * together * (1 - together)
        seen += float((block == 0).sum())
    return variance > 0 and (seen - expected) / math.sqrt(variance) <= FEW_TOGETHER
