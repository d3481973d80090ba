"""Records dated far ahead of all others, where no arrival time can judge them: held until somebody else confirms the time."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.complaint import Complaint, Record
from streams.watermark import JUMP_SECONDS

MAX_WAITING = 1_000


class Waiting(NamedTuple):
    """A record that jumps ahead, not counted yet; `time` in Unix seconds."""

    record: Record
    complaint: Complaint
    time: float


class WaitingRoom(msgspec.Struct):
    """Those who wait, in order of arrival; event time moves on to a record when another one vouches for it."""

    held: list[Waiting] = []

    def add(self, waiting: Waiting) -> Waiting | None:
        """Hold a record; the one dated farthest ahead is given back when there are too many."""
        self.held.append(waiting)
        if len(self.held) <= MAX_WAITING:
            return None
        farthest = max(self.held, key=lambda one: one.time)
        self.held.remove(farthest)
        return farthest

    def confirmed(self) -> Waiting | None:
        """The earliest record that another one vouches for, taken out."""
        vouched = [one for one in self.held if any(_vouches(other, one) for other in self.held)]
        if not vouched:
            return None
        first = min(vouched, key=lambda one: one.time)
        self.held.remove(first)
        return first

    def until(self, time: float) -> list[Waiting]:
        """Those dated up to `time`, taken out."""
        ready = [one for one in self.held if one.time <= time]
        self.held = [one for one in self.held if one.time > time]
        return ready


def _vouches(other: Waiting, one: Waiting) -> bool:
    """Whether `other` is another record, of another author, dated about as late as `one` or later."""
    if other is one or other.time < one.time - JUMP_SECONDS:
        return False
    mine, theirs = one.complaint, other.complaint
    if (mine.source, mine.id) == (theirs.source, theirs.id):
        return False
    return mine.author is None or theirs.author is None or (mine.source, mine.author) != (theirs.source, theirs.author)
