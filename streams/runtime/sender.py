"""Records into the partitions of one Kafka topic, in the order given, a batch at a time and each batch once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaProducer

BATCH_BYTES = 256 * 1024
Headers = Sequence[tuple[str, bytes]]


class Sender:
    """`connection` is what aiokafka's clients take: servers and security. Order is kept within a partition."""

    def __init__(self, connection: Mapping[str, Any], topic: str) -> None:
        self.topic = topic
        self.sent = 0
        self._producer = AIOKafkaProducer(
            **connection, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES, request_timeout_ms=60_000
        )
        self._open: dict[int, Any] = {}  # batches being filled
        self._last: dict[int, asyncio.Future[Any]] = {}  # the newest batch on its way

    async def __aenter__(self) -> Sender:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def partitions(self) -> int:
        """How many partitions the topic has."""
        return len(await self._producer.partitions_for(self.topic))

    async def send(self, partition: int, key: bytes | None, value: bytes, headers: Headers = ()) -> None:
        """Take one record; it is acknowledged when `flush` returns. Raises KafkaError, also for a batch sent earlier."""
        batch, told = self._open.get(partition), list(headers)
        if batch is None or batch.append(timestamp=None, key=key, value=value, headers=told) is None:
            if batch is not None:
                await self._submit(partition)
            batch = self._open[partition] = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=told)  # an empty batch takes any record
        self.sent += 1

    async def flush(self) -> None:
        """Until everything is acknowledged. Raises KafkaError."""
        for partition in list(self._open):
            await self._submit(partition)
        for done in list(self._last.values()):
            await done
        self._last.clear()

    async def _submit(self, partition: int) -> None:
        before = self._last.get(partition)
        if before is not None:
            await before  # its error is ours to tell
        self._last[partition] = await self._producer.send_batch(
            self._open.pop(partition), self.topic, partition=partition
        )
