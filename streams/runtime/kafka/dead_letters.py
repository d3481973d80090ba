"""`overheard dead-letters`: what could not be counted, and sending it again once the cause is mended. Shows no text: that is for others to see."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from streams.complaint import DeadLetter
from streams.runtime.kafka.options import CONFIG, read_kafka_config
from streams.runtime.kafka.settings import KafkaSettings

REASON = click.option("--reason", help="Only those of this reason, such as bad_time.")


class Letter(NamedTuple):
    """One dead letter and when its record was refused (Unix seconds)."""

    letter: DeadLetter
    at: float


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be counted."""


@dead_letters.command("list")
@CONFIG
@REASON
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="The newest so many.")
def list_command(config: Path, reason: str | None, limit: int) -> None:
    """Tell where they were read, when, and why they were refused."""
    settings = read_kafka_config(config)
    found = asyncio.run(_read(settings.kafka, reason))
    for one in found[-limit:]:
        at = datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        click.echo(f"{one.letter.where}  {at}  {one.letter.reason}  {one.letter.length} bytes")
    counts = ", ".join(f"{count} {name}" for name, count in Counter(one.letter.reason for one in found).most_common())
    click.echo(f"{len(found)} dead letters{': ' if counts else ''}{counts}")


@dead_letters.command("retry")
@CONFIG
@REASON
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.argument("where", nargs=-1, metavar="[TOPIC:PARTITION:OFFSET]...")
def retry_command(config: Path, reason: str | None, everything: bool, where: tuple[str, ...]) -> None:
    """Send records again, as they were: those named, those of a reason, or all. What is refused again is a new dead letter."""
    if not (where or reason or everything):
        raise click.UsageError("say which: TOPIC:PARTITION:OFFSET, --reason or --all")
    settings = read_kafka_config(config)
    sent, lost = asyncio.run(_retry(settings.kafka, reason, where))
    click.echo(f"{sent} sent again")
    for one in lost:
        click.echo(f"{one}: larger than a dead letter keeps, and no longer on its topic", err=True)
    if where and sent + len(lost) < len(where):
        raise click.ClickException(f"{len(where) - sent - len(lost)} of those named are no dead letters")


async def _read(settings: Any, reason: str | None, where: Sequence[str] = ()) -> list[Letter]:
    from streams.runtime.kafka.cluster import KafkaCluster

    cluster = KafkaCluster(settings)
    await cluster.begin()
    try:
        return await letters(cluster, settings, reason, where)
    finally:
        await cluster.end()


async def letters(cluster: Any, settings: KafkaSettings, reason: str | None, where: Sequence[str]) -> list[Letter]:
    """The dead letters kept, each once, oldest first."""
    from streams.runtime.kafka import topics, wire

    name = topics.DEAD_LETTER.full(settings.prefix)
    found: dict[str, Letter] = {}
    for partition in range(cluster.counts[name]):
        for record in await cluster.read(name, partition, *await cluster.bounds(name, partition)):
            letter = wire.read_dead_letter(record.value)
            wanted = (reason is None or letter.reason == reason) and (not where or str(letter.where) in where)
            if wanted:
                found.setdefault(str(letter.where), Letter(letter, record.timestamp / 1000.0))
    return list(found.values())


async def _retry(settings: Any, reason: str | None, where: Sequence[str]) -> tuple[int, list[str]]:
    from aiokafka import AIOKafkaProducer

    from streams.runtime.kafka import topics
    from streams.runtime.kafka.cluster import KafkaCluster
    from streams.runtime.routing import key_of

    cluster = KafkaCluster(settings)
    producer = AIOKafkaProducer(**settings.client(), acks="all", enable_idempotence=True)
    await asyncio.gather(cluster.begin(), producer.start())
    lost, sent = [], 0
    try:
        for one in await letters(cluster, settings, reason, where):
            value = await _whole(cluster, one.letter)
            if value is None:
                lost.append(str(one.letter.where))
                continue
            await producer.send_and_wait(topics.COMPLAINTS.full(settings.prefix), value, key=key_of(value))
            sent += 1
    finally:
        await producer.stop()
        await cluster.end()
    return sent, lost


async def _whole(cluster: Any, letter: DeadLetter) -> bytes | None:
    """The record as it was: from the letter where that holds all of it, else from where it was read."""
    raw = base64.b64decode(letter.raw)
    if len(raw) == letter.length:
        return raw
    where = letter.where
    first, _ = await cluster.bounds(where.origin, where.partition)
    if where.position < first:
        return None
    found = await cluster.read(where.origin, where.partition, where.position, where.position + 1)
    return found[0].value if found else None
