"""PostgreSQL is killed under load and stays away: windows close as before, and when it is back nothing is lost and nothing double."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from faults import SOAK
from service import CITIES, SUNDAY, complaint, lines
from sqlalchemy import Engine, text

from streams.runtime.embedded import Service
from streams.runtime.store.migrations import open_store
from tests import postgres
from tests.streams.runtime.test_service import complaints, run

BEFORE, DOWN, AFTER = (20.0, 60.0, 20.0) if SOAK else (2.0, 3.0, 2.0)  # seconds
POSTS_A_SECOND = 10 if SOAK else 20
STEP_SECONDS = 900  # of event time, a post: fifteen windows
PEOPLE = 40
STORM = 200
LINES = "application/x-ndjson"
COMPARED = {
    "incidents": "SELECT id, revision, body FROM incident_revisions ORDER BY id, revision",
    "sources": "SELECT source, records, complaints, voices, placed, copies, old, late FROM sources",
} | {
    tier: f"SELECT start, p.place, k.keyword, voices, messages, expected, upper, p_value FROM {tier} c"
    " JOIN place_names p ON p.number = c.place JOIN keyword_names k ON k.number = c.keyword"
    for tier in ("cells", "fives", "hours", "days")
}
DRIFT = 1e-9  # of sums of real numbers: the databases do not add in the same order


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    if postgres.program() is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="overheard-postgres-") as folder:  # one that its own user may reach
        one = postgres.Server(Path(folder)).start()
        yield one
        one.end()


def bodies() -> list[bytes]:
    """Chatter of ten cities, and a storm over one of them while the store is away."""
    rng, number, made = random.Random(5), 0, []
    count = int((BEFORE + DOWN + AFTER) * POSTS_A_SECOND)
    storm = int((BEFORE + DOWN / 2) * POSTS_A_SECOND)
    for post in range(count):
        begin = SUNDAY + post * STEP_SECONDS
        cities = [rng.choice(CITIES) for _ in range(PEOPLE)] + ["Houston"] * (
            STORM if post in (storm, storm + 1) else 0
        )
        times = sorted(round(begin + rng.random() * STEP_SECONDS, 3) for _ in cities)
        rng.shuffle(cities)
        made.append(
            lines(
                [complaint(number + i, at, city, rng) for i, (at, city) in enumerate(zip(times, cities, strict=True))]
            )
        )
        number += len(cities)
    return made


def results(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {name: sorted(map(tuple, connection.execute(text(query)))) for name, query in COMPARED.items()}


async def settled(service: Service) -> None:
    """Until all is in the store."""
    end = time.monotonic() + 120
    while service.unwritten or service.runner.backlog:
        await asyncio.sleep(0.02)
        assert time.monotonic() < end, service.health


async def paced(service: Service, client: httpx.AsyncClient, said: list[bytes]) -> list[float]:
    """Post at a steady pace; seconds from each answer until the windows are closed that it lets close."""
    waited, due = [], time.monotonic()
    for body in said:
        due += 1 / POSTS_A_SECOND
        answer = await complaints(client, body, LINES)
        assert answer.status_code == 202, answer.text
        began, seq = time.monotonic(), service.journal.next_seq
        while service.runner.position < seq:
            await asyncio.sleep(0.001)
            assert time.monotonic() - began < 30, service.health
        waited.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return waited


@pytest.mark.postgres
@pytest.mark.alone
@pytest.mark.timeout(900)
def test_a_store_killed_under_load_holds_nothing_up_and_loses_nothing(tmp_path: Path, server: postgres.Server) -> None:
    said = bodies()
    wanted_at = f"sqlite:///{tmp_path / 'calm.sqlite'}"
    url = postgres.new_database(server.url)
    cuts = [int(seconds * POSTS_A_SECOND) for seconds in (BEFORE, BEFORE + DOWN)]
    told: dict[str, list[float]] = {}

    async def calm(service: Service, client: httpx.AsyncClient) -> None:
        for body in said:
            assert (await complaints(client, body, LINES)).status_code == 202
        await settled(service)

    async def killed(service: Service, client: httpx.AsyncClient) -> None:
        told["before"] = await paced(service, client, said[: cuts[0]])
        await asyncio.to_thread(server.kill)
        told["down"] = await paced(service, client, said[cuts[0] : cuts[1]])
        assert service.health.store is not None
        assert service.runner.written < service.journal.next_seq - 1
        start = asyncio.create_task(asyncio.to_thread(server.start))
        told["after"] = await paced(service, client, said[cuts[1] :])
        await start
        await settled(service)
        assert service.health.store is None

    settings: dict[str, Any] = {"records_per_second": 1_000_000, "snapshot_seconds": 1.0}
    run(tmp_path / "calm", calm, store=wanted_at, **settings)
    run(tmp_path / "killed", killed, store=url, **settings)
    with closing(open_store(wanted_at).connect()) as one, closing(open_store(url).connect()) as other:
        wanted, found = results(one.engine), results(other.engine)
    tell(told)
    assert any(row[1] > 1 for row in wanted["incidents"])
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in wanted.items()}
    assert all(wanted[name] == found[name] for name in ("incidents", "sources", "cells"))
    for tier in ("fives", "hours", "days"):
        assert [row[:5] for row in found[tier]] == [row[:5] for row in wanted[tier]]
        assert all(a[5:] == pytest.approx(b[5:], rel=DRIFT) for a, b in zip(found[tier], wanted[tier], strict=True))
    usual = statistics.median(told["before"])
    assert statistics.median(told["down"]) < 2 * usual + 0.05
    assert statistics.median(told["after"]) < 2 * usual + 0.05


def tell(told: dict[str, list[float]]) -> None:
    """What `make soak` shows."""
    for name, waited in told.items():
        ranked = sorted(waited)
        p99 = ranked[int(len(ranked) * 0.99)]
        print(f"{name}: {len(ranked)} posts, to their closes median {statistics.median(ranked) * 1000:.0f} ms, "
              f"p99 {p99 * 1000:.0f} ms, longest {ranked[-1] * 1000:.0f} ms")  # fmt: skip
