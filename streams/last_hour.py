"""The series of the last hour of closed windows, the most unusual first: what a wall chart shows of very many.

An hour, because a single minute of a series is mostly zero, one or two people, and because a series that was unusual once then stays
for an hour: those shown do not change with every window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.closed import Cells
from streams.window import MAX_KEYWORDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
HOUR_SECONDS = 3600
LEAST_P = 1e-300


class Hour(NamedTuple):
    """Series by rank, arrays of one entry each: people and expected of the hour, -log10 of the smallest p-value in it."""

    place: Ints
    keyword: Ints
    people: Ints
    expected: Floats
    unusual: Floats

    def rest(self, count: int) -> Hour:
        """Those that rank behind the first `count`."""
        place, keyword, people, expected, unusual = self
        return Hour(place[count:], keyword[count:], people[count:], expected[count:], unusual[count:])


class _Window(NamedTuple):
    start: int
    key: Ints  # place * MAX_KEYWORDS + keyword
    people: npt.NDArray[np.int32]
    expected: npt.NDArray[np.float32]
    unusual: npt.NDArray[np.float32]


class _Kept(NamedTuple):
    since: float = 0.0  # nothing before was taken
    until: float = 0.0
    seconds: int = 1  # length of a window
    windows: tuple[_Window, ...] = ()  # that start within the hour before `until`

    @property
    def begin(self) -> float:
        """Where the hour begins, or what of it was seen."""
        return max(self.since, self.until - max(HOUR_SECONDS, self.seconds))


class LastHour:
    """Taken from by one thread, read by others: what is kept is replaced, never changed."""

    def __init__(self) -> None:
        self._kept = _Kept()

    def take(self, closed: Sequence[Cells], until: float) -> None:
        """Add closed windows, ascending, each once; one may come in pieces. All that end by `until` are closed, the silent ones too."""
        kept = self._kept
        if not kept.until:
            kept = kept._replace(since=closed[0].start if closed else until)
        if closed:
            kept = kept._replace(seconds=closed[-1].seconds, windows=(*kept.windows, *map(_window, closed)))
        kept = kept._replace(until=max(until, kept.until))
        self._kept = kept._replace(windows=tuple(one for one in kept.windows if one.start >= kept.begin))

    def ranked(self, first: int) -> Hour:
        """All series; the `first` most unusual come first, by rank. `expected` is for as long as `people` were counted, silent windows too."""
        kept = self._kept
        windows = kept.windows
        key = np.concatenate([one.key for one in windows] or [np.zeros(0, np.int64)])
        if not len(key):
            return Hour(key, key, key, np.zeros(0), np.zeros(0))
        order = np.argsort(key)
        key = key[order]
        begins = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        seen = np.diff(begins, append=len(key))
        people = np.add.reduceat(np.concatenate([one.people for one in windows])[order], begins)
        expected = np.add.reduceat(np.concatenate([one.expected for one in windows])[order], begins) / seen
        unusual = np.maximum.reduceat(np.concatenate([one.unusual for one in windows])[order], begins)
        rank = _ranked(unusual, people, first)
        key = key[begins][rank]
        length = (kept.until - kept.begin) / kept.seconds
        return Hour(
            key // MAX_KEYWORDS,
            key % MAX_KEYWORDS,
            people[rank].astype(np.int64),
            expected[rank] * length,
            unusual[rank].astype(float),
        )


def _ranked(unusual: npt.NDArray[np.float32], people: npt.NDArray[np.int32], first: int) -> Ints:
    """Every index: the `first` highest in order of rank, then the others."""
    if len(unusual) <= first:
        return np.lexsort((-people, -unusual))
    least = np.partition(unusual, len(unusual) - first)[len(unusual) - first]
    high = np.flatnonzero(unusual >= least)
    high = high[np.lexsort((-people[high], -unusual[high]))]
    return np.concatenate((high, np.flatnonzero(unusual < least)))


def _window(cells: Cells) -> _Window:
    unusual = -np.log10(np.clip(cells.p_value, LEAST_P, 1.0))
    return _Window(
        cells.start,
        cells.place * MAX_KEYWORDS + cells.keyword,
        cells.voices.astype(np.int32),
        cells.expected.astype(np.float32),
        unusual.astype(np.float32),
    )
