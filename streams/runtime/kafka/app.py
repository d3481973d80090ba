"""The Faust app: its settings, its topics, its agents. Everything that decides a result is in the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faust

from streams.runtime.kafka import deliver_agent, detect_agent, intake_agent, topics
from streams.runtime.kafka.batch_transport import BatchSchema
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.stages import Stages
from streams.runtime.kafka.wire import Keyed

BATCHES_WAITING = 4  # of a partition, before its fetching pauses
LINGER_SECONDS = 0.01
METADATA_SECONDS = 10


class App(faust.App):
    """Knows its stages, so that the transport can ask them."""

    stages: Stages


def build(settings: KafkaSettings, stages: Stages, folder: Path, *, memory: str | None = None) -> App:
    """The app of one worker; `memory` names a broker in this process instead of the real ones."""
    folder.mkdir(parents=True, exist_ok=True)
    urls = [f"memory://{memory}"] if memory else [f"kafka+batch://{broker}" for broker in settings.brokers]
    app = App(
        settings.prefix,
        broker=urls,
        broker_credentials=None if memory else _credentials(settings),
        datadir=folder / "faust",
        web_enabled=False,
        topic_allow_declare=False,  # made by us, with all of their configuration
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        consumer_metadata_max_age_ms=METADATA_SECONDS * 1000,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_rebalance_timeout=30.0,
        broker_max_poll_records=settings.poll_records,
        broker_commit_interval=1.0,
        stream_buffer_maxsize=BATCHES_WAITING,
        stream_recovery_delay=0.0,
        stream_wait_empty=False,  # what is half done at a rebalance is done again
        producer_linger=LINGER_SECONDS,
        producer_metadata_max_age_ms=METADATA_SECONDS * 1000,
        producer_max_batch_size=256 * 1024,
        producer_max_request_size=topics.MAX_RECORD_BYTES,
    )
    app.stages = stages
    intake_agent.agent(app, _topic(app, topics.COMPLAINTS, settings), stages)
    detect_agent.agent(app, _topic(app, topics.PARTS, settings), stages)
    for topic in (topics.INCIDENTS, topics.CELLS, topics.DEAD_LETTER):
        deliver_agent.agent(app, _topic(app, topic, settings), stages)
    return app


def _topic(app: App, topic: topics.Topic, settings: KafkaSettings) -> Any:
    return app.topic(topic.full(settings.prefix), schema=BatchSchema())


def _credentials(settings: KafkaSettings) -> Any:
    context = settings.context()
    if settings.sasl:
        return faust.SASLCredentials(
            username=settings.username,
            password=settings.read_password(),
            mechanism=settings.mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context=context)


class Sender:
    """Sends keyed records by the app's producer."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.app: App | None = None

    async def __call__(self, one: Keyed) -> Any:
        """What is awaitable until the broker has it."""
        assert self.app is not None
        return await self.app.producer.send(
            one.topic.full(self.prefix), one.key or None, one.value, one.partition, None, list(one.headers) or None
        )
