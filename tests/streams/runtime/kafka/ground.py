"""Workers in this process, on either transport: complaints put in, topics and store read back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from alerting.model import Control
from streams.pipeline import PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.cluster import Cluster, KafkaCluster
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.memory_transport import MemoryBroker
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.worker import Worker
from streams.runtime.routing import key_of
from streams.runtime.settings import ServiceSettings, Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader

PARTITIONS = 2
SUNDAY = 1_704_585_600
SECRET = b"overheard replay: a known key, so that two replays give the same bytes"[:64]
KIT = Kit(PipelineConfig(pack="power"), SECRET)


class Ground:
    """A prefix on one of the two, and workers in this process."""

    def __init__(self, folder: Path, address: str | None, kit: Kit = KIT, **service: Any) -> None:
        self.kit, self.folder, self.address, self.prefix = kit, folder, address, f"contract-{uuid4().hex[:8]}"
        self.memory = MemoryBroker.get(self.prefix)
        brokers = (address or "127.0.0.1:1",)
        self.kafka = KafkaSettings(
            brokers=brokers, prefix=self.prefix, partitions=PARTITIONS, session_timeout_seconds=6
        )
        self.settings = Settings(
            service=ServiceSettings(data=folder, **{"idle_tick_seconds": 0, "snapshot_seconds": 0.2} | service),
            kafka=self.kafka,
        )
        if address is None:
            for topic in topics.TOPICS:
                self.memory.declare(topic.full(self.prefix), topic.partitions(PARTITIONS))

    def name(self, topic: topics.Topic) -> str:
        return topic.full(self.prefix)

    def cluster(self) -> Cluster:
        return self.memory if self.address is None else KafkaCluster(self.kafka)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """One worker, at work; it ends in order."""
        made = Worker(
            self.settings,
            self.kit.config,
            self.kit,
            self.cluster(),
            memory=self.prefix if self.address is None else None,
        )
        running = asyncio.create_task(made.run())
        try:
            await until(lambda: made.stages.ready or running.done())
            assert not running.done(), running.exception() or running.result()
            yield made
        finally:
            made.end()
            assert await running == 0

    async def append(
        self, values: Sequence[bytes | None], *, headers: Any = wire.HISTORY_HEADERS, partition: int | None = None
    ) -> None:
        """Add records to the complaints."""
        keyed = [(b"null" if value is None else key_of(value), value) for value in values]
        if self.address is None:
            for key, value in keyed:
                self.memory.append(self.name(topics.COMPLAINTS), key, value, partition, headers)
            return
        producer = AIOKafkaProducer(bootstrap_servers=self.address)
        await producer.start()
        for key, value in keyed:
            await producer.send(
                self.name(topics.COMPLAINTS), value, key=key, partition=partition, headers=list(headers)
            )
        await producer.stop()

    async def end_tick(self, partitions: int = PARTITIONS, at: float = SUNDAY + 86_400) -> None:
        for partition in range(partitions):
            one = wire.tick(at, partition, final=True)
            await self.append([one.value], headers=one.headers, partition=partition)

    async def widen(self, count: int) -> None:
        """Add partitions to the complaints, until there are so many."""
        name = self.name(topics.COMPLAINTS)
        if self.address is None:
            self.memory.declare(name, count)
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        await admin.create_partitions({name: NewPartitions(count)})
        await admin.close()

    async def change_pack(self, worker: Worker, text: str) -> None:
        """Append a pack to the log, and wait until every partition has heard of it."""
        act = Control(id=uuid4().hex, kind="pack", at=0.0, author="test", value=text)
        await (await worker.send(wire.control(act)))
        await self.settled(worker)

    async def records(self, topic: topics.Topic) -> list[Any]:
        cluster = self.cluster()
        await cluster.begin()
        name = self.name(topic)
        found = [one for partition in range(cluster.counts[name])
                 for one in await cluster.read(name, partition, *await cluster.bounds(name, partition))]  # fmt: skip
        await cluster.end()
        return found

    async def settled(self, worker: Worker) -> None:
        """Until all that stands on the topics is counted and durable."""

        async def done() -> bool:
            await worker.cluster.count()
            for tp, stage in list(worker.stages.owned.items()):
                end = (await worker.cluster.bounds(tp.topic, tp.partition))[1]
                if stage.next_offset < end or (stage.durable or 0) < end:
                    return False
            return True

        for _ in range(2):
            for _ in range(400):
                if await done():
                    break
                await asyncio.sleep(0.05)
            else:
                raise TimeoutError({tp: (one.next_offset, one.durable) for tp, one in worker.stages.owned.items()})


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def complaint(number: int, **fields: Any) -> bytes:
    record = {
        "id": f"n{number}",
        "source": "x:y",
        "author": f"p{number}",
        "text": "no power in Houston",
        "created_at": SUNDAY + number * 20.0,
    }
    return json.dumps(record | fields).encode()


def voices(ground: Ground, since: float = SUNDAY, until: float = SUNDAY + 86_400) -> int:
    """People in the store, everywhere."""
    reader = Reader(open_store(ground.settings.service.store_url))
    return sum(cell.voices for cell in reader.series("everywhere", "*", since, until))
