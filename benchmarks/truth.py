"""The input of the throughput table on its topics, what its counts are, and what a run made of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ahocorasick
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.runtime.routing import Router, key_of
from streams.runtime.sender import Sender

WINDOW = 300
PACED = 50  # records between two looks at the clock
LAST_WINDOWS = 100  # how far after everything else the records lie that close all windows
Cell = tuple[str, Any, int]  # place, phrase or keyword, window start


async def fill(
    address: str,
    topic: str,
    values: Sequence[bytes],
    partitions: int,
    *,
    by_place: bool,
    per_second: float | None = None,
) -> None:
    """Write the complaints, then for each place one long after, so that every window is closed."""
    router = Router(partitions)
    began = time.monotonic()
    async with Sender({"bootstrap_servers": address}, topic) as sender:
        for value in [*values, *closing(values)]:
            key = orjson.loads(value)["location"].encode() if by_place else key_of(value)
            await sender.send(router.of_key(key), key, value)
            if per_second and sender.sent % PACED == 0:
                await sender.flush()
                await asyncio.sleep(max(0.0, began + sender.sent / per_second - time.monotonic()))
        await sender.flush()


def closing(values: Sequence[bytes]) -> list[bytes]:
    """One record a place, without a phrase, far behind the last."""
    at = orjson.loads(values[-1])["created_at"] + LAST_WINDOWS * WINDOW
    places = sorted({orjson.loads(value)["location"] for value in values})
    return [
        orjson.dumps(
            {
                "id": f"end{number}",
                "created_at": at,
                "text": "nothing",
                "author": f"end{number}",
                "location": place,
                "source": "twitter:bench",
            }
        )
        for number, place in enumerate(places)
    ]


async def create(address: str, *topics: tuple[str, int]) -> None:
    """Make topics with so many partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1) for topic, partitions in topics])
    finally:
        await admin.close()


def truth(values: Sequence[bytes], phrases: Sequence[str]) -> Counter[Cell]:
    """Counted once more, by nobody's engine."""
    automaton = ahocorasick.Automaton()
    for number, phrase in enumerate(phrases):
        automaton.add_word(f" {phrase} ", number)
    automaton.make_automaton()
    counts: Counter[Cell] = Counter()
    for value in values:
        record = orjson.loads(value)
        start = int(record["created_at"] // WINDOW) * WINDOW
        for _, phrase in automaton.iter(f" {record['text'].lower()} "):
            counts[record["location"], phrase, start] += 1
    return counts


async def records(address: str, topic: str, partition: int | None = None) -> list[tuple[bytes | None, bytes | None]]:
    """All keys and values of a topic, or of one of its partitions."""
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        found: list[tuple[bytes | None, bytes | None]] = []
        for number in await _partitions(consumer, topic) if partition is None else [partition]:
            where = TopicPartition(topic, number)
            end = (await consumer.end_offsets([where]))[where]
            consumer.assign([where])
            await consumer.seek_to_beginning(where)
            while await consumer.position(where) < end:
                for batch in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                    found += [(record.key, record.value) for record in batch]
        return found


async def _partitions(consumer: Any, topic: str) -> list[int]:
    await consumer._client._wait_on_metadata(topic)
    return sorted(consumer.partitions_for_topic(topic) or ())


def from_rows(found: Sequence[tuple[bytes | None, bytes | None]]) -> dict[Cell, int]:
    """The last word on each cell, from records that are lists of (place, phrase, window start, count)."""
    return {
        (place, phrase, start): count
        for _, value in found
        for place, phrase, start, count in orjson.loads(value or b"[]")
    }


def from_changelog(found: Sequence[tuple[bytes | None, bytes | None]]) -> dict[Cell, int]:
    """The last word on each cell, from the changelog of a Faust windowed table."""
    cells = {}
    for key, value in found:
        (place, phrase), (start, _) = orjson.loads(key or b"")
        cells[place, phrase, int(start)] = orjson.loads(value or b"0")
    return cells


def difference(counts: dict[Cell, int], right: Counter[Cell]) -> tuple[int, int]:
    """How much was counted too often, and how much too little."""
    over = sum(max(0, count - right[cell]) for cell, count in counts.items())
    lost = sum(max(0, count - counts.get(cell, 0)) for cell, count in right.items())
    return over, lost
