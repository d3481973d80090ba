"""One contract for both transports: the same app counts the same, commits what is durable, and goes on where it stood."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.cluster import Cluster, KafkaCluster
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.memory_transport import MemoryBroker
from streams.runtime.kafka.settings import KafkaSettings
from streams.runtime.kafka.worker import Worker
from streams.runtime.routing import key_of
from streams.runtime.settings import ServiceSettings, Settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader

PARTITIONS = 2
SUNDAY = 1_704_585_600
CONFIG = PipelineConfig(pack="power")
KIT = Kit(CONFIG, b"overheard replay: a known key, so that two replays give the same bytes"[:64])


class Ground:
    """A prefix on one of the two, and workers in this process."""

    def __init__(self, folder: Path, address: str | None) -> None:
        self.folder, self.address, self.prefix = folder, address, f"contract-{uuid4().hex[:8]}"
        self.memory = MemoryBroker.get(self.prefix)
        brokers = (address or "127.0.0.1:1",)
        self.kafka = KafkaSettings(
            brokers=brokers, prefix=self.prefix, partitions=PARTITIONS, session_timeout_seconds=6
        )
        self.settings = Settings(
            service=ServiceSettings(data=folder, idle_tick_seconds=0, snapshot_seconds=0.2), kafka=self.kafka
        )
        if address is None:
            for topic in topics.TOPICS:
                self.memory.declare(topic.full(self.prefix), topic.partitions(PARTITIONS))

    def name(self, topic: topics.Topic) -> str:
        return topic.full(self.prefix)

    def cluster(self) -> Cluster:
        return self.memory if self.address is None else KafkaCluster(self.kafka)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """One worker, at work; it ends in order."""
        made = Worker(self.settings, CONFIG, KIT, self.cluster(), memory=self.prefix if self.address is None else None)
        running = asyncio.create_task(made.run())
        try:
            await until(lambda: made.stages.ready or running.done())
            assert not running.done(), running.exception() or running.result()
            yield made
        finally:
            made.end()
            assert await running == 0

    async def append(
        self, values: Sequence[bytes | None], *, headers: Any = wire.HISTORY_HEADERS, partition: int | None = None
    ) -> None:
        """Add records to the complaints."""
        keyed = [(b"null" if value is None else key_of(value), value) for value in values]
        if self.address is None:
            for key, value in keyed:
                self.memory.append(self.name(topics.COMPLAINTS), key, value, partition, headers)
            return
        producer = AIOKafkaProducer(bootstrap_servers=self.address)
        await producer.start()
        for key, value in keyed:
            await producer.send(
                self.name(topics.COMPLAINTS), value, key=key, partition=partition, headers=list(headers)
            )
        await producer.stop()

    async def end_tick(self) -> None:
        for partition in range(PARTITIONS):
            one = wire.tick(SUNDAY + 86_400, partition, final=True)
            await self.append([one.value], headers=one.headers, partition=partition)

    async def records(self, topic: topics.Topic) -> list[Any]:
        cluster = self.cluster()
        await cluster.begin()
        name = self.name(topic)
        found = [one for partition in range(cluster.counts[name])
                 for one in await cluster.read(name, partition, *await cluster.bounds(name, partition))]  # fmt: skip
        await cluster.end()
        return found

    async def settled(self, worker: Worker) -> None:
        """Until all that stands on the topics is counted and durable."""

        async def done() -> bool:
            await worker.cluster.count()
            for tp, stage in list(worker.stages.owned.items()):
                end = (await worker.cluster.bounds(tp.topic, tp.partition))[1]
                if stage.next_offset < end or (stage.durable or 0) < end:
                    return False
            return True

        for _ in range(2):
            for _ in range(400):
                if await done():
                    break
                await asyncio.sleep(0.05)
            else:
                raise TimeoutError({tp: (one.next_offset, one.durable) for tp, one in worker.stages.owned.items()})


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def complaint(number: int, **fields: Any) -> bytes:
    record = {
        "id": f"n{number}",
        "source": "x:y",
        "author": f"p{number}",
        "text": "no power in Houston",
        "created_at": SUNDAY + number * 20.0,
    }
    return json.dumps(record | fields).encode()


def truth(records: Sequence[Any]) -> dict[bytes, bytes]:
    """Incidents by key, as one undisturbed pipeline finds them."""
    pipeline = Pipeline(PipelineConfig(pack="power", partitions=PARTITIONS))
    found = {}
    for record in records:
        kind = dict(record.headers).get(wire.KIND)
        tick = wire.read_tick(record.value) if kind == wire.TICK else None
        entry = (
            Tick(record.offset, tick.time, tick.final) if tick else Record(record.offset, record.value or b"", None, "")
        )
        partition = getattr(record, "partition", None)
        assert partition is not None
        for one in pipeline.process(partition, [entry]).incidents:
            keyed = wire.incident(one)
            found[keyed.key] = keyed.value
    return found


@pytest.fixture(params=["memory", "kafka"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    address = request.getfixturevalue("broker").address if request.param == "kafka" else None
    return Ground(tmp_path, address)


def voices(ground: Ground) -> int:
    """People in the store, everywhere."""
    reader = Reader(open_store(ground.settings.service.store_url))
    return sum(cell.voices for cell in reader.series("everywhere", "*", SUNDAY, SUNDAY + 86_400))


def test_every_complaint_is_counted_once_over_an_orderly_end_and_a_new_start(ground: Ground) -> None:
    async def lived() -> None:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(300)])
            await ground.settled(worker)
        async with ground.worker() as worker:
            assert (
                sum(stage.next_offset for tp, stage in worker.stages.owned.items() if tp.topic.endswith("complaints"))
                == 300
            )
            await ground.append([complaint(number) for number in range(300, 900)])
            await ground.append([complaint(number) for number in range(200)])  # once more
            await ground.end_tick()
            await ground.settled(worker)
            assert (
                sum(stage.records for tp, stage in worker.stages.owned.items() if tp.topic.endswith("complaints"))
                == 802
            )

    asyncio.run(lived())
    assert voices(ground) == 900


def test_no_record_stops_the_stream_and_each_bad_one_is_a_dead_letter_once(ground: Ground) -> None:
    bad: list[bytes | None] = [
        None,
        b"",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"id": 1}',
        b"not json",
        complaint(1, created_at="soon"),
    ]

    async def lived() -> list[Any]:
        async with ground.worker() as worker:
            await ground.append([complaint(0), *bad, complaint(2)], partition=0)
            await ground.append([b"\0"], headers=wire.TICK_HEADERS, partition=1)
            await ground.end_tick()
            await ground.settled(worker)
        return await ground.records(topics.DEAD_LETTER)

    letters = [wire.read_dead_letter(record.value) for record in asyncio.run(lived())]
    assert [letter.where.position for letter in letters if letter.where.partition == 0] == list(range(1, 1 + len(bad)))
    assert [letter.reason for letter in letters if letter.where.partition == 1] == ["not_json"]
    assert {letter.where.origin for letter in letters} == {ground.name(topics.COMPLAINTS)}
    assert voices(ground) == 2
    kept = Reader(open_store(ground.settings.service.store_url)).dead_letters(0)
    assert sum(one.count for one in kept) == len(letters)


def test_a_seek_in_mid_stream_neither_loses_nor_repeats(ground: Ground) -> None:
    """Positions are set anew while batches are on their way: what was fetched before must not come ahead of what is read again."""

    async def lived() -> None:
        async with ground.worker() as worker:
            for first in range(0, 1000, 100):
                await ground.append([complaint(number) for number in range(first, first + 100)])
                await worker.app.consumer.perform_seek()
            await ground.end_tick()
            await ground.settled(worker)

    asyncio.run(lived())
    assert voices(ground) == 1000


def test_nothing_is_committed_beyond_what_is_durable(ground: Ground) -> None:
    async def lived() -> tuple[Any, Any]:
        async with ground.worker() as worker:
            for stage in worker.stages.owned.values():
                if hasattr(stage, "snapshot_at"):
                    stage.snapshot_at = float("inf")  # no snapshot falls due
            await ground.append([complaint(number) for number in range(100)])
            await until(
                lambda: (
                    sum(one.next_offset for tp, one in worker.stages.owned.items() if tp.topic.endswith("complaints"))
                    == 100
                )
            )
            await worker.app.consumer.commit()
            before = {
                tp: worker.app.consumer._new_offset(tp) for tp in worker.stages.owned if tp.topic.endswith("complaints")
            }
            for stage in worker.stages.owned.values():
                await stage.end()
            after = {tp: worker.app.consumer._new_offset(tp) for tp in before}
            return before, after

    before, after = asyncio.run(lived())
    assert set(before.values()) == {None}
    assert sum(after.values()) == 100


def test_the_app_decides_what_the_pipeline_alone_decides(ground: Ground) -> None:
    calm = [complaint(number, created_at=SUNDAY + number * 200.0, text="no power in Boston") for number in range(360)]
    storm = [complaint(10_000 + number, created_at=SUNDAY + 72_000 + number * 3.0) for number in range(300)]

    async def lived() -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        async with ground.worker() as worker:
            await ground.append([*calm, *storm])
            await ground.end_tick()
            await ground.settled(worker)
        complaints: list[Any] = []
        for partition in range(PARTITIONS):
            cluster = ground.cluster()
            await cluster.begin()
            name = ground.name(topics.COMPLAINTS)
            read = await cluster.read(name, partition, *await cluster.bounds(name, partition))
            complaints += [Marked(one, partition) for one in read]
            await cluster.end()
        return {one.key: one.value for one in await ground.records(topics.INCIDENTS)}, truth(complaints)

    found, wanted = asyncio.run(lived())
    assert wanted
    assert found == wanted


class Marked:
    """A record with its partition, which the memory transport's records leave out."""

    def __init__(self, record: Any, partition: int) -> None:
        self.offset, self.value, self.headers, self.partition = record.offset, record.value, record.headers, partition
