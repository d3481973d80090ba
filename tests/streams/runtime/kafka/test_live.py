"""Live on a real broker: partitions in which nothing comes are ticked, and a partition that is added is counted from its first record on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from ground import SECRET, Ground, complaint, until, voices

from benchmarks.broker import Broker
from streams.pipeline import PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.records import ControlRecord


def test_idle_partitions_are_ticked_and_an_added_one_is_counted(broker: Broker, tmp_path: Path) -> None:
    kit = Kit(PipelineConfig(pack="power", window_seconds=10), SECRET)
    ground = Ground(tmp_path, broker.address, kit, idle_tick_seconds=1)
    began = time.time()

    def counted() -> int:
        return voices(ground, began - 7200, began + 3600) if (tmp_path / "store.sqlite").exists() else 0

    async def add_partition() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        await admin.create_partitions({ground.name(topics.COMPLAINTS): NewPartitions(3)})
        await admin.close()

    async def lived() -> list[str]:
        async with ground.worker():
            old = [complaint(number, created_at=began - 1000 + number) for number in range(50)]
            await ground.append(old, headers=(), partition=0)
            await until(lambda: counted() == 50)  # partition 1 has nothing, and does not hold time back
            await add_partition()
            new = [complaint(number, created_at=began - 1000 + number) for number in range(50, 80)]
            await ground.append(new, headers=(), partition=2)
            await until(lambda: counted() == 80, seconds=45)
        parts = [wire.read_parts_entry(record.value) for record in await ground.records(topics.PARTS)]
        return [one.control.id for one in parts if isinstance(one, ControlRecord)]

    assert asyncio.run(lived()) == ["partitions:2", "partitions:3"]
