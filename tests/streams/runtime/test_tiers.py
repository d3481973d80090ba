"""Cells summed to five minutes, hours and days: every tier tells the same people, whatever came late, was written twice or was stored before."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text

from streams.closed import Revision
from streams.runtime.store import tables
from streams.runtime.store.migrations import STEPS, migrate, open_store
from streams.runtime.store.partitions import let_go, make_partitions
from streams.runtime.store.reader import Reader
from streams.runtime.store.tiers import CELLS, DAY_SECONDS, DAYS, FIVES, HOURS, TIERS, finest, tiles
from streams.runtime.store.views import drop_views
from streams.runtime.store.writer import Work
from tests.streams.runtime.test_store import HOUR, cells, writer

MIDNIGHT = 1_600_041_600
Truth = Counter[tuple[int, int, int]]


def day_of_closes(seed: int, hours: int, windows_an_hour: int = 6) -> tuple[list[Work], Truth]:
    """Commits of some closes each, with late rows for windows of up to a day before; and the people by (start, place, keyword)."""
    rng, truth, works = random.Random(seed), Truth(), []
    starts = sorted(rng.sample(range(0, hours * 60), hours * windows_an_hour))
    while starts:
        work, now = Work(), starts[0]
        for _ in range(min(len(starts), rng.randint(1, 9))):
            now = starts.pop(0)
            rows = {(rng.randrange(2, 6), rng.randrange(1, 4)): rng.randint(0, 5) for _ in range(3)}
            work.cells.append(cells(MIDNIGHT + now * 60, [(*key, people) for key, people in sorted(rows.items())]))
            truth.update({(MIDNIGHT + now * 60, *key): people for key, people in rows.items()})
        for _ in range(rng.randrange(3)):
            start = MIDNIGHT + max(0, now - rng.randrange(1440)) * 60
            place, keyword, people = rng.randrange(2, 6), rng.randrange(1, 4), rng.randint(1, 3)
            one = (np.array([place]), np.array([keyword]), np.array([people]), np.array([people + 1]))
            work.revisions.append(Revision(start, *one))
            truth[start, place, keyword] += people
        work.meta = {"last_close": MIDNIGHT + (now + 1) * 60.0, "window_seconds": 60}
        works.append(work)
    return works, truth


def people(engine: Engine, level: int, until: float = math.inf) -> dict[Any, int]:
    """By (start, place, keyword), in names of the run's numbers."""
    c, place, keyword = TIERS[level].table.c, tables.place_names, tables.keyword_names
    query = select(c.start, place.c.place, keyword.c.keyword, c.voices)
    query = query.join(place, place.c.number == c.place).join(keyword, keyword.c.number == c.keyword)
    with engine.connect() as connection:
        return {(start, *names): voices for start, *names, voices in connection.execute(query) if start < until}


def named(truth: Truth, seconds: int, until: float = math.inf) -> dict[Any, int]:
    """The truth by buckets of so many seconds, in names."""
    found: Counter[Any] = Counter()
    for (start, place, keyword), count in truth.items():
        bucket = start // seconds * seconds
        if bucket < until:
            found[bucket, f"city:{place - 2}", f"keyword-{keyword}"] += count
    return dict(found)


def kept(engine: Engine) -> dict[str, Any]:
    return Reader(engine).meta()


@given(seed=st.integers(0, 10_000), restart=st.booleans())
@settings(max_examples=8, deadline=None)
def test_every_tier_holds_what_the_windows_hold(tmp_path_factory: Any, seed: int, restart: bool) -> None:
    engine = open_store(f"sqlite:///{tmp_path_factory.mktemp('tiers') / 'store.sqlite'}")
    _holds(engine, seed, restart)
    engine.dispose()


@pytest.mark.postgres
def test_every_tier_holds_what_the_windows_hold_on_both(engine: Engine) -> None:
    _holds(engine, 7, True)


def _holds(engine: Engine, seed: int, restart: bool) -> None:
    works, truth = day_of_closes(seed, 60)
    one = writer(engine)
    for work in works:
        one.commit(work)
        one = writer(engine) if restart else one
    closed = works[-1].meta["last_close"]
    assert people(engine, CELLS) == named(truth, 60)
    for level in (FIVES, HOURS, DAYS):
        end = kept(engine)[TIERS[level].until]
        assert end == TIERS[level].floor(closed)
        assert people(engine, level) == named(truth, TIERS[level].seconds, end)
    reader, rng = Reader(engine), random.Random(seed)
    for _ in range(20):
        since = MIDNIGHT + rng.randrange(0, 60 * 60) * 60
        until = since + rng.randrange(1, 60 * 60) * 60
        inside = sum(count for (start, *_), count in truth.items() if since <= start < until)
        assert sum(cell.voices for cell in reader.matrix(since, until)) == inside


