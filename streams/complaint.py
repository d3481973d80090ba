"""A complaint as it arrives, the dead letter it becomes when it cannot be read, and the log entries that carry either."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Complaint(msgspec.Struct, gc=False):
    """One complaint as its sender wrote it; `codec.decode` checks it. Degrees are WGS 84.

    `created_at` and `received_at` are ISO 8601 or Unix seconds, as sent; the time that counts is the one `decode` returns.
    """

    id: str
    source: str
    text: str
    created_at: float | str
    author: str | None = None
    location: str | None = None
    place: str | None = None  # an id of the place tree, when the sender knows it
    lat: float | None = None
    lon: float | None = None
    lang: str | None = None
    audience: int | str | None = None
    repost_of: str | None = None
    reply_to: str | None = None
    url: str | None = None
    received_at: float | str | None = None
    drill: bool = False


class Where(msgspec.Struct, frozen=True):
    """Where a record was read: a log's partition and offset, or a file's name and line (from 1)."""

    origin: str  # topic, journal or file name
    position: int  # offset or line
    partition: int = 0

    def __str__(self) -> str:
        return f"{self.origin}:{self.partition}:{self.position}"


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that was not counted, and why. `raw` holds the first 64 KiB in base64."""

    reason: str
    detail: str
    where: Where
    raw: str
    length: int
    sha256: str


class Record(NamedTuple):
    """One entry of a partition's log. `arrival` is the log's append time in Unix seconds, None where there is none."""

    position: int
    value: bytes
    arrival: float | None = None
    origin: str = ""


class Tick(NamedTuple):
    """A logged promise that nothing before `time` - lateness (Unix seconds) is awaited in this partition."""

    position: int
    time: float
    final: bool = False  # the input ends here
