"""Local time for many zones at once: offsets from UTC by the IANA tables, right across both clock changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from detectors.base import Ints

DAY_SECONDS = 86_400
FOREVER = 2**62


def _offset(zone: ZoneInfo, at: int) -> int:
    shift = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


@lru_cache(maxsize=4096)
def _changes(name: str, year: int) -> tuple[list[int], list[int]]:
    """Times (the year's start first) from which an offset holds, and the offsets; seconds."""
    zone = ZoneInfo(name)
    begin, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    times, offsets = [begin], [_offset(zone, begin)]
    for day in range(begin, end, DAY_SECONDS):
        low, high = day, min(day + DAY_SECONDS, end)
        if (after := _offset(zone, high)) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
        times.append(high)
        offsets.append(after)
    return times, offsets


class Zones:
    """The zones of a bank. Pure: the same names give the same answers; what it remembers only saves time."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        for name in self.names:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"zones: no IANA zone named {name!r}") from error
        self._low, self._high = FOREVER, -FOREVER  # a span in which no zone changes its offset
        self._offsets = np.zeros(len(self.names), np.int64)

    def offsets(self, times: Ints) -> Ints:
        """Seconds to add to UTC, int64[zones, times], or int64[zones, 1] where they are the same at all these times."""
        low, high = int(times.min()), int(times.max())
        if not (self._low <= low and high < self._high):
            self._settle(low)
        if high < self._high:
            return self._offsets[:, None]
        return np.array([[self._at(z, int(t))[0] for t in times] for z in self.names], np.int64)

    def change(self, zone: int, start: int, stop: int) -> int:
        """The first moment in (start, stop] at which the zone's offset is no longer that at `start`."""
        return min(self._at(self.names[zone], start)[2], stop)

    def _settle(self, at: int) -> None:
        spans = [self._at(name, at) for name in self.names]
        self._offsets = np.array([s[0] for s in spans], np.int64)
        self._low, self._high = max(s[1] for s in spans), min(s[2] for s in spans)

    @staticmethod
    def _at(name: str, at: int) -> tuple[int, int, int]:
        """Offset at a time, and a span [from, until) in which it certainly holds."""
        year = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).year
        times, offsets = _changes(name, year)
        i = bisect_right(times, at) - 1
        until = times[i + 1] if i + 1 < len(times) else int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
        return offsets[i], times[i], until
