"""What INTAKE hands to DETECT: the rows of the windows a partition has closed, in columns, without a trace of any author."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from alerting.model import Evidence

Ints = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Counts by window, place, keyword and channel, sorted in that order; int64[n] each. `window` is its start in Unix seconds."""

    window: Ints
    place: Ints
    keyword: Ints
    channel: Ints
    drill: Ints  # 0 or 1
    voices: Ints
    messages: Ints

    @classmethod
    def empty(cls) -> Rows:
        """No rows."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing, nothing)

    def at(self, window: int) -> Rows:
        """The rows of one window."""
        first, last = np.searchsorted(self.window, (window, window + 1))
        return Rows(*(column[first:last] for column in self))


class SourceCount(msgspec.Struct):
    """What one source brought since the last part; times are Unix seconds of event time."""

    name: str = ""
    records: int = 0
    complaints: int = 0  # records about a keyword
    voices: int = 0
    placed: int = 0
    duplicates: int = 0
    copies: int = 0
    old: int = 0
    late: int = 0
    clock_changes: int = 0  # times in a repeated or skipped hour
    authors: int = 0  # records that name an author
    newest: float = float("-inf")
    seen_by_hour: dict[int, int] = {}  # records by hour of event time (Unix hours); `end_hour` brings it up to date
    by_place: dict[int, int] = {}  # complaints by place, those without one left out
    hour: int = -1
    in_hour: int = 0

    def begin_hour(self, hour: int) -> None:
        """Count from here on in another hour, this record the first."""
        self.end_hour()
        self.hour, self.in_hour = hour, 1

    def end_hour(self) -> None:
        """Put the hour being counted with the others."""
        if self.in_hour:
            self.seen_by_hour[self.hour] = self.seen_by_hour.get(self.hour, 0) + self.in_hour
        self.hour, self.in_hour = -1, 0

    def add(self, other: SourceCount) -> None:
        """Add another count to this one."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.newest = max(self.newest, other.newest)
        for hour, records in other.seen_by_hour.items():
            self.seen_by_hour[hour] = self.seen_by_hour.get(hour, 0) + records
        for place, complaints in other.by_place.items():
            self.by_place[place] = self.by_place.get(place, 0) + complaints


COUNTED = (
    "records",
    "complaints",
    "voices",
    "placed",
    "duplicates",
    "copies",
    "old",
    "late",
    "clock_changes",
    "authors",
)


MOST_TERMS = 4096
DRILL = " (drill)"  # after the name of a source whose drills are counted


class Words(msgspec.Struct, frozen=True, array_like=True):
    """By place: how many texts were looked at, and in how many each term stood: words, and pairs of words that follow each other.

    Each person counts once an hour. At most MOST_TERMS of all places together.
    """

    texts: dict[int, int] = {}
    terms: dict[int, dict[str, int]] = {}


class Part(NamedTuple):
    """The windows of `partition` that end at or before `watermark`; `seq` has no gaps."""

    partition: int
    seq: int
    watermark: float
    config: str  # hash of what decided these rows
    rows: Rows
    late: Rows
    evidence: Mapping[int, Mapping[tuple[int, int], Evidence]]  # by window, then (place, keyword)
    sources: dict[str, SourceCount]
    words: dict[int, Words]  # by window
