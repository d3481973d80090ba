"""What page and API ask of a deployment on Kafka: they read the store the workers write, and people's acts go into the log of parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from alerting.model import Control
from streams.runtime.embedded import pipeline_config
from streams.runtime.kafka import wire
from streams.runtime.kafka.kit import Kit
from streams.runtime.own_pack import OwnPack, as_change
from streams.runtime.secret import author_secret
from streams.runtime.settings import Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Health, Reader

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.2  # people see what is new within a second
ACT_SECONDS = 10.0
MOVED = ("kafka_position", "last_close", "audit_head")  # values of the store that tell that something is new


class PageService:
    """`start` in a running loop, `stop`."""

    def __init__(self, settings: Settings) -> None:
        """Raises PackError, StoreError, SQLAlchemyError."""
        assert settings.kafka is not None
        self.settings, self.kafka = settings, settings.kafka
        self.pipeline = Kit(pipeline_config(settings), author_secret(settings), None).pipeline
        self.health = Health()
        self.store = open_store(settings.service.store_url)
        self.reader = Reader(self.store, self.health)
        self.on_close: list[Callable[[], object]] = []
        self.own_pack = OwnPack(settings.pack, lambda: self.reader, self.pipeline.refuses)
        self._producer: AIOKafkaProducer | None = None

    def start(self) -> None:
        """Begin to look for news."""
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more, let connections go."""
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        if self._producer is not None:
            await self._producer.stop()
        self.store.dispose()

    async def append_control(self, control: Control) -> None:
        """A person's act, acknowledged by the broker. Raises OSError where it does not answer, PromotionError where the pack's
        file cannot be changed as it asks.
        """
        async with self.own_pack.changed(control) as text:
            if text is not None:
                await self._send(as_change(control, text))
            await self._send(control)

    async def _send(self, control: Control) -> None:
        one = wire.control(control)
        try:
            async with asyncio.timeout(ACT_SECONDS):
                if self._producer is None:
                    producer = AIOKafkaProducer(**self.kafka.client(), acks="all", enable_idempotence=True)
                    await producer.start()
                    self._producer = producer
                name = one.topic.full(self.kafka.prefix)
                await self._producer.send_and_wait(name, one.value, key=one.key, partition=0)
        except (KafkaError, TimeoutError) as error:
            raise OSError(f"the brokers do not answer: {type(error).__name__}") from error

    async def _look(self) -> None:
        known: dict[str, Any] = {}
        while True:
            try:
                meta = await asyncio.to_thread(self.reader.meta)
                if self.health.store is not None:
                    log.info("the store answers again")
                    self.health.store = None
            except SQLAlchemyError as error:
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                if self.health.store is None:
                    log.error("the store does not answer", reason=reason)
                self.health.store = f"The store does not answer ({reason}): what is shown is old."
                meta = known
            found = {key: meta.get(key) for key in MOVED}
            if found != {key: known.get(key) for key in MOVED}:
                known = dict(meta)
                for listener in list(self.on_close):
                    listener()
            await asyncio.sleep(LOOK_SECONDS)


def alive(service: PageService) -> APIRouter:
    """`/-/healthy`, for whoever starts it again."""
    routes = APIRouter()

    @routes.get("/-/healthy")
    async def healthy(response: Response) -> dict[str, Any]:
        """200 while the store answers, 503 with the reason while it does not."""
        red = service.health.red
        response.status_code = 503 if red else 200
        return {"red": red}

    return routes
