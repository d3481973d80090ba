"""Snapshots of a stage on the `snapshots` topic: two slots by turns, in chunks with checksums, read back from the end of the log.

A stage is a function of its log, so any intact snapshot is right, and the one that reaches farthest is the best; a paused worker that
writes an older one later does no harm. What is half written or damaged is passed over, and the other slot used.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from streams.runtime.kafka import topics
from streams.runtime.kafka.wire import Keyed

FORMAT = 6
CHUNK_BYTES = 512 * 1024
COMPRESSION = 1  # of what gets smaller by it
PROBE_BYTES, PROBES = 4096, 8
WORTHWHILE = 0.5
FIRST_LOOK = 256  # records from the end of the log


class SnapshotError(RuntimeError):
    """There are snapshots, and none can be used; the message says why, and what to do."""


class Snapshot(msgspec.Struct, frozen=True):
    """The state of a stage after all of its log before `next_offset`."""

    stage: str
    partition: int
    next_offset: int
    generation: int  # of the group, when it was made
    config: str
    state: bytes


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """One piece, as it stands on the topic; the format comes first and stays there in every format."""

    format: int
    stage: str
    partition: int
    slot: int
    next_offset: int
    generation: int
    config: str
    chunk: int
    chunks: int
    checksum: str  # of the packed state and what it claims
    data: bytes


class Log(Protocol):
    """Reading back a topic."""

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset there is, and the next one to be written."""

    async def read(self, topic: str, partition: int, start: int, end: int) -> list[Any]:
        """The records with offsets in [start, end) that are still there."""


def chunks(snapshot: Snapshot, slot: int, partitions: int) -> list[Keyed]:
    """The records of a snapshot, to be sent in this order; `partitions` is how many the topic has."""
    packed = zlib.compress(snapshot.state, _level(snapshot.state))
    pieces = [packed[at : at + CHUNK_BYTES] for at in range(0, len(packed), CHUNK_BYTES)]
    made = []
    for number, data in enumerate(pieces):
        chunk = Chunk(
            FORMAT, snapshot.stage, snapshot.partition, slot, snapshot.next_offset, snapshot.generation,
            snapshot.config, number, len(pieces), _checksum(packed, snapshot), data,
        )  # fmt: skip
        key = f"{snapshot.stage}:{snapshot.partition}:{slot}:{number}".encode()
        value = msgspec.msgpack.encode(chunk)
        made.append(Keyed(topics.SNAPSHOTS, key, value, snapshot.partition % partitions))
    return made


def _level(state: bytes) -> int:
    """0 where samples of it stay larger than half: hashes do not get smaller, and trying costs more than sending them."""
    step = max(PROBE_BYTES, len(state) // PROBES)
    probe = b"".join(state[at : at + PROBE_BYTES] for at in range(0, len(state), step))
    return COMPRESSION if len(zlib.compress(probe, COMPRESSION)) < WORTHWHILE * len(probe) else 0


class Loaded(msgspec.Struct):
    """What was found: the best snapshot with its slot, and a line on each that cannot be used."""

    snapshot: Snapshot | None = None
    slot: int = 1
    spoilt: list[str] = []


async def load(log: Log, topic: str, partitions: int, stage: str, partition: int) -> Loaded:
    """The intact snapshot that reaches farthest; none where none was ever made. Raises SnapshotError."""
    where = partition % partitions
    first, end = await log.bounds(topic, where)
    look = FIRST_LOOK
    while True:
        start = max(first, end - look)
        found = choose(await log.read(topic, where, start, end), stage, partition)
        if found.snapshot is not None or start == first:
            break
        look *= 8
    if found.snapshot is None and found.spoilt:
        raise SnapshotError(
            f"no snapshot of {stage} {partition} on {topic} can be used: {'; '.join(found.spoilt)}. "
            "Its log would have to be counted from the beginning: empty the topic to do so"
        )
    return found


def choose(records: Iterable[Any], stage: str, partition: int) -> Loaded:
    """The best snapshot of a stage among the records of its topic."""
    sets: dict[tuple[int, int, int, str], dict[int, Chunk]] = {}
    found = Loaded()
    for record in records:
        if record.value is None or not (record.key or b"").startswith(f"{stage}:{partition}:".encode()):
            continue
        try:
            chunk = _read(record.value)
        except ValueError as error:
            found.spoilt.append(f"offset {record.offset}: {error}")
            continue
        key = (chunk.next_offset, chunk.generation, chunk.slot, chunk.checksum)
        sets.setdefault(key, {})[chunk.chunk] = chunk
    for (_, _, slot, _), pieces in sorted(sets.items(), reverse=True):
        head = next(iter(pieces.values()))
        if len(pieces) < head.chunks:
            continue  # the worker ended while it wrote, or compaction took the older half
        packed = b"".join(pieces[number].data for number in range(head.chunks))
        made = Snapshot(stage, partition, head.next_offset, head.generation, head.config, b"")
        if _checksum(packed, made) != head.checksum:
            found.spoilt.append(f"slot {slot}, up to offset {head.next_offset}: does not match its checksum")
            continue
        if found.snapshot is None:
            found.snapshot = msgspec.structs.replace(made, state=zlib.decompress(packed))
            found.slot = slot
    return found


def _read(value: bytes) -> Chunk:
    """Raises ValueError, saying what is wrong."""
    try:
        parts = msgspec.msgpack.decode(value)
        if isinstance(parts, list) and parts and isinstance(parts[0], int) and parts[0] != FORMAT:
            raise ValueError(f"format {parts[0]}, this program knows {FORMAT}")
        return msgspec.convert(parts, Chunk)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"not a snapshot: {error}") from None


def _checksum(packed: bytes, of: Snapshot) -> str:
    claimed = f"{of.stage} {of.partition} {of.next_offset} {of.generation} {of.config}".encode()
    return hashlib.blake2b(packed, digest_size=16, key=hashlib.blake2b(claimed, digest_size=16).digest()).hexdigest()