def test_a_window_written_again_is_summed_again(engine: Engine) -> None:
    works, _ = day_of_closes(3, 30)
    for work in works:
        writer(engine).commit(work)
    before = {level: people(engine, level) for level in (CELLS, FIVES, HOURS, DAYS)}
    works[2].revisions.clear()
    ((start, place, keyword),) = [(one.start, one.place[0], one.keyword[0]) for one in works[2].cells[:1]]
    works[2].cells[0].voices[0] += 100
    works[2].meta = {}
    writer(engine).commit(works[2])
    with engine.connect() as connection:
        late = connection.execute(
            select(func.sum(tables.late_rows.c.voices)).where(tables.late_rows.c.start == start)
        ).scalar()
    name = f"city:{place - 2}", f"keyword-{keyword}"
    for level, tier in enumerate(TIERS):
        bucket = start if level == CELLS else tier.floor(start)
        told = people(engine, level)
        assert told[bucket, *name] > before[level][bucket, *name] + 90 - (late or 0)
        assert sum(told.values()) == sum(people(engine, CELLS, kept(engine).get(tier.until, math.inf)).values())


def test_fine_cells_go_and_coarse_ones_answer(engine: Engine) -> None:
    one, first, last = writer(engine, cell_days=1), MIDNIGHT, 110
    said = [0, 1, 70, 71, last - 1]
    for hour in (day * 24 + half for day in said for half in (0, 12)):
        start = first + hour * HOUR
        work = Work(cells=[cells(start, [(2, 1, 1)]), cells(start + 1200, [(2, 1, 2)])])
        work.meta = {"last_close": start + HOUR + 0.0}
        one.commit(work)
    reader, now = Reader(engine), first + last * DAY_SECONDS
    told = kept(engine)
    assert now - told["cells_from"] < 2 * DAY_SECONDS
    assert now - told["fives_from"] == pytest.approx(100 * DAY_SECONDS, abs=DAY_SECONDS)
    assert "hours_from" not in told
    (total,) = reader.matrix(first, now)
    assert total.voices == len(said) * 2 * 3
    assert {cell.seconds for cell in reader.series("city:0", "keyword-1", now - DAY_SECONDS, now)} == {60}
    fives = reader.series("city:0", "keyword-1", first + 70 * DAY_SECONDS, first + 71 * DAY_SECONDS)
    assert [(cell.seconds, cell.voices) for cell in fives] == [(300, 1), (300, 2)] * 2
    hours = reader.series("city:0", "keyword-1", first, first + DAY_SECONDS)
    assert [(cell.seconds, cell.voices) for cell in hours] == [(HOUR, 3)] * 2
    days = reader.series("city:0", "keyword-1", first, now)
    assert [(cell.seconds, cell.voices) for cell in days] == [(DAY_SECONDS, 6)] * len(said)
    with engine.connect() as connection:
        oldest = connection.execute(select(func.min(tables.cells.c.start))).scalar()
    assert now - oldest < 3 * DAY_SECONDS  # whole partitions go on PostgreSQL


