"""A Faust transport without a broker: logs in memory, one worker, the same batches. For tests and for `overheard demo --transport memory`.

Registered as `memory` (entry point `faust.transports`); `memory://NAME` is the broker of that name in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from faust.transport import base
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.producer import Producer as FaustProducer
from faust.types import TP, ConsumerMessage, RecordMetadata

from streams.runtime.kafka.batch_transport import Batches
from streams.runtime.routing import murmur2

POLL_RECORDS = 2000


class Stored(NamedTuple):
    """One record of a log, with the names aiokafka gives it; `timestamp` in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 1


class MemoryBroker:
    """Append-only logs by topic and partition, and the committed offsets of groups."""

    named: ClassVar[dict[str, MemoryBroker]] = {}

    def __init__(self) -> None:
        self.topics: dict[str, list[list[Stored]]] = {}
        self.counts: dict[str, int] = {}
        self.committed: dict[str, dict[TP, int]] = defaultdict(dict)
        self.arrived = asyncio.Event()

    @classmethod
    def get(cls, name: str) -> MemoryBroker:
        """The broker of this name, made when it is first asked for."""
        return cls.named.setdefault(name, cls())

    def declare(self, topic: str, partitions: int) -> None:
        """Make a topic, or add partitions to it."""
        logs = self.topics.setdefault(topic, [])
        logs.extend([] for _ in range(partitions - len(logs)))
        self.counts[topic] = len(logs)

    async def begin(self) -> None:
        """Nothing to connect to."""

    async def count(self) -> None:
        """The counts are up to date."""

    async def end(self) -> None:
        """Nothing to let go of."""

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Iterable[tuple[str, bytes]] | None = None,
        timestamp: float | None = None,
    ) -> tuple[TP, int]:
        """Add a record; without a partition the key decides, as with Kafka."""
        logs = self.topics[topic]
        if partition is None:
            partition = (murmur2(key) & 0x7FFFFFFF) % len(logs) if key else 0
        log = logs[partition]
        milliseconds = int((time.time() if timestamp is None else timestamp) * 1000)
        log.append(Stored(len(log), milliseconds, key, value, tuple(headers or ())))
        self.arrived.set()
        return TP(topic, partition), len(log) - 1

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset and the next one."""
        return 0, len(self.topics[topic][partition])

    async def read(self, topic: str, partition: int, start: int, end: int) -> list[Any]:
        """The records in [start, end)."""
        return list(self.topics[topic][partition][start:end])


class MemoryConsumer(Batches, FaustConsumer):
    """The group's only member: it owns every partition of what it subscribes to."""

    transport: Any

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.broker: MemoryBroker = self.transport.broker
        self._at: dict[TP, int] = {}
        self._owned: set[TP] = set()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Own all partitions. Not before this returns: the conductor waits for it."""
        owned = {TP(topic, partition) for topic in topics for partition in range(len(self.broker.topics[topic]))}
        self.add_future(self._rebalance(owned))

    async def _rebalance(self, owned: set[TP]) -> None:
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(self._owned - owned)
        self._owned = owned
        self.app.consumer_generation_id += 1
        await self.on_partitions_assigned(owned, self.app.consumer_generation_id)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.broker.committed[self.app.conf.id].update(offsets)
        return True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """To the committed offsets, or the beginning."""
        committed = self.broker.committed[self.app.conf.id]
        self._at = {tp: committed.get(tp, 0) for tp in self._owned}
        return {tp: committed[tp] for tp in self._owned if tp in committed}

    async def _seek(self, partition: TP, offset: int) -> None:
        self._at[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Read on from there."""
        self._at.update(partitions)
        self._read_offset.update({tp: offset or None for tp, offset in partitions.items()})

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[Stored]]:
        self.broker.arrived.clear()
        found = {}
        for tp in sorted(self._owned if active_partitions is None else active_partitions):
            at = self._at.get(tp, 0)
            if records := self.broker.topics[tp.topic][tp.partition][at : at + POLL_RECORDS]:
                found[tp] = records
                self._at[tp] = at + len(records)
        if not found:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.broker.arrived.wait(), min(timeout, 0.1))
        return found

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        raise NotImplementedError("batches are made, never single messages")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def create_topic(self, topic: str, partitions: int, replication: int, **given: Any) -> None:
        """Make a topic."""
        self.broker.declare(topic, partitions)

    def assignment(self) -> set[TP]:
        """What it owns."""
        return set(self._owned)

    def highwater(self, tp: TP) -> int:
        """The next offset of a log."""
        return len(self.broker.topics[tp.topic][tp.partition])

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The next offset of each log."""
        return {tp: self.highwater(tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Nothing is ever removed."""
        return dict.fromkeys(partitions, 0)

    async def position(self, tp: TP) -> int | None:
        """The next offset to be read."""
        return self._at.get(tp)

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions a topic has."""
        return len(self.broker.topics[topic]) if topic in self.broker.topics else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """The partition of a key."""
        return (
            partition if partition is not None else (murmur2(key or b"") & 0x7FFFFFFF) % len(self.broker.topics[topic])
        )


class MemoryProducer(FaustProducer):
    """Appends, and is done."""

    transport: Any

    async def create_topic(self, topic: str, partitions: int, replication: int, **given: Any) -> None:
        """Make a topic."""
        self.transport.broker.declare(topic, partitions)

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> Any:
        """A future that is done: the record stands."""
        tp, offset = self.transport.broker.append(topic, key, value, partition, headers, timestamp)
        done = asyncio.get_running_loop().create_future()
        done.set_result(
            RecordMetadata(topic=topic, partition=tp.partition, topic_partition=tp, offset=offset, timestamp=timestamp, timestamp_type=1)
        )  # fmt: skip
        return done

    async def send_and_wait(self, *given: Any, **named: Any) -> Any:
        """`send`, waited for."""
        return await (await self.send(*given, **named))

    async def flush(self) -> None:
        """Nothing waits."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        """The partition of a key."""
        return TP(topic, (murmur2(key) & 0x7FFFFFFF) % len(self.transport.broker.topics[topic]))

    def supports_headers(self) -> bool:
        """They are kept."""
        return True


class Transport(base.Transport):
    """`memory://NAME`."""

    Consumer = MemoryConsumer
    Producer = MemoryProducer
    driver_version = "memory=1"

    def __init__(self, url: Any, app: Any, **given: Any) -> None:
        super().__init__(url, app, **given)
        self.broker = MemoryBroker.get(url[0].host or "default")
