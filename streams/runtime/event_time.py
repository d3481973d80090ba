"""When a record happened, read without decoding the rest of it: the key by which files are put in order.

A key decides order alone; whether a record is valid is for INTAKE to say. A record that cannot be dated has the key UNDATED.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import tzinfo

import msgspec

from streams.codec import Rejected, parse_time
from streams.watermark import FUTURE_SLACK_SECONDS

UNDATED = float("-inf")
MAX_CACHED = 200_000
_TAIL = re.compile(r":([0-5]\d(?:\.\d{1,6})?)(Z|[+-]\d\d:\d\d)")

Zone = Callable[[str], tzinfo | None]


class Dates(msgspec.Struct, gc=False):
    """The fields of a record that date it."""

    created_at: float | str | None = None
    received_at: float | str | None = None


class Sender(msgspec.Struct, gc=False):
    """The field that decides the zone of times without one."""

    source: str


_dates = msgspec.json.Decoder(Dates)
_sender = msgspec.json.Decoder(Sender)


class EventTimes:
    """Reads keys, a block at a time. `zone` gives the zone of a source's times without zone."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self._minutes: dict[str, float] = {}  # "2026-01-05T07:03" as if UTC
        self._tails: dict[str, float] = {}  # ":05.250+01:00": seconds to add

    def of(self, values: Sequence[bytes]) -> list[float]:
        """Unix seconds by record."""
        try:
            found = _dates.decode_lines(b"\n".join(values))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = []
        if len(found) != len(values):
            return [self._one(value) for value in values]
        minutes, tails = self._minutes, self._tails
        keys = []
        for dates, value in zip(found, values, strict=True):
            at = dates.created_at
            if dates.received_at is None and type(at) is str:
                minute, tail = minutes.get(at[:16]), tails.get(at[16:])
                if minute is not None and tail is not None:
                    keys.append(minute + tail)
                    continue
            keys.append(self._key(dates, value))
        return keys

    def _one(self, value: bytes) -> float:
        try:
            return self._key(_dates.decode(value), value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return UNDATED

    def _key(self, dates: Dates, value: bytes) -> float:
        """The event time that INTAKE will count: over a minute ahead of its arrival a record is held to arrival."""
        if dates.created_at is None:
            return UNDATED
        try:
            time = self._seconds(dates.created_at, value)
            if dates.received_at is None:
                return time
            arrival = self._seconds(dates.received_at, value)
        except (Rejected, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return UNDATED
        return time if time <= arrival + FUTURE_SLACK_SECONDS else arrival

    def _seconds(self, at: float | str, value: bytes) -> float:
        if isinstance(at, str):
            tail = _TAIL.fullmatch(at, 16)
            if tail is not None:
                return self._cached(at, tail)
            if len(at) < 12 or not ("Z" in at or "+" in at[10:] or "-" in at[10:]):
                return parse_time(at, self.zone(_sender.decode(value).source))[0]
        return parse_time(at)[0]

    def _cached(self, at: str, tail: re.Match[str]) -> float:
        if len(self._minutes) + len(self._tails) > MAX_CACHED:
            self._minutes.clear()
            self._tails.clear()
        minute = self._minutes[at[:16]] = parse_time(at[:16] + ":00Z")[0]
        offset = tail[2]
        ahead = (
            0.0 if offset == "Z" else (int(offset[1:3]) * 60 + int(offset[4:6])) * (-60.0 if offset[0] == "-" else 60.0)
        )
        seconds = self._tails[at[16:]] = float(tail[1]) - ahead
        return minute + seconds
