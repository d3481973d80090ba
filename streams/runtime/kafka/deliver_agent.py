"""DELIVER on Kafka: one owner, who writes incidents, cells and dead letters to the store with its own offsets, then tells people."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from faust.types import TP

from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.desk import Desks
from streams.runtime.kafka.stages import Stages

log = structlog.get_logger(__name__)


def agent(app: Any, topic: Any, stages: Stages) -> None:
    """Put DELIVER on the app, for one of its topics."""

    @app.agent(topic, name=f"deliver-{topic.get_topic_name()}")  # type: ignore[untyped-decorator, unused-ignore]
    async def deliver_agent(stream: Any) -> None:
        async for batch in stream.events():
            await stages.take(batch.message.tp, batch.value.records, batch.value.epoch)


class DeliverStage:
    """One topic's way to the desk."""

    at_once = 200

    def __init__(self, tp: TP, desks: Desks) -> None:
        self.tp = tp
        self.next_offset = 0
        self.records = self.redelivered = 0
        self._desks = desks
        self._key = f"{tp.topic}:{tp.partition}"
        self._kind = tp.topic.rpartition(".")[2]

    async def begin(self) -> None:
        """Go on from where the store says."""
        self.desk = await asyncio.to_thread(self._desks.take)
        self.next_offset = self.desk.durable.get(self._key, 0)
        self.desk.begin()

    @property
    def durable(self) -> int | None:
        """What is in the store."""
        return self.desk.durable.get(self._key)

    @property
    def stale(self) -> bool:
        """Whether another worker writes to the store now."""
        return self.desk.fenced is not None

    @property
    def excused(self) -> bool:
        """While the store refuses, which `/healthz` tells."""
        return self.desk.health.store is not None

    async def take(self, records: Sequence[Any]) -> None:
        """Bring records to the desk."""
        if self.stale:
            return
        for record in records:
            if record.offset < self.next_offset:
                self.redelivered += 1
                continue
            self.next_offset = record.offset + 1
            self.records += 1
            try:
                if self._taken(record):
                    self.desk.offsets[self._key] = record.offset + 1
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.error("not a record of ours", topic=self.tp.topic, offset=record.offset, detail=str(error))
        # What people must hear of is few rows, and never waits.
        await self.desk.keep_pace(patiently=self._kind != topics.INCIDENTS.name)

    def _taken(self, record: Any) -> bool:
        if self._kind == topics.CELLS.name:
            return self.desk.take_cells(record.value or b"")
        if self._kind == topics.INCIDENTS.name:
            self.desk.work.incidents.append(wire.read_incident(record.value or b""))
        else:
            self.desk.take_letter(record.value or b"", record.timestamp / 1000.0)
        return True

    async def tend(self) -> None:
        """Write what waits."""
        await self.desk.keep_pace(patiently=False)

    async def end(self) -> None:
        """Write what waits, the store willing."""
        await self.desk.write()
        await self.desk.sending.stop()

    def leave(self) -> None:
        """The topic is another worker's now."""
        self._desks.leave()
