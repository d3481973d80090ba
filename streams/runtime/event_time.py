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


class Minutes(dict[str, float]):
    """Unix seconds of "2026-01-05T07:03" as if it were UTC, read once a minute."""

    def __missing__(self, text: str) -> float:
        if len(self) >= MAX_CACHED:
            self.clear()
        seconds = self[text] = parse_time(text + ":00Z")[0]
        return seconds


class Tails(dict[str, float]):
    """Seconds that ":05.250+01:00" adds to its minute."""

    def __missing__(self, text: str) -> float:
        tail = _TAIL.fullmatch(text)
        if tail is None:
            raise Rejected("bad_time", text)
        if len(self) >= MAX_CACHED:
            self.clear()
        zone = tail[2]
        ahead = 0.0 if zone == "Z" else (int(zone[1:3]) * 60 + int(zone[4:6])) * (-60.0 if zone[0] == "-" else 60.0)
        seconds = self[text] = float(tail[1]) - ahead
        return seconds


class EventTimes:
    """Reads keys, a block at a time. `zone` gives the zone of a source's times without zone."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self._minutes = Minutes()
        self._tails = Tails()

    def of(self, values: Sequence[bytes]) -> list[float]:
        """Unix seconds by record."""
        try:
            found = _dates.decode_lines(b"\n".join(values))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = []
        if len(found) != len(values):
            return [self._one(value) for value in values]
        minutes, tails = self._minutes, self._tails
        try:
            keys = [
                minutes[(at := dates.created_at)[:16]] + tails[at[16:]]  # type: ignore[index]
                for dates in found
                if dates.received_at is None
            ]
        except (TypeError, Rejected):
            keys = []
        if len(keys) == len(values):
            return keys
        return [self._key(dates, value) for dates, value in zip(found, values, strict=True)]

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
            if _TAIL.fullmatch(at, 16):
                return self._minutes[at[:16]] + self._tails[at[16:]]
            if len(at) < 12 or not ("Z" in at or "+" in at[10:] or "-" in at[10:]):
                return parse_time(at, self.zone(_sender.decode(value).source))[0]
        return parse_time(at)[0]
