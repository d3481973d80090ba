"""A whole deployment in one process without a broker: the Faust app on the in-memory transport, with what page and demo ask of a service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog

from alerting.model import Control
from streams.runtime.embedded import pipeline_config
from streams.runtime.entries import RECORD, TICK, Entry
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.memory_transport import MemoryBroker
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.worker import Worker
from streams.runtime.own_pack import OwnPack, as_change
from streams.runtime.routing import key_of
from streams.runtime.secret import author_secret
from streams.runtime.settings import Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Health, Reader

log = structlog.get_logger(__name__)


class MemoryService:
    """`start` in a running loop, `stop`; entries and controls are appended to the logs in between."""

    def __init__(self, settings: Settings, partitions: int = 3) -> None:
        """Raises PackError, StoreError, ValueError."""
        self.kafka = KafkaSettings(partitions=partitions)
        self.settings = settings.model_copy(update={"kafka": self.kafka})
        self.config = pipeline_config(self.settings)
        baselines = settings.baselines.read_bytes() if settings.baselines else None
        self.kit = Kit(self.config, author_secret(settings), baselines)
        self.pipeline = self.kit.pipeline
        self.broker = MemoryBroker.get(f"service-{id(self)}")
        for topic in topics.TOPICS:
            self.broker.declare(topic.full(self.kafka.prefix), topic.partitions(partitions))
        self.health = Health()
        self.reader = Reader(open_store(settings.service.store_url), self.health)
        self.own_pack = OwnPack(settings.pack, lambda: self.reader, self.pipeline.refuses)
        self.on_close: list[Callable[[], object]] = []

    def start(self) -> None:
        """Begin to count."""
        self.worker = Worker(self.settings, self.config, self.kit, self.broker, memory=f"service-{id(self)}")
        self.worker.health = self.health
        self.worker.on_close = self._changed
        self._running = asyncio.create_task(self.worker.run())
        self._running.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Write what was counted, let go."""
        self.worker.end()
        await self._running

    async def append(self, entries: Sequence[Entry]) -> int:
        """Records go where their keys belong, ticks to every partition; how many records."""
        name = topics.COMPLAINTS.full(self.kafka.prefix)
        count = 0
        for entry in entries:
            if entry.kind == RECORD:
                self.broker.append(name, key_of(entry.payload), entry.payload, timestamp=entry.arrival)
                count += 1
            elif entry.kind == TICK:
                time, final = msgspec.msgpack.decode(entry.payload, type=tuple[float, bool])
                for partition in range(self.broker.counts[name]):
                    one = wire.tick(time, partition, final=final)
                    self.broker.append(name, None, one.value, partition, one.headers, entry.arrival)
        return count

    async def append_control(self, control: Control) -> None:
        """A person's act, to the log of parts. Raises PromotionError where the pack's file cannot be changed as it asks."""
        async with self.own_pack.changed(control) as text:
            for act in (control,) if text is None else (as_change(control, text), control):
                one = wire.control(act)
                self.broker.append(one.topic.full(self.kafka.prefix), one.key, one.value, 0, timestamp=act.at)

    def _changed(self) -> None:
        for listener in list(self.on_close):
            listener()

    def _ended(self, running: asyncio.Task[int]) -> None:
        if running.cancelled() or running.exception() is not None or running.result():
            self.health.pipeline = "Counting stopped: see the log."
