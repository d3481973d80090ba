"""One contract for both transports: the same app counts the same, commits what is durable, and goes on where it stood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from ground import PARTITIONS, SECRET, SUNDAY, Ground, complaint, until, voices
from httpx import ASGITransport, AsyncClient

from streams.complaint import Record, Tick
from streams.pack import pack_file, read_pack
from streams.pipeline import Pipeline, PipelineConfig
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.figures import router
from streams.runtime.kafka.kit import Kit
from streams.runtime.kafka.worker import Worker
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from streams.runtime.why_then import Answer, answer, asked


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
    told = why_nothing(ground, SUNDAY + 36_000)
    assert told.sentence.startswith("Not opened: ")
    assert [gate.gate for gate in told.gates] == ["people", "cut", "latest", "learning"]


def why_nothing(ground: Ground, at: float) -> Answer:
    """What the page beside the workers says of everybody's complaints."""
    pipeline, reader = ground.kit.pipeline, Reader(open_store(ground.settings.service.store_url))
    question = asked(pipeline.places, pipeline.keywords, pipeline.places.everywhere, 0, at)
    return answer(reader, question, pipeline.alerts.policy, SUNDAY + 86_400.0)


class Marked:
    """A record with its partition, which the memory transport's records leave out."""

    def __init__(self, record: Any, partition: int) -> None:
        self.offset, self.value, self.headers, self.partition = record.offset, record.value, record.headers, partition


POWER = read_pack(pack_file("power"))
ZEBRA = '[[keywords]]\nid = "zebra"\nname = "zebra"\nphrases = ["striped horse"]\n\n'
WIDER = f"{POWER}\n{ZEBRA}"


def horses(first: int) -> list[bytes]:
    return [complaint(number, text="a striped horse in Houston") for number in range(first, first + 100)]


def heard(ground: Ground, keyword: str) -> int:
    reader = Reader(open_store(ground.settings.service.store_url))
    return sum(cell.voices for cell in reader.series("everywhere", keyword, SUNDAY, SUNDAY + 86_400))


def test_a_pack_is_changed_while_it_runs_and_stays_changed_after_a_restart(ground: Ground) -> None:
    async def lived() -> None:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(100)] + horses(100))
            await ground.settled(worker)
            await ground.change_pack(worker, "power = ")  # refused: no pack
            await ground.change_pack(worker, WIDER)
            await ground.append(horses(200))
            await ground.settled(worker)
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(300, 400)] + horses(400))
            await ground.end_tick()
            await ground.settled(worker)

    asyncio.run(lived())
    assert heard(ground, "zebra") == 200
    assert voices(ground) == 400


def test_a_partition_added_after_a_change_of_the_pack_needs_no_old_pack_file(ground: Ground, tmp_path: Path) -> None:
    file = tmp_path / "pack.toml"
    file.write_text(POWER.replace("[[keywords]]", ZEBRA + "[[keywords]]", 1))  # numbers its keywords in another way

    async def lived() -> None:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(100)])
            await ground.settled(worker)
            await ground.change_pack(worker, WIDER)
        await ground.widen(PARTITIONS + 1)
        await ground.append(horses(100), partition=PARTITIONS)  # before anybody knows of it: as the pack was at first
        ground.kit = Kit(PipelineConfig(pack=str(file)), SECRET)
        async with ground.worker() as worker:
            await ground.settled(worker)
            await ground.append(horses(200), partition=PARTITIONS)
            await ground.append([complaint(number) for number in range(300, 400)])
            await ground.end_tick(PARTITIONS + 1)
            await ground.settled(worker)

    asyncio.run(lived())
    assert heard(ground, "zebra") == 100
    assert voices(ground) == 300


def test_another_configuration_is_refused_by_name(ground: Ground, capfd: pytest.CaptureFixture[str]) -> None:
    async def lived() -> int:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(10)])
            await ground.settled(worker)
        kit = Kit(PipelineConfig(pack="power", lateness_seconds=30.0), SECRET)
        memory = ground.prefix if ground.address is None else None
        return await Worker(ground.settings, kit.config, kit, ground.cluster(), memory=memory).run()

    assert asyncio.run(lived()) == 1
    assert "were made with configuration" in "".join(capfd.readouterr())


def test_a_worker_shows_its_figures(ground: Ground) -> None:
    async def lived() -> tuple[str, dict[str, object], int]:
        async with ground.worker() as worker:
            await ground.append([complaint(number) for number in range(10)])
            await ground.end_tick(at=SUNDAY + 1800)
            await ground.settled(worker)
            await until(lambda: worker.watchdog.lag is not None and shows_series(worker))
            async with AsyncClient(transport=ASGITransport(shown(worker)), base_url="http://worker") as client:
                answers = [await client.get(path) for path in ("/metrics", "/readyz", "/healthz")]
            return answers[0].text, answers[1].json(), answers[2].status_code

    metrics, ready, healthy = asyncio.run(lived())
    taken = [
        line
        for line in metrics.splitlines()
        if line.startswith("overheard_records_taken_total") and "complaints" in line
    ]
    assert sum(float(line.split()[-1]) for line in taken) == 10 + PARTITIONS  # a tick each
    assert "overheard_healthy 1.0" in metrics
    assert "overheard_incidents_unanswered 0.0" in metrics
    assert "overheard_commit_age_seconds" in metrics
    assert 'overheard_series_people{place="everywhere",keyword="*"} 10.0' in metrics
    assert ready["ready"]
    assert healthy == 200


def shows_series(worker: Worker) -> bool:
    return worker.desks.desk is not None and len(worker.desks.desk.hour.ranked(1).place) > 0


def shown(worker: Worker) -> FastAPI:
    app = FastAPI()
    app.include_router(router(worker))
    return app
