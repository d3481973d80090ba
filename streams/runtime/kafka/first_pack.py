"""The pack a deployment began with, kept at the beginning of the `snapshots` topic.

Changes of the pack stand in the log; what they change does not. A partition that is added later has to begin where the others began, whatever
the worker's pack file says by then. Compaction never takes a key's only record, so it is found where it was written: among the first ones.
"""

from __future__ import annotations

import msgspec

from streams.pack import Pack
from streams.runtime.kafka import snapshots
from streams.runtime.kafka.wire import Keyed

STAGE = "pack"
LOOK = 256  # records from the beginning


def records(pack: Pack, base: str, partitions: int) -> list[Keyed]:
    """What DETECT writes where it begins with an empty log; `partitions` is how many the topic has."""
    return snapshots.chunks(snapshots.Snapshot(STAGE, 0, 0, 0, base, msgspec.msgpack.encode(pack)), 0, partitions)


async def read(log: snapshots.Log, topic: str) -> Pack | None:
    """The pack; None before the first start, and where a deployment is older than this record. Raises TimeoutError."""
    first, end = await log.bounds(topic, 0)
    found = snapshots.choose(await log.read(topic, 0, first, min(end, first + LOOK)), STAGE, 0)
    return None if found.snapshot is None else msgspec.msgpack.decode(found.snapshot.state, type=Pack)
