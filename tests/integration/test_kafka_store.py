"""A worker on a real broker whose PostgreSQL takes questions and answers none, then is killed: pages go out, and nothing is doubled or lost."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deliver_process import HOST, PostSettings
from faults import SOAK, Proxy
from service import CITIES, SUNDAY
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from alerting.routing import Route
from benchmarks.broker import Broker
from streams.runtime.kafka import desk as desks
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.deliver_agent import DeliverStage
from streams.runtime.kafka.worker import Worker
from streams.runtime.notify_settings import NotifySettings
from streams.runtime.store import answering
from streams.runtime.store.migrations import open_store
from tests.alerting.notify.receiver import Answer, Receiver
from tests.alertmanager import free_port
from tests.postgres import Server, new_database
from tests.streams.runtime.kafka.ground import Ground

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]
PAGE_SECONDS, SILENT_SECONDS, DOWN_SECONDS = (10.0, 20.0, 60.0) if SOAK else (1.0, 3.0, 5.0)
DAY = 86_400.0
STORMS = (("Houston", 5 * DAY), ("Chicago", 6 * DAY))
RECOVERED_SECONDS = 60.0


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL of the test's own."""
    with tempfile.TemporaryDirectory(prefix="overheard-postgres-") as name:
        made = Server(Path(name)).start()
        yield made
        made.kill()


def complaints(seed: int) -> list[tuple[float, bytes]]:
    """Chatter in ten cities, in which two are loud for half an hour, a day apart; in order of time."""
    rng = random.Random(seed)
    times = [(rng.random() * 7 * DAY, rng.choice(CITIES)) for _ in range(800)]
    times += [(begin + rng.random() * 1800, city) for city, begin in STORMS for _ in range(150)]
    return [
        (at, json.dumps({"id": f"n{number}", "source": "x:y", "author": f"p{number}", "text": f"no power in {city}",
                         "created_at": round(SUNDAY + at, 3)}).encode())
        for number, (at, city) in enumerate(sorted(times))
    ]  # fmt: skip


def test_a_question_that_is_not_answered_is_given_up(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "SILENT_SECONDS", 0.5)
    proxy = Proxy(free_port(), int(postgres_server.rsplit(":", 1)[1].split("/")[0]))
    engine = open_store(behind(new_database(postgres_server), proxy))
    with engine.connect() as connection:
        proxy.swallowing = True
        began = time.monotonic()
        with pytest.raises(OperationalError, match="no answer within"):
            connection.execute(text("select 1"))
        assert time.monotonic() - began < 2
    proxy.swallowing = False
    with engine.connect() as connection:  # another connection, not the one that may still get an old answer
        assert connection.execute(text("select 2")).scalar_one() == 2
    engine.dispose()
    proxy.end()


def behind(url: str, proxy: Proxy) -> str:
    """The same database, through the proxy."""
    before, _, database = url.rpartition("/")
    return f"{before.rsplit(':', 1)[0]}:{proxy.port}/{database}"


def test_pages_go_out_while_postgresql_is_away_and_nothing_is_doubled_or_lost(
    broker: Broker, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "PAGE_SECONDS", PAGE_SECONDS)
    monkeypatch.setattr(answering, "SILENT_SECONDS", SILENT_SECONDS)
    proxy = Proxy(free_port(), server.port)
    records, told = complaints(3), list[dict[str, Any]]()
    waits: dict[str, list[float]] = {"a page after": [], "all written after": []}

    def opened() -> set[str]:
        return {one["key"] for one in told if one["action"] == "open"}

    async def away(
        ground: Ground, worker: Worker, until: float, leave: Callable[[], Any], come: Callable[[], Any]
    ) -> None:
        known = len(opened())
        await asyncio.to_thread(leave)
        began = time.monotonic()
        await ground.append(between(records, until - 1 * DAY, until))
        await until_true(lambda: len(opened()) > known, PAGE_SECONDS + 30)
        waits["a page after"].append(time.monotonic() - began)
        assert worker.health.store is not None
        await asyncio.sleep(max(0.0, DOWN_SECONDS - (time.monotonic() - began)))
        await asyncio.to_thread(come)
        began = time.monotonic()
        await written(worker)
        waits["all written after"].append(time.monotonic() - began)
        assert worker.health.store is None

    async def lived() -> list[Any]:
        async with Receiver(lambda request: told.extend(request.json()) or Answer()) as receiver:
            ground = Ground(tmp_path, broker.address, store=behind(server.url, proxy))
            channels = {"hook": PostSettings(url=f"http://{HOST}:{receiver.port}/hook")}
            routes = (Route(channels=("hook",), tier="confirmed"),)
            notify = NotifySettings(channels=channels, routes=routes, trouble_channels=())
            ground.settings = ground.settings.model_copy(update={"notify": notify})
            async with ground.worker() as worker:
                await ground.append(between(records, 0.0, 5 * DAY))
                await written(worker)
                assert not opened()
                await away(ground, worker, 6 * DAY, lambda: hole(proxy, True), lambda: hole(proxy, False))
                await away(ground, worker, 7 * DAY, server.kill, server.start)
                await ground.end_tick(at=SUNDAY + 7 * DAY + 7200)
                await written(worker)
                await until_true(lambda: not waiting(server.url), 30)
            return await ground.records(topics.INCIDENTS)

    incidents = [wire.read_incident(record.value) for record in asyncio.run(lived())]
    proxy.end()
    print(
        {what: [round(one, 1) for one in seconds] for what, seconds in waits.items()},
        f"away for {DOWN_SECONDS:.0f} s each",
    )
    assert max(waits["all written after"]) <= RECOVERED_SECONDS
    confirmed = {one.id for one in incidents if one.confirmed_at is not None}
    assert len(confirmed) == len(STORMS)
    assert opened() == confirmed
    twice = {id: count for id, count in Counter(one["id"] for one in told).items() if count > 1}
    assert not twice, "nothing is told twice"
    assert kept(server.url) == sorted((one.id, one.revision) for one in incidents)


async def written(worker: Worker, seconds: float = 90.0) -> None:
    """Until all that stands on the topics is taken, and what DELIVER took is in the store."""
    end, calm = time.monotonic() + seconds, 0
    while calm < 2:
        ends = {tp: (await worker.cluster.bounds(tp.topic, tp.partition))[1] for tp in worker.stages.owned}
        taken = all(stage.next_offset >= ends[tp] for tp, stage in worker.stages.owned.items())
        delivered = [
            (stage.durable or 0) >= ends[tp]
            for tp, stage in worker.stages.owned.items()
            if isinstance(stage, DeliverStage)
        ]
        calm = calm + 1 if taken and all(delivered) else 0
        assert time.monotonic() < end, {tp: (one.next_offset, one.durable) for tp, one in worker.stages.owned.items()}
        await asyncio.sleep(0.2)


def hole(proxy: Proxy, swallowing: bool) -> None:
    proxy.swallowing = swallowing


def between(records: list[tuple[float, bytes]], since: float, until: float) -> list[bytes]:
    return [value for at, value in records if since <= at < until]


def waiting(url: str) -> list[Any]:
    return rows(url, "select channel, key, sequence, state from outbox where state not in ('sent', 'superseded')")


def kept(url: str) -> list[Any]:
    return rows(url, "select id, revision from incident_revisions order by id, revision")


def rows(url: str, query: str) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


async def until_true(true: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)
