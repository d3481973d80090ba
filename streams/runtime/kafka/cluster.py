"""What a worker asks of the brokers besides consuming and producing: topics made and counted, a log read back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.snapshots import Log
from streams.runtime.kafka.topics import TOPICS

READ_MS = 500
MOST_EMPTY_READS = 60


class TopicsMissingError(RuntimeError):
    """Topics are not there; the message names them."""


class Cluster(Log, Protocol):
    """A set of brokers, or one in memory."""

    counts: dict[str, int]  # partitions of the topics, as last asked

    async def begin(self) -> None:
        """Connect; make the topics that are missing, where that is wanted. Raises TopicsMissingError."""

    async def count(self) -> None:
        """Ask again how many partitions the topics have."""

    async def end(self) -> None:
        """Let go."""


class KafkaCluster:
    """Real brokers."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.counts: dict[str, int] = {}
        self._names = [topic.full(settings.prefix) for topic in TOPICS]
        self._admin = AIOKafkaAdminClient(**settings.client())
        self._reader = AIOKafkaConsumer(
            **settings.client(), enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100,
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )  # fmt: skip
        self._lock = asyncio.Lock()

    async def begin(self) -> None:
        """Connect; make the topics that are missing."""
        await asyncio.gather(self._admin.start(), self._reader.start())
        await self.count()
        if self.settings.create_topics:
            await self._create()
        if missing := [name for name in self._names if name not in self.counts]:
            raise TopicsMissingError(f"no such topics: {', '.join(missing)}; make them, or set kafka.create_topics")

    async def _create(self) -> None:
        settings = self.settings
        for topic in TOPICS:
            name = topic.full(settings.prefix)
            if name in self.counts:
                continue
            wanted = NewTopic(
                name, topic.partitions(settings.partitions), settings.replication, topic_configs=dict(topic.config())
            )
            try:
                await self._admin.create_topics([wanted])
            except TopicAlreadyExistsError:
                continue  # another worker was faster
        for _ in range(50):
            await self.count()
            if len(self.counts) == len(self._names):
                return
            await asyncio.sleep(0.1)

    async def count(self) -> None:
        """Ask again how many partitions the topics have."""
        found = await self._admin.describe_topics(self._names)
        self.counts = {one["topic"]: len(one["partitions"]) for one in found if one["partitions"]}

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset there is, and the next one to be written."""
        tp = TopicPartition(topic, partition)
        first, end = await asyncio.gather(self._reader.beginning_offsets([tp]), self._reader.end_offsets([tp]))
        return first[tp], end[tp]

    async def read(self, topic: str, partition: int, start: int, end: int) -> list[Any]:
        """The records with offsets in [start, end) that are still there. Raises TimeoutError."""
        if start >= end:
            return []
        tp = TopicPartition(topic, partition)
        found: list[Any] = []
        empty = 0
        async with self._lock:
            self._reader.assign([tp])
            self._reader.seek(tp, start)
            while await self._reader.position(tp) < end:
                records: Sequence[Any] = (await self._reader.getmany(tp, timeout_ms=READ_MS)).get(tp, ())
                found += records
                empty = 0 if records else empty + 1
                if empty > MOST_EMPTY_READS:
                    raise TimeoutError(f"{topic} {partition} cannot be read from {start} to {end}")
        return [record for record in found if record.offset < end]

    async def end(self) -> None:
        """Let go."""
        await asyncio.gather(self._admin.close(), self._reader.stop(), return_exceptions=True)
