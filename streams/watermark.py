"""Event-time progress of one partition: newest event - lateness, never back, and not to be dragged ahead by one bad clock."""

from __future__ import annotations

import msgspec

FUTURE_SLACK_SECONDS = 60.0
FUTURE_LIMIT_SECONDS = 24 * 3600.0
JUMP_SECONDS = 3600.0
NEVER = float("-inf")


class Watermark(msgspec.Struct):
    """State of one partition's clock; times are Unix seconds UTC."""

    lateness: float
    newest: float = NEVER
    value: float = NEVER

    def hold(self, time: float, arrival: float) -> float | None:
        """The event time that counts, given when the record arrived; None when it lies over 24 h ahead (bad_time)."""
        if time <= arrival + FUTURE_SLACK_SECONDS:
            return time
        return None if time > arrival + FUTURE_LIMIT_SECONDS else arrival

    def observe(self, time: float) -> bool:
        """Take note of an accepted event; True when the watermark moved."""
        if time <= self.newest:
            return False
        self.newest = time
        value = time - self.lateness  # as in `tick`; this is called for every record
        if value <= self.value:
            return False
        self.value = value
        return True

    def tick(self, time: float) -> bool:
        """A logged time after which nothing older than `time` - lateness is awaited; True when the watermark moved."""
        value = time - self.lateness
        if value <= self.value:
            return False
        self.value = value
        return True
