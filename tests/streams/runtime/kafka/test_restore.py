"""A state of 100,000 series is read back from the broker and restored within a second."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from ground import KIT, SUNDAY, Ground

from benchmarks.broker import Broker
from streams.part import Part, Rows
from streams.runtime.kafka import snapshots, topics
from streams.runtime.kafka.detect_agent import DetectEngine
from streams.runtime.kafka.snapshots import Snapshot, chunks

SERIES = 100_000
MOST_SECONDS = 1.0


def filled() -> DetectEngine:
    """DETECT after two windows with so many series."""
    engine = DetectEngine(KIT)
    engine.detect.partitions.widen(1, float("-inf"))
    rng = np.random.default_rng(1)
    for seq in range(2):
        start = SUNDAY // 300 * 300 + seq * 300
        pairs = np.unique(
            np.stack(
                (rng.integers(0, len(KIT.places.parent), 40_000), rng.integers(1, len(KIT.keywords.parent), 40_000))
            ),
            axis=1,
        )
        nothing, two = np.zeros(len(pairs[0]), np.int64), np.full(len(pairs[0]), 2)
        rows = Rows(np.full(len(nothing), start), pairs[0], pairs[1], nothing, nothing, two, two)
        engine.detect.process(Part(0, seq, start + 300.0, KIT.digest, rows, Rows.empty(), {}, {}, {}))
    return engine


@pytest.mark.alone
def test_a_hundred_thousand_series_are_restored_within_a_second(broker: Broker, tmp_path: Path) -> None:
    ground = Ground(tmp_path, broker.address)
    engine = filled()
    known = len(engine.detect.index)
    assert known >= SERIES

    async def restored() -> float:
        cluster = ground.cluster()
        await cluster.begin()
        producer = AIOKafkaProducer(bootstrap_servers=broker.address, max_request_size=topics.MAX_RECORD_BYTES)
        await producer.start()
        for offset in (100, 200, 300):
            made = Snapshot("detect", 0, offset, 1, KIT.digest, engine.state())
            for piece in chunks(made, offset // 100 % 2, 2):
                await producer.send_and_wait(ground.name(topics.SNAPSHOTS), piece.value, key=piece.key, partition=0)
        await producer.stop()
        took = []
        for _ in range(3):
            began = time.perf_counter()
            found = await snapshots.load(cluster, ground.name(topics.SNAPSHOTS), 2, "detect", 0)
            assert found.snapshot is not None
            assert found.snapshot.next_offset == 300
            fresh = DetectEngine(KIT)
            fresh.restore(found.snapshot.state)
            took.append(time.perf_counter() - began)
            assert len(fresh.detect.index) == known
            assert fresh.state() == engine.state()
        await cluster.end()
        return min(took)

    seconds = asyncio.run(restored())
    print(f"{known} series restored in {seconds:.2f} s")
    assert seconds <= MOST_SECONDS
