"""Whether overheard itself is alive: it says so outside only while input goes on, windows close and messages leave."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

STUCK_SECONDS = 60.0  # with something waiting and nothing taken
LATE_CLOSE_SECONDS = 30.0  # beyond the length of a window
OLD_OUTBOX_SECONDS = 300.0
UNHEARD_SECONDS = 45.0


class Vital(NamedTuple):
    """What is looked at, of one moment. Times are seconds."""

    taken: int  # position in the input, of what was counted last
    waiting: int  # behind it
    closed_until: float  # event time
    outbox_age: float  # of the oldest message that waits
    unheard: Mapping[str, float] = MappingProxyType(
        {}
    )  # channels that are to be told again and again and do not answer, since when (Unix seconds)
    broken: str | None = None  # what the service itself says is broken


class Life:
    """Looks again and again. `window_seconds`: windows close that often; infinite where only input moves time."""

    def __init__(self, window_seconds: float) -> None:
        self._most_between_closes = window_seconds + LATE_CLOSE_SECONDS
        self._last: Vital | None = None
        self._taken_at = self._closed_at = 0.0

    def look(self, now: float, vital: Vital) -> str | None:
        """Why it is not alive at `now` (Unix seconds); None while it is."""
        last, self._last = self._last, vital
        if last is None or vital.taken != last.taken or vital.waiting == 0:
            self._taken_at = now
        if last is None or vital.closed_until != last.closed_until:
            self._closed_at = now
        if vital.broken is not None:
            return vital.broken
        if now - self._taken_at > STUCK_SECONDS:
            return f"{vital.waiting:,} entries wait and none was counted for {now - self._taken_at:.0f} s"
        if now - self._closed_at > self._most_between_closes:
            return f"no window was closed for {now - self._closed_at:.0f} s"
        if vital.outbox_age > OLD_OUTBOX_SECONDS:
            return f"a message has been waiting for {vital.outbox_age:.0f} s"
        for name, since in sorted(vital.unheard.items()):
            if now - since > UNHEARD_SECONDS:
                return f"{name} has not answered for {now - since:.0f} s"
        return None
