"""What the journal holds, entry by entry, and its bytes: a header with length and CRC-32, then the payload."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import msgspec

from streams.complaint import Record, Tick

MAGIC = b"OVJ1"
_HEADER = struct.Struct("<4sIIQdHB")  # magic, CRC of what follows, payload length, seq, arrival, partition, kind
_SUMMED = 8  # the CRC covers the header from here
HEADER_BYTES = _HEADER.size
MAX_PAYLOAD_BYTES = 2 * 1024 * 1024

ORIGIN = "journal"
RECORD, TICK, CONTROL, ADVANCE, GAP = range(1, 6)


class Entry(NamedTuple):
    """One entry before it has its place; `arrival` is Unix seconds."""

    kind: int
    payload: bytes
    arrival: float
    partition: int = 0


class Logged(NamedTuple):
    """One entry of the journal; `seq` has no gaps."""

    seq: int
    kind: int
    payload: bytes
    arrival: float
    partition: int


class Advance(msgspec.Struct, frozen=True, array_like=True):
    """A followed file was read from byte `start` to `end`, of the file with this inode; `line` is the number of the first line."""

    path: str
    inode: int
    start: int
    end: int
    line: int
    lines: int
    generation: int = 0  # how many files had this name before
    head: str = ""  # how the file begins, in hex


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """Wall time that was not lived through: a clock step, a suspend, a time the service was down."""

    kind: str
    start: float
    seconds: float


def heard(logged: Logged) -> Record | Tick:
    """What a partition takes of an entry that it counts itself."""
    if logged.kind == TICK:
        time_, final = msgspec.msgpack.decode(logged.payload, type=tuple[float, bool])
        return Tick(logged.seq, time_, final)
    return Record(logged.seq, logged.payload, logged.arrival, ORIGIN)


def counted_in(logged: Logged) -> int | None:
    """Which partition counts the entry itself; None for those that are no record or tick."""
    return logged.partition if logged.kind in (RECORD, TICK) else None


def encode(seq: int, entry: Entry) -> bytes:
    """The entry's bytes. Raises ValueError when the payload is too large to be read back."""
    if len(entry.payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"payload of {len(entry.payload)} bytes, {MAX_PAYLOAD_BYTES} allowed")
    header = _HEADER.pack(MAGIC, 0, len(entry.payload), seq, entry.arrival, entry.partition, entry.kind)
    crc = zlib.crc32(entry.payload, zlib.crc32(header[_SUMMED:]))
    return b"".join((header[:4], crc.to_bytes(4, "little"), header[_SUMMED:], entry.payload))


def decode(data: bytes | memoryview, at: int) -> tuple[Logged, int] | None:
    """The entry at byte `at`, and where the next begins; None when there is no whole, intact one."""
    if len(data) - at < HEADER_BYTES:
        return None
    magic, crc, length, seq, arrival, partition, kind = _HEADER.unpack_from(data, at)
    end = at + HEADER_BYTES + length
    if magic != MAGIC or length > MAX_PAYLOAD_BYTES or end > len(data):
        return None
    if zlib.crc32(data[at + _SUMMED : end]) != crc:
        return None
    return Logged(seq, kind, bytes(data[at + HEADER_BYTES : end]), arrival, partition), end


def find_next(data: bytes, at: int) -> int | None:
    """Where the next intact entry begins at or after byte `at`."""
    while (at := data.find(MAGIC, at)) >= 0:
        if decode(data, at) is not None:
            return at
        at += 1
    return None
