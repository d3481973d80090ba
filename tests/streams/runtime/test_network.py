"""The network in the store: what suffers together is linked once a day, the same however it came in; kin and single people are not."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, select

from streams.runtime.store import graph
from streams.runtime.store.lease import FencedError, Lease
from streams.runtime.store.migrations import open_store
from streams.runtime.store.network import Found, Keeper, read, refresh
from streams.runtime.store.tiers import CELLS, TIERS
from streams.runtime.store.writer import Work, Writer, write_meta
from tests.streams.runtime.test_store import Tree, cells

DAY, WEEK = 86400, 7 * 86400
MONDAY = 2900 * WEEK + 4 * DAY
WEEKS = 8
PLACES = Tree("everywhere", "nowhere", "city:1", "airport:1", "city:2", "city:3")
PLACES.parent = np.array([-1, -1, 0, 2, 0, 0])
KEYWORDS = Tree("*", "delay", "delay/late", "baggage")
CITY, AIRPORT, TWO, THREE = 2, 3, 4, 5
ANY, DELAY, LATE, BAGGAGE = 0, 1, 2, 3


def weeks_of(chance: np.random.Generator, times: int) -> list[int]:
    days = chance.choice([day for day in range(WEEKS * 7) if day % 7 < 5], times, replace=False)
    return sorted(int(MONDAY + day * DAY + 60 * chance.integers(120, 1200)) for day in days)


def windows() -> dict[int, list[tuple[int, int, int]]]:
    """(place, keyword, voices) by start: city 2 and 3 suffer together, so do city 1, its airport and their delays; one person here and there."""
    chance = np.random.default_rng(3)
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for start in weeks_of(chance, 14):
        for minute in range(3):
            found[start + 60 * minute].append((TWO, ANY, 3))
        found[start + 25 * 60].append((THREE, ANY, 3))
        found[start + 26 * 60] += [(TWO, BAGGAGE, 1), (THREE, BAGGAGE, 1)]
    for start in weeks_of(chance, 14):
        found[start] += [(CITY, ANY, 4), (AIRPORT, ANY, 4), (CITY, DELAY, 4), (CITY, LATE, 4), (AIRPORT, DELAY, 4)]
    for alone in (TWO, THREE, CITY):
        for start in weeks_of(chance, 4):
            found[start].append((alone, ANY, 2))
    return found


class Days:
    """A store that takes the windows above day by day; each closes an hour into the next."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.windows = engine, windows()
        self.writer = Writer(engine, PLACES, KEYWORDS, lambda source: "posts", cell_days=100.0)  # type: ignore[arg-type]

    def take(self, *days: int) -> None:
        """In one transaction."""
        begin, end = MONDAY + days[0] * DAY, MONDAY + (days[-1] + 1) * DAY
        quiet = [cells(MONDAY + day * DAY, [(0, ANY, 1)]) for day in days]
        told = [
            cells(start, sorted(rows), p=1e-5) for start, rows in sorted(self.windows.items()) if begin <= start < end
        ]
        meta = {"last_close": float(end + 3600), "window_seconds": 60}
        self.writer.commit(Work(applied=days[-1], arrival=1.0, cells=[*quiet, *told], meta=meta))


def kept(engine: Engine) -> list[list[Any]]:
    with engine.connect() as connection:
        return [
            sorted(map(tuple, connection.execute(select(table))))
            for table in (graph.excesses, graph.graph_nodes, graph.graph_edges)
        ]


def test_cities_that_suffer_together_are_linked_with_who_leads(engine: Engine) -> None:
    days = Days(engine)
    days.take(*range(WEEKS * 7))
    assert refresh(engine)
    found = read(engine)
    assert (found.weeks, found.days, found.until) == (8, 56, float(MONDAY + 8 * WEEK))
    (link,) = found.links
    assert (link.place, link.keyword, link.other_place, link.other_keyword) == ("city:2", "*", "city:3", "*")
    assert link.times >= 14
    assert link.by_chance < 8
    assert link.lag_seconds == 25 * 60
    with engine.connect() as connection:
        nodes = connection.execute(select(graph.graph_nodes)).all()
    assert {(node.excesses, node.together) for node in nodes} <= {(18, 14), (18, 15), (17, 14)}


def test_day_by_day_gives_what_all_at_once_gives(engine: Engine, tmp_path: Path) -> None:
    days = Days(engine)
    for day in range(WEEKS * 7):
        days.take(day)
        assert refresh(engine)
        assert not refresh(engine)
    at_once = Days(open_store(f"sqlite:///{tmp_path / 'other.sqlite'}"))
    at_once.take(*range(WEEKS * 7))
    assert refresh(at_once.engine)
    assert kept(engine) == kept(at_once.engine)
    assert len(kept(engine)[2]) == 1


def test_before_a_day_has_ended_there_is_no_network_and_before_three_weeks_no_link(engine: Engine) -> None:
    assert not refresh(engine)
    assert read(engine) == Found([], None, 0, 0)
    days = Days(engine)
    days.take(*range(20))
    assert refresh(engine)
    assert read(engine) == Found([], float(MONDAY + 20 * DAY), 2, 20)


def test_a_store_of_before_is_told_of_as_far_as_its_windows_reach(engine: Engine) -> None:
    days = Days(engine)
    days.take(*range(WEEKS * 7))
    with engine.begin() as connection:
        write_meta(connection, {TIERS[CELLS].since: MONDAY + 21 * DAY})
    assert refresh(engine)
    assert read(engine).days == WEEKS * 7 - 21


def test_who_is_no_longer_the_writer_writes_nothing(engine: Engine) -> None:
    def fenced(connection: Connection) -> None:
        raise FencedError("another")

    Days(engine).take(0)
    with pytest.raises(FencedError):
        refresh(engine, fenced)
    assert kept(engine) == [[], [], []]
    assert read(engine).until is None


def test_a_network_that_could_not_be_written_is_made_at_the_next_look(engine: Engine) -> None:
    asked = []

    def twice(connection: Connection) -> None:
        asked.append(1)
        if len(asked) == 2:
            raise FencedError("another")

    days = Days(engine)
    days.take(*range(WEEKS * 7))
    with pytest.raises(FencedError):
        refresh(engine, twice)
    before = kept(engine)[0]
    assert before
    assert refresh(engine)
    assert kept(engine)[0] == before
    assert len(read(engine).links) == 1


def test_excesses_older_than_eight_weeks_go(engine: Engine) -> None:
    days = Days(engine)
    days.take(*range(WEEKS * 7))
    refresh(engine)
    before = len(kept(engine)[0])
    late = {"last_close": float(MONDAY + 12 * WEEK), "window_seconds": 60}
    days.writer.commit(Work(applied=99, arrival=1.0, meta=late))
    assert refresh(engine)
    remaining = kept(engine)[0]
    assert 0 < len(remaining) < before
    assert min(row[3] for row in remaining) >= MONDAY + 4 * WEEK


def test_the_keeper_makes_it_as_soon_as_it_looks_and_ends_when_another_writes(engine: Engine) -> None:
    days = Days(engine)
    days.take(*range(WEEKS * 7 - 1))

    async def until_made(lease: Lease) -> None:
        task = asyncio.create_task(Keeper(engine, lease).run())
        async with asyncio.timeout(60):
            while read(engine).until is None:
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    lease = Lease(engine)
    asyncio.run(until_made(lease))
    assert read(engine).days == WEEKS * 7 - 1
    days.take(WEEKS * 7 - 1)
    Lease(engine)
    asyncio.run(asyncio.wait_for(Keeper(engine, lease).run(), 60))
    assert read(engine).days == WEEKS * 7 - 1
