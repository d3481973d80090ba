"""A topic of complaints as `replay` reads files: fetched into a temporary file once, as far as it reached when it was asked for."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.runtime.files import Block, BytesRead, FileError
from streams.runtime.kafka.wire import KIND, TICK

BLOCK_RECORDS = 1_000
FETCHED_RECORDS = 5_000
WAIT_MS = 500
MOST_EMPTY_READS = 60
_HEAD = struct.Struct("<qI")  # offset, length


class TopicInput:
    """One partition of a topic. Ticks are left out: a replay makes its own."""

    def __init__(self, topic: str, partition: int, path: Path) -> None:
        self.name = f"{topic}:{partition}"
        self.notices: dict[str, str] = {}
        self.path = path
        self.size_bytes = path.stat().st_size

    def blocks(self, read: BytesRead = lambda _: None) -> Iterator[Block]:
        """The records in the partition's order; positions are offsets."""
        done = 0
        with self.path.open("rb") as file:
            values: list[bytes] = []
            positions: list[int] = []
            while head := file.read(_HEAD.size):
                offset, length = _HEAD.unpack(head)
                values.append(file.read(length))
                positions.append(offset)
                done += _HEAD.size + length
                if len(values) == BLOCK_RECORDS:
                    yield Block(values, positions)
                    read(done)
                    values, positions = [], []
            if values:
                yield Block(values, positions)
                read(done)


def fetch(
    connection: Mapping[str, Any], topic: str, folder: Path, since: float | None, until: float | None
) -> list[TopicInput]:
    """All partitions, read into `folder`: records that arrived in [since, until), Unix seconds; without bounds all there are.

    Raises FileError where the topic is not there or the brokers do not answer.
    """
    try:
        return asyncio.run(_fetch(connection, topic, folder, since, until))
    except (KafkaError, TimeoutError, OSError) as error:
        told = str(error) or type(error).__name__
        raise FileError(f"kafka://{topic}: {told}") from None


async def _fetch(
    connection: Mapping[str, Any], topic: str, folder: Path, since: float | None, until: float | None
) -> list[TopicInput]:
    partitions = await _partitions(connection, topic)
    consumer = AIOKafkaConsumer(
        **connection, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=8 * 1024 * 1024
    )
    await consumer.start()
    try:
        found = []
        for one in partitions:
            tp = TopicPartition(topic, one)
            first, end = await _bound(consumer, tp, since), await _bound(consumer, tp, until, last=True)
            found.append(await _one(consumer, tp, folder, first, end))
        return found
    finally:
        await consumer.stop()


async def _partitions(connection: Mapping[str, Any], topic: str) -> list[int]:
    """Raises FileError where there is no such topic."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if not described["partitions"]:
        raise FileError(f"kafka://{topic}: no such topic")
    return sorted(one["partition"] for one in described["partitions"])


async def _bound(consumer: AIOKafkaConsumer, tp: TopicPartition, moment: float | None, *, last: bool = False) -> int:
    """The offset of the first record that arrived at or after `moment`; without one the beginning, or the end."""
    if moment is not None and (found := (await consumer.offsets_for_times({tp: int(moment * 1000)}))[tp]) is not None:
        return int(found.offset)
    if moment is None and not last:
        return int((await consumer.beginning_offsets([tp]))[tp])
    return int((await consumer.end_offsets([tp]))[tp])


async def _one(consumer: AIOKafkaConsumer, tp: TopicPartition, folder: Path, first: int, end: int) -> TopicInput:
    path = folder / f"partition-{tp.partition}"
    consumer.assign([tp])
    consumer.seek(tp, first)
    empty = 0
    with path.open("wb") as file:
        while first < end and await consumer.position(tp) < end:
            records = (await consumer.getmany(tp, timeout_ms=WAIT_MS, max_records=FETCHED_RECORDS)).get(tp, ())
            empty = 0 if records else empty + 1
            if empty > MOST_EMPTY_READS:
                raise FileError(f"kafka://{tp.topic}: partition {tp.partition} cannot be read to its end ({end})")
            for one in records:
                if one.offset < end and (KIND, TICK) not in one.headers:
                    value = one.value or b""
                    file.write(_HEAD.pack(one.offset, len(value)) + value)
    return TopicInput(tp.topic, tp.partition, path)
