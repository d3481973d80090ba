"""`produce`: what stands on the topic afterwards is what a replay would hear, in its order, in its partitions, ended by its tick."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord

from benchmarks.broker import Broker
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.files import Input
from streams.runtime.kafka.wire import HISTORY_HEADERS, KIND, TICK, read_tick
from streams.runtime.produce import Produced, produce
from streams.runtime.routing import Router
from streams.runtime.sender import Sender

PARTITIONS = 3
START = 1_704_585_600.0


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(PipelineConfig(pack="power", partitions=PARTITIONS))


def written(folder: Path, spread: float = 86_400.0, count: int = 400) -> Path:
    """Complaints in no order, and some that are none."""
    rng = random.Random(5)
    lines = [
        json.dumps(
            {
                "id": f"n{number}",
                "source": "twitter:test",
                "author": f"person{number % 50}",
                "text": "no power in Houston",
                "created_at": START + rng.random() * spread,
            }
        ).encode()
        for number in range(count)
    ]
    lines += [b"not json", b'{"id": "x", "source": "twitter:test", "text": "far", "created_at": 1900000000}']
    rng.shuffle(lines)
    path = folder / "complaints.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


async def sent(
    address: str, topic: str, path: Path, pipeline: Pipeline, speed: float | None = None
) -> tuple[Produced, list[list[ConsumerRecord]]]:
    """What `produce` told, and the records by partition."""
    connection = {"bootstrap_servers": address}
    admin = AIOKafkaAdminClient(**connection)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    async with Sender(connection, topic) as sender:
        done = await produce([Input(path)], sender, pipeline.intakes[0].config, path.parent, speed=speed)
    found: list[list[ConsumerRecord]] = [[] for _ in range(PARTITIONS)]
    async with AIOKafkaConsumer(**connection, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        while sum(map(len, found)) < done.records + PARTITIONS:
            for where, records in (await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 20)).items():
                found[where.partition] += records
    return done, found


def test_records_stand_in_order_where_replay_routes_them_and_end_with_its_tick(
    broker: Broker, tmp_path: Path, pipeline: Pipeline
) -> None:
    path = written(tmp_path)
    done, found = asyncio.run(sent(broker.address, "produced", path, pipeline))
    assert sorted(one.value for records in found for one in records[:-1]) == sorted(path.read_bytes().splitlines())
    router = Router(PARTITIONS)
    newest = max(json.loads(line)["created_at"] for line in path.read_bytes().splitlines() if b"person" in line)
    seconds = pipeline.window_seconds
    for partition, records in enumerate(found):
        *complaints, last = records
        assert all(one.headers == HISTORY_HEADERS for one in complaints)
        assert {router.partition(one.value) for one in complaints} == {partition}
        times = [json.loads(one.value)["created_at"] for one in complaints if one.value != b"not json"]
        assert times == sorted(times)
        assert last.headers == ((KIND, TICK),)
        ended = read_tick(last.value)
        assert ended.final
        assert ended.time == done.end == newest // seconds * seconds + seconds + 60.0


def test_a_pace_is_kept(broker: Broker, tmp_path: Path, pipeline: Pipeline) -> None:
    path = written(tmp_path, spread=200.0, count=100)
    began = time.monotonic()
    done, _ = asyncio.run(sent(broker.address, "paced", path, pipeline, speed=100.0))
    assert done.records == 102
    assert time.monotonic() - began > 1.8
