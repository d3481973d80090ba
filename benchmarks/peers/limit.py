"""The least there is: the same work on a list in memory, no broker at all."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from work import Counter, Meter, job


async def read(address: str, topic: str, partitions: int, events: int) -> list[tuple[int, bytes]]:
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, partition) for partition in range(partitions)])
        values: list[tuple[int, bytes]] = []
        while len(values) < events:
            for where, records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).items():
                values += [(where.partition, record.value) for record in records]
        return values[:events]


work = job()
assert work.events is not None
values = asyncio.run(read(work.address, work.topic, work.partitions, work.events))
meter = Meter(work)
counters = [Counter(work.phrases, lambda rows: None) for _ in range(work.partitions)]
meter.add()
for partition, value in values:
    counters[partition].one(value)
meter.add(work.events - 1)