@pytest.mark.postgres
def test_a_partition_that_is_being_read_goes_an_hour_later(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        return
    one, start = writer(engine, cell_days=1), MIDNIGHT
    one.commit(Work(cells=[cells(start, [(2, 1, 1)])], meta={"last_close": start + 60.0}))
    later = start + 3 * DAY_SECONDS
    count = text("SELECT count(*) FROM cells WHERE start < :start")
    with engine.connect() as reading:
        assert reading.execute(count, {"start": later}).scalar() == 1
        one.commit(Work(cells=[cells(later, [(2, 1, 1)])], meta={"last_close": later + 60.0}))
        assert reading.execute(count, {"start": later}).scalar() == 1
    later += HOUR
    one.commit(Work(cells=[cells(later, [(2, 1, 1)])], meta={"last_close": later + 60.0}))
    with engine.connect() as reading:
        assert reading.execute(count, {"start": later - HOUR}).scalar() == 0
    with engine.begin() as connection:
        make_partitions(connection, TIERS[CELLS], [start])
        let_go(connection, TIERS[CELLS], later - DAY_SECONDS)
        told = connection.exec_driver_sql("SHOW lock_timeout").scalar()
    assert told == "15s", "what follows in the transaction waits as long as it always does"


@given(
    since=st.integers(0, 4 * DAY_SECONDS), length=st.integers(1, 4 * DAY_SECONDS), level=st.integers(CELLS, DAYS),
    closed=st.integers(0, 5 * DAY_SECONDS),
)  # fmt: skip
def test_tiles_lie_side_by_side_and_on_whole_cells(since: int, length: int, level: int, closed: int) -> None:
    reach = {tier.until: tier.floor(closed) for tier in TIERS[FIVES:]}
    found = tiles(reach, since, since + length, level)
    assert found[0].since == since
    assert found[-1].until == since + length
    assert all(one.until == two.since for one, two in pairwise(found))
    by_table = {tier.table: tier for tier in TIERS}
    for one in found:
        tier = by_table[one.table]
        assert one.since < one.until
        if tier is not TIERS[CELLS]:
            assert one.since % tier.seconds == one.until % tier.seconds == 0
            assert one.until <= closed


def test_what_is_gone_is_asked_of_the_next_tier_that_is_there() -> None:
    reach = {"cells_from": 100.0, "fives_from": 50.0}
    assert [finest(reach, since, CELLS) for since in (100, 99, 49)] == [CELLS, FIVES, HOURS]
    assert finest(reach, 0, HOURS) == HOURS


BEFORE = {  # the tables of cells as version 7 had them
    "cells": ("start", "place", "keyword"),
    "hours": ("place", "keyword", "start"),
}


def as_version_7(engine: Engine) -> None:
    """Give the store its former tables, with what they held."""
    postgres = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if postgres:
            drop_views(connection)
        for name, keys in BEFORE.items():
            columns = ", ".join(f"{key} BIGINT NOT NULL" for key in keys)
            connection.exec_driver_sql(
                f"CREATE TABLE old_{name} ({columns}, seconds INTEGER NOT NULL, voices INTEGER NOT NULL, messages INTEGER NOT NULL, "
                f"expected FLOAT, upper FLOAT, p_value FLOAT, CONSTRAINT {name}_pkey_old PRIMARY KEY ({', '.join(keys)})) "
                + ("" if postgres else "WITHOUT ROWID")
            )
            connection.exec_driver_sql(f"INSERT INTO old_{name} SELECT * FROM {name}")
            connection.exec_driver_sql(f"DROP TABLE {name}")
            connection.exec_driver_sql(f"ALTER TABLE old_{name} RENAME TO {name}")
            if postgres:
                connection.exec_driver_sql(f"ALTER INDEX {name}_pkey_old RENAME TO {name}_pkey")
        connection.exec_driver_sql("CREATE INDEX cells_series ON cells (place, keyword, start)")
        connection.exec_driver_sql("CREATE INDEX hours_start ON hours (start)")
        connection.exec_driver_sql("DROP TABLE fives")
        connection.exec_driver_sql("DROP TABLE days")
        connection.exec_driver_sql("DELETE FROM meta WHERE key IN ('fives_until', 'days_until', 'fives_from')")
        connection.exec_driver_sql(
            "UPDATE meta SET key = 'rolled_until', value = value || '.0' WHERE key = 'hours_until'"
        )
        connection.exec_driver_sql("DELETE FROM versions WHERE version > 7")


def test_a_store_of_version_7_is_summed_up_where_it_stands(engine: Engine) -> None:
    works, truth = day_of_closes(11, 80)
    for work in works[:-5]:
        writer(engine).commit(work)
    wanted = {level: people(engine, level) for level in (CELLS, FIVES, HOURS, DAYS)}
    reach = {key: value for key, value in kept(engine).items() if key.endswith("_until")}
    as_version_7(engine)
    assert migrate(engine) == len(STEPS)
    assert {level: people(engine, level) for level in wanted} == wanted
    assert {key: value for key, value in kept(engine).items() if key.endswith("_until")} == reach
    for work in works[-5:]:
        writer(engine).commit(work)
    assert people(engine, CELLS) == named(truth, 60)
    assert people(engine, DAYS) == named(truth, DAY_SECONDS, kept(engine)["days_until"])


def test_a_store_of_version_7_whose_old_cells_are_gone_keeps_its_hours(engine: Engine) -> None:
    one = writer(engine, cell_days=1)
    for hour in range(72):
        start = MIDNIGHT + hour * HOUR
        one.commit(Work(cells=[cells(start, [(2, 1, 1)])], meta={"last_close": start + HOUR + 0.0}))
    with engine.begin() as connection:
        connection.execute(tables.cells.delete().where(tables.cells.c.start < kept(engine)["cells_from"]))
    as_version_7(engine)
    migrate(engine)
    reader, end = Reader(engine), MIDNIGHT + 72 * HOUR
    assert kept(engine)["fives_from"] == kept(engine)["cells_from"] > MIDNIGHT
    assert sum(cell.voices for cell in reader.matrix(MIDNIGHT, end)) == 72
    assert [cell.voices for cell in reader.series("city:0", "keyword-1", MIDNIGHT, MIDNIGHT + DAY_SECONDS)] == [1] * 24
