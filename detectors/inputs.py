"""Checks of what callers hand in: arrays of the right shape and kind, times that move forward, trees that are trees."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, Ints

MAX_COUNT = 2**30  # sums of windows are kept in 32 bits


def counts_of(counts: npt.ArrayLike, n_series: int) -> Ints:
    """Counts as int64[n]; whole, finite, between 0 and 2**30."""
    given = np.asarray(counts)
    if given.shape != (n_series,):
        raise ValueError(f"counts: {n_series} series, but the array has shape {given.shape}")
    if given.dtype.kind == "f":
        if not np.isfinite(given).all():
            raise ValueError("counts: not finite")
        if (given != np.floor(given)).any():
            raise ValueError("counts: not whole numbers")
    elif given.dtype.kind not in "iu":
        raise ValueError(f"counts: whole numbers wanted, not {given.dtype}")
    if n_series and (given.min() < 0 or given.max() > MAX_COUNT):
        raise ValueError(f"counts: outside 0..{MAX_COUNT}")
    return given.astype(np.int64, copy=False)


def exposure_of(exposure: npt.ArrayLike | None, n_series: int) -> Floats | None:
    """Exposure as float64[n], or None where it is 1 everywhere."""
    if exposure is None:
        return None
    given = np.asarray(exposure, dtype=np.float64)
    if given.shape != (n_series,):
        raise ValueError(f"exposure: {n_series} series, but the array has shape {given.shape}")
    if not np.isfinite(given).all() or (given < 0).any():
        raise ValueError("exposure: negative or not finite")
    return None if (given == 1).all() else given


def hold_of(hold: npt.ArrayLike | None, n_series: int) -> Bools | None:
    """Series inside an open incident as bool[n], or None where there is none."""
    if hold is None:
        return None
    given = np.asarray(hold)
    if given.shape != (n_series,) or given.dtype != np.bool_:
        raise ValueError(f"hold: bool[{n_series}] wanted, not {given.dtype}{list(given.shape)}")
    return given if given.any() else None


def groups_of(groups: npt.ArrayLike | None, n_series: int, n_groups: int | None = None) -> Ints:
    """Group of each series as int64[n]; all in group 0 where none are given."""
    if groups is None:
        return np.zeros(n_series, np.int64)
    given = np.asarray(groups)
    if given.shape != (n_series,) or given.dtype.kind not in "iu":
        raise ValueError(f"groups: int[{n_series}] wanted, not {given.dtype}{list(given.shape)}")
    if n_series and given.min() < 0:
        raise ValueError("groups: negative")
    if n_groups is not None and n_series and given.max() >= n_groups:
        raise ValueError(f"groups: {int(given.max())} has no zone, zones name {n_groups} groups")
    return given.astype(np.int64)


def parents_of(parents: npt.ArrayLike | None, n_new: int, n_series: int) -> Ints:
    """Parent of each of `n_new` series as int64, -1 for none; parents are series of the bank of `n_series`."""
    if parents is None:
        return np.full(n_new, -1, np.int64)
    given = np.asarray(parents)
    if given.shape != (n_new,) or given.dtype.kind not in "iu":
        raise ValueError(f"parents: int[{n_new}] wanted, not {given.dtype}{list(given.shape)}")
    if n_new and (given.min() < -1 or given.max() >= n_series):
        raise ValueError(f"parents: outside -1..{n_series - 1}")
    return given.astype(np.int64)


def index_of(index: npt.ArrayLike, n_series: int) -> Ints:
    """Series to keep as int64: each at most once."""
    given = np.asarray(index)
    if given.size == 0:
        return np.zeros(0, np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise ValueError("index: a list of series numbers wanted")
    if given.min() < 0 or given.max() >= n_series:
        raise ValueError(f"index: outside 0..{n_series - 1}")
    if len(np.unique(given)) != len(given):
        raise ValueError("index: a series stands there twice")
    return given.astype(np.int64)


def start_of(start: float, after: int | None, window_seconds: int) -> int:
    """A window's start in whole seconds, no earlier than one window after the last one learnt."""
    if not math.isfinite(start):
        raise ValueError("start: not finite")
    begin = math.floor(start)
    if after is not None and begin < after + window_seconds:
        raise ValueError(f"start: {begin} is not a window after {after}, which is learnt already")
    return begin


def window_of(window_seconds: float) -> int:
    """Base window in whole seconds."""
    if not math.isfinite(window_seconds) or window_seconds < 1 or window_seconds != int(window_seconds):
        raise ValueError(f"window_seconds: a whole number of seconds wanted, not {window_seconds}")
    return int(window_seconds)
