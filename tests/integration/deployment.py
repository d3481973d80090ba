"""Workers on a real broker, as separate processes that can be killed; complaints put into Kafka; topics read back; and the truth."""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from service import CITIES, SUNDAY

from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.cluster import KafkaCluster
from streams.runtime.kafka.records import CellsRecord
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.routing import key_of


def busy(seed: int, count: int, days: float = 2.0) -> list[bytes]:
    """`count` complaints over two days in ten cities, with two hours in which one of them is loud; in order of time."""
    rng = random.Random(seed)
    storm = SUNDAY + days * 86400 * 0.7
    times = [(SUNDAY + rng.random() * days * 86400, rng.choice(CITIES)) for _ in range(count * 9 // 10)]
    times += [(storm + rng.random() * 7200, "Houston") for _ in range(count - len(times))]
    return [
        json.dumps(
            {"id": f"n{number}", "source": f"twitter:{number % 3}", "author": f"person{number}",
             "text": f"no power in {city}", "created_at": round(at, 3)}
        ).encode()
        for number, (at, city) in enumerate(sorted(times))
    ]  # fmt: skip


WINDOW = 300


class Deployment:
    """One prefix on a broker, its workers, and a folder."""

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        partitions: int = 3,
        prefix: str = "t",
        pack: str = "power",
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.address, self.partitions, self.prefix = folder, address, partitions, prefix
        self.kafka = KafkaSettings(brokers=(address,), prefix=prefix, partitions=partitions)
        service = {"data": "var", "port": 0, "idle_tick_seconds": 0, "snapshot_seconds": 0.5} | settings.pop(
            "service", {}
        )
        kafka = {
            "brokers": [address],
            "prefix": prefix,
            "partitions": partitions,
            "session_timeout_seconds": 6,
        } | settings
        said = [f"[{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in section.items())
                for name, section in (("service", service), ("kafka", kafka))]  # fmt: skip
        self.config = folder / "overheard.toml"
        self.config.write_text(f'pack = "{pack}"\n' + "\n".join(said) + "\n")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.started = 0

    # -- workers -------------------------------------------------------------------------------------------------

    def start(self) -> subprocess.Popen[bytes]:
        """One more worker."""
        self.started += 1
        command = [sys.executable, "-m", "overheard", "worker", "--config", str(self.config)]
        with (self.folder / f"log-{self.started}").open("ab") as log:
            worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> int:
        """End one; its exit code."""
        worker.send_signal(number)
        code = worker.wait(30)
        self.workers.remove(worker)
        return code

    def end(self) -> None:
        """Leave nothing behind."""
        for worker in list(self.workers):
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.workers.clear()

    def log(self) -> str:
        """What all workers logged."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("log-*")))

    def figures(self, number: int) -> httpx.Client:
        """The figures of the worker that was started as the `number`th."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = re.findall(r'"address": "([^"]+)"', (self.folder / f"log-{number}").read_text())
            if found:
                return httpx.Client(base_url=found[-1], timeout=5, trust_env=False)
            time.sleep(0.05)
        raise TimeoutError(self.log())

    # -- topics --------------------------------------------------------------------------------------------------

    def create(self) -> None:
        """Make the topics."""

        async def made() -> None:
            cluster = KafkaCluster(self.kafka)
            await cluster.begin()
            await cluster.end()

        asyncio.run(made())

    def append(self, records: Sequence[bytes], per_second: float | None = None, *, history: bool = True) -> None:
        """Put records in, as `produce` does."""

        async def sent() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.address, linger_ms=5)
            await producer.start()
            began = time.monotonic()
            headers = list(wire.HISTORY_HEADERS) if history else None
            for number, record in enumerate(records):
                await producer.send(self.name(topics.COMPLAINTS), record, key=key_of(record), headers=headers)
                if per_second and (ahead := number / per_second - (time.monotonic() - began)) > 0.01:
                    await asyncio.sleep(ahead)
            await producer.stop()

        asyncio.run(sent())

    def tick(self, at: float) -> None:
        """The tick that ends the input, in every partition."""

        async def sent() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.address)
            await producer.start()
            for partition in range(self.partitions):
                one = wire.tick(at, partition, final=True)
                await producer.send(
                    self.name(topics.COMPLAINTS), one.value, partition=partition, headers=list(one.headers)
                )
            await producer.stop()

        asyncio.run(sent())

    def name(self, topic: topics.Topic) -> str:
        return topic.full(self.prefix)

    def records(self, topic: topics.Topic) -> list[Any]:
        """All records of a topic, partition by partition."""

        async def found() -> list[Any]:
            cluster = KafkaCluster(self.kafka)
            await cluster.begin()
            read: list[Any] = []
            for partition in range(cluster.counts[self.name(topic)]):
                read += await cluster.read(
                    self.name(topic), partition, *await cluster.bounds(self.name(topic), partition)
                )
            await cluster.end()
            return read

        return asyncio.run(found())

    def lag(self) -> dict[str, int]:
        """Records not committed, by topic."""

        async def found() -> dict[str, int]:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            consumer = AIOKafkaConsumer(bootstrap_servers=self.address)
            await asyncio.gather(admin.start(), consumer.start())
            try:
                committed = await admin.list_consumer_group_offsets(self.prefix)
            except KafkaError:
                committed = {}  # the group is being made
            waiting: Counter[str] = Counter()
            for topic in (topics.COMPLAINTS, topics.PARTS, topics.CELLS, topics.INCIDENTS, topics.DEAD_LETTER):
                for partition in range(topic.partitions(self.partitions)):
                    tp = TopicPartition(self.name(topic), partition)
                    end = (await consumer.end_offsets([tp]))[tp]
                    waiting[topic.name] += end - (committed[tp].offset if tp in committed else 0)
            await asyncio.gather(admin.close(), consumer.stop())
            return dict(waiting)

        return asyncio.run(found())

    def settle(self, seconds: float = 60) -> None:
        """Until everything is counted, detected and delivered."""
        until, calm = time.monotonic() + seconds, 0
        while calm < 2:
            calm = calm + 1 if not any(self.lag().values()) else 0
            if time.monotonic() > until:
                raise TimeoutError(f"{self.lag()}\n{self.log()[-6000:]}")
            time.sleep(0.2)

    # -- results -------------------------------------------------------------------------------------------------

    def results(self) -> tuple[dict[str, dict[bytes, bytes]], int]:
        """What stands on the topics by key, and how often something was there again; the same key must have the same bytes."""
        found: dict[str, dict[bytes, bytes]] = {}
        again = 0
        for topic in (topics.PARTS, topics.INCIDENTS, topics.CELLS, topics.DEAD_LETTER):
            by_key = found.setdefault(topic.name, {})
            for record in self.records(topic):
                if record.key in by_key:
                    again += 1
                    assert by_key[record.key] == record.value, difference(by_key[record.key], record.value)
                else:
                    by_key[record.key] = record.value
        return found, again


def undisturbed(records: Sequence[Any], partitions: int) -> tuple[dict[bytes, bytes], dict[tuple[int, str, str], int]]:
    """What one pipeline that nobody disturbs makes of the records of the complaints: incidents by key, people by cell."""
    pipeline = Pipeline(PipelineConfig(pack="power", partitions=partitions))
    incidents: dict[bytes, bytes] = {}
    cells: dict[tuple[int, str, str], int] = {}
    for partition, entries in _entries(records):
        outputs = pipeline.process(partition, entries)
        for one in outputs.incidents:
            keyed = wire.incident(one)
            incidents[keyed.key] = keyed.value
        for found in outputs.cells:
            for place, keyword, voices in zip(
                found.place.tolist(), found.keyword.tolist(), found.voices.tolist(), strict=True
            ):
                cells[found.start, pipeline.places.id(place), pipeline.keywords.id(keyword)] = voices
    return incidents, cells


def _entries(records: Sequence[Any]) -> Iterator[tuple[int, list[Record | Tick]]]:
    by_partition: dict[int, list[Record | Tick]] = {}
    for one in records:
        marks = dict(one.headers)
        if marks.get(wire.KIND) == wire.TICK:
            tick = wire.read_tick(one.value)
            entry: Record | Tick = Tick(one.offset, tick.time, tick.final)
        else:
            arrival = None if marks.get(wire.KIND) == wire.HISTORY else one.timestamp / 1000
            entry = Record(one.offset, one.value or b"", arrival, one.topic)
        by_partition.setdefault(one.partition, []).append(entry)
    yield from by_partition.items()


def cells_of(found: dict[bytes, bytes]) -> dict[tuple[int, str, str], int]:
    """People by cell, from the records of `cells`."""
    cells: dict[tuple[int, str, str], int] = {}
    for value in found.values():
        entry = wire.read_cells_entry(value)
        if isinstance(entry, CellsRecord):
            cells.update({(entry.start, place, keyword): voices
                          for place, keyword, voices in zip(entry.place, entry.keyword, entry.voices, strict=True)})  # fmt: skip
    return cells


def recount(records: Sequence[bytes]) -> Counter[int]:
    """Complaints by the five minutes they tell of: nothing of ours is used."""
    return Counter(int(json.loads(record)["created_at"] // WINDOW) * WINDOW for record in records)


def everywhere(cells: dict[tuple[int, str, str], int]) -> dict[int, int]:
    """People by window, wherever they are."""
    return {
        start: voices
        for (start, place, keyword), voices in cells.items()
        if (place, keyword) == ("everywhere", "*") and voices
    }


def difference(one: bytes, other: bytes) -> str:
    """Where two records of the same key differ."""
    a, b = json.loads(one), json.loads(other)
    return "; ".join(f"{key}: {str(a[key])[:1500]} | {str(b.get(key))[:1500]}" for key in a if a[key] != b.get(key))
