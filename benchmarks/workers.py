"""How workers scale, and how long a window's output takes: `python -m benchmarks.workers [--json FILE] [--events N] [--seconds S]`.

One worker and then two take a full topic, everything on: complaints a second from the first to the last committed, memory of each. Then
complaints come at 1,000 a second, and at half of what one worker took, a window of event time every second, and for each window the time is
told from the append of the record that moved the last partition's watermark past its end to the arrival of the window's cells at a reader.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks import truth, workload
from benchmarks.broker import running
from streams.places import Places
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.cluster import KafkaCluster
from streams.runtime.kafka.settings import KafkaSettings

PARTITIONS = 4
WINDOW = 300
LATENESS = 60.0
LIMIT_SECONDS = 900.0
CALM = 1000.0  # complaints a second


class Deployment:
    """One prefix with its configuration and workers."""

    def __init__(self, folder: Path, address: str, prefix: str) -> None:
        self.folder, self.address, self.prefix = folder, address, prefix
        self.complaints = topics.COMPLAINTS.full(prefix)
        self.cells = topics.CELLS.full(prefix)
        (folder / "bench.toml").write_text(workload.pack_toml(), encoding="utf-8")
        self.config = folder / f"{prefix}.toml"
        self.config.write_text(
            f'pack = "bench.toml"\n[service]\ndata = "{prefix}"\nport = 0\nidle_tick_seconds = 0\n'
            f'[kafka]\nbrokers = ["{address}"]\nprefix = "{prefix}"\npartitions = {PARTITIONS}\n',
            encoding="utf-8",
        )

    async def create(self) -> None:
        """Make the topics."""
        cluster = KafkaCluster(KafkaSettings(brokers=(self.address,), prefix=self.prefix, partitions=PARTITIONS))
        await cluster.begin()
        await cluster.end()

    @contextmanager
    def workers(self, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        """So many, ended afterwards."""
        command = [sys.executable, "-m", "overheard", "worker", "--config", str(self.config)]
        with (self.folder / f"{self.prefix}.log").open("ab") as log:
            started = [subprocess.Popen(command, stdout=log, stderr=log) for _ in range(count)]
        try:
            yield started
        finally:
            for one in started:
                one.terminate()
            for one in started:
                one.wait(30)

    def owned(self) -> int:
        """How often workers said that they own partitions."""
        return (self.folder / f"{self.prefix}.log").read_text(encoding="utf-8").count("partitions owned")


async def taken(deployment: Deployment, events: int) -> float:
    """Complaints a second from when the first worker owns its partitions to the last commit."""
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.address)
    await admin.start()
    while not deployment.owned():
        await asyncio.sleep(0.02)
    began = time.monotonic()
    try:
        while time.monotonic() < began + LIMIT_SECONDS:
            try:
                committed = await admin.list_consumer_group_offsets(deployment.prefix)
            except KafkaError:
                committed = {}  # the group is being made
            done = sum(at.offset for tp, at in committed.items() if tp.topic == deployment.complaints and at.offset > 0)
            if done >= events:
                return done / (time.monotonic() - began)
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
    raise SystemExit(
        f"the workers did not finish: {(deployment.folder / f'{deployment.prefix}.log').read_text()[-3000:]}"
    )


def throughput(deployment: Deployment, values: Sequence[bytes], count: int) -> dict[str, Any]:
    """Of so many workers on a topic that is full before they start."""
    asyncio.run(deployment.create())
    asyncio.run(truth.fill(deployment.address, deployment.complaints, values, PARTITIONS, by_place=False))
    with deployment.workers(count) as workers:
        rate = asyncio.run(taken(deployment, len(values) + len(truth.closing(values))))
        memory = [peak_memory_mb(one.pid) for one in workers]
    return {"workers": count, "events_per_second": round(rate), "peak_memory_mb": [round(one) for one in memory]}


def peak_memory_mb(pid: int) -> float:
    """The most memory a process held."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def latencies(deployment: Deployment, values: Sequence[bytes], per_second: float) -> list[float]:
    """Seconds from the append that lets a window close to its cells at a reader, of every window."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=deployment.address, auto_offset_reset="earliest", fetch_max_wait_ms=20
    )
    await consumer.start()
    consumer.assign([TopicPartition(deployment.cells, 0)])
    arrived: dict[int, float] = {}

    async def read() -> None:
        async for record in consumer:
            entry = wire.read_cells_entry(record.value)
            if isinstance(entry, wire.CellsRecord):
                arrived[entry.start] = time.time()

    reading = asyncio.create_task(read())
    await truth.fill(
        deployment.address, deployment.complaints, values, PARTITIONS, by_place=False, per_second=per_second
    )
    await asyncio.sleep(5)
    reading.cancel()
    due = await _due(consumer, deployment)
    await consumer.stop()
    last = int(orjson.loads(values[-1])["created_at"] // WINDOW) * WINDOW
    return [
        at - due[start] for start, at in sorted(arrived.items()) if start in due and start + WINDOW + LATENESS < last
    ]


async def _due(consumer: AIOKafkaConsumer, deployment: Deployment) -> dict[int, float]:
    """When every window could be closed: the append, in the slowest partition, of the first record past its end and the lateness."""
    due: dict[int, float] = {}
    for partition in range(PARTITIONS):
        tp = TopicPartition(deployment.complaints, partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        passed = None
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, ()):
                closes = int((orjson.loads(record.value)["created_at"] - LATENESS) // WINDOW) * WINDOW
                for start in range(passed, closes, WINDOW) if passed is not None else ():
                    due[start] = max(due.get(start, 0.0), record.timestamp / 1000)
                passed = max(passed or closes, closes)
    return due


def latency(folder: Path, address: str, named: list[str], pace: float, seconds: float) -> dict[str, Any]:
    """At so many complaints a second, a window of event time every second, of one worker."""
    live = workload.records(int(pace * seconds), 2, named, per_second=pace / WINDOW)
    deployment = Deployment(folder, address, f"latency-{pace:.0f}")
    asyncio.run(deployment.create())
    with deployment.workers(1):
        while not deployment.owned():
            time.sleep(0.1)
        taken_seconds = asyncio.run(latencies(deployment, live, pace))
    return {
        "events_per_second": round(pace),
        "windows": len(taken_seconds),
        "median_seconds": round(float(np.median(taken_seconds)), 3),
        "p99_seconds": round(float(np.percentile(taken_seconds, 99)), 3),
        "load_average": round(os.getloadavg()[0], 1),
    }


def measure(events: int, seconds: float) -> dict[str, Any]:
    """All of it."""
    named = workload.locations(Places.load(), 500)
    values = workload.records(events, 1, named, per_second=20)
    with tempfile.TemporaryDirectory() as name, running() as broker:
        rows = [throughput(Deployment(Path(name), broker.address, f"workers-{n}"), values, n) for n in (1, 2)]
        paces = (CALM, rows[0]["events_per_second"] / 2)
        told = [latency(Path(name), broker.address, named, pace, seconds) for pace in paces]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 1),
        "rows": rows,
        "two_workers_times_one": round(rows[1]["events_per_second"] / rows[0]["events_per_second"], 2),
        "latency": told,
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the measurement of latency")
    arguments = parser.parse_args()
    found = measure(arguments.events, arguments.seconds)
    print(json.dumps(found, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
