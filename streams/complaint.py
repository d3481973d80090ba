"""A complaint as it arrives, the dead letter it becomes when it cannot be read, and the log record that carries either."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """One complaint, validated. Times are Unix seconds UTC; degrees are WGS 84."""

    id: str
    source: str
    text: str
    created_at: float
    author: str | None = None
    location: str | None = None
    place: str | None = None  # an id of the place tree, when the sender knows it
    lat: float | None = None
    lon: float | None = None
    lang: str | None = None
    audience: int | None = None
    repost_of: str | None = None
    reply_to: str | None = None
    url: str | None = None
    received_at: float | None = None
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
    """A logged promise that nothing before `time` (Unix seconds) is awaited: the watermark becomes time - lateness."""

    position: int
    time: float
