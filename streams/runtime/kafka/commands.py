"""The commands of a deployment on Kafka."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from streams.runtime.kafka.dead_letters import dead_letters
from streams.runtime.kafka.options import CONFIG, read_kafka_config

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


@click.command("worker")
@CONFIG
@click.option("--instance", help="This worker's name in its group; by host and number when not given.")
def worker_command(config: Path, instance: str | None) -> None:
    """Count on Kafka: run as many as wanted. Each takes its share; one of them detects, one writes to the store.

    Its figures are on the first free port of the loopback after service.port, which is that of `serve`: /metrics, /healthz, /readyz.
    """
    settings = read_kafka_config(config)
    from streams.runtime.kafka.foreign_logs import quieten
    from streams.runtime.kafka.slot import Slot
    from streams.runtime.logs import configure

    configure()
    quieten()
    slot = Slot(settings.service.data)
    assert settings.kafka is not None
    kafka = settings.kafka.model_copy(update={"instance": instance or settings.kafka.instance or slot.instance})
    code = asyncio.run(_work(settings.model_copy(update={"kafka": kafka})))
    sys.stderr.flush()
    os._exit(code)  # threads of libraries must not keep an ended worker


@click.command("change-pack")
@CONFIG
def change_pack_command(config: Path) -> None:
    """Let the running workers listen for the pack of the configuration from now on; what was there keeps its baseline."""
    settings = read_kafka_config(config)
    from streams.pack import PackError, pack_file, parse_pack, read_pack

    try:
        path = pack_file(settings.pack)
        text = read_pack(path)
        parse_pack(text, str(path))
    except (PackError, OSError) as error:
        raise click.ClickException(str(error)) from None
    asyncio.run(_append(settings, text))
    click.echo("the workers have been told")


async def _append(settings: Settings, text: str) -> None:
    from aiokafka import AIOKafkaProducer

    from alerting.model import Control
    from streams.runtime.kafka import wire

    assert settings.kafka is not None
    one = wire.control(Control(id=uuid4().hex, kind="pack", at=time.time(), author="overheard", value=text, via="cli"))
    async with AIOKafkaProducer(**settings.kafka.client(), acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(one.topic.full(settings.kafka.prefix), one.value, key=one.key, partition=0)


async def _work(settings: Settings) -> int:
    import structlog

    from streams.pack import PackError
    from streams.runtime.embedded import pipeline_config
    from streams.runtime.kafka.cluster import KafkaCluster
    from streams.runtime.kafka.kit import Kit
    from streams.runtime.kafka.worker import Worker
    from streams.runtime.secret import author_secret

    assert settings.kafka is not None
    config = pipeline_config(settings)
    try:
        baselines = settings.baselines.read_bytes() if settings.baselines else None
        kit = Kit(config, author_secret(settings), baselines)
        worker = Worker(settings, config, kit, KafkaCluster(settings.kafka))
        worker.catch_signals()
        port = settings.service.port
        return await worker.run(port=port and port + 1)
    except (PackError, OSError, ValueError, RuntimeError) as error:
        structlog.get_logger(__name__).error("the worker ended", error=f"{type(error).__name__}: {error}")
        return 2


commands: list[click.Command] = [worker_command, change_pack_command, dead_letters]
