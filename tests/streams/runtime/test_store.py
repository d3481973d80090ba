"""What the store keeps and answers: newest revisions, sums, hours, late rows, snapshots; and that writing twice changes nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, select, text, update

from alerting.model import Blind, Control, Incident, Part, Scope
from streams.closed import Cells, Revision
from streams.complaint import DeadLetter, Where
from streams.part import SourceCount
from streams.runtime.store import tables
from streams.runtime.store.migrations import STEPS, StoreError, migrate, open_store
from streams.runtime.store.reader import Reader
from streams.runtime.store.snapshots import Snapshot, load_snapshots
from streams.runtime.store.views import drop_views
from streams.runtime.store.writer import Work, Writer

HOUR = 3600
NOON = 1_600_000_000 // HOUR * HOUR


class Tree:
    """Places or keywords by number: `levels` name them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.parent = np.full(len(names), -1)

    def id(self, number: int) -> str:
        return self.names[number]

    def name(self, number: int) -> str:
        return f"name of {self.names[number]}"

    def level(self, number: int) -> str:
        return self.names[number].split(":")[0]

    def coordinates(self, number: int) -> tuple[float, float] | None:
        return None


PLACES = Tree("everywhere", "nowhere", *(f"city:{number}" for number in range(500)))
KEYWORDS = Tree("*", *(f"keyword-{number}" for number in range(1, 51)))


def writer(engine: Engine, **settings: Any) -> Writer:
    return Writer(engine, PLACES, KEYWORDS, lambda source: "posts", **settings)  # type: ignore[arg-type]


def cells(
    start: int, rows: list[tuple[int, int, int]], seconds: int = 60, expected: float = 0.5, p: float = 0.2
) -> Cells:
    """Cells of (place, keyword, voices)."""
    place, keyword, voices = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    some = np.full(len(rows), expected)
    return Cells(start, seconds, place, keyword, voices, voices + 1, some, some + 2, np.full(len(rows), p), some > 9)


def incident(id: str, revision: int, at: float, **fields: Any) -> Incident:
    plain: dict[str, Any] = {
        "state": "suspected", "onset": NOON, "opened_at": NOON, "suspected_at": NOON, "scope": Scope("city:1", "Here", "city", ("Here",)),
        "keywords": ("keyword-1",), "title": "no power at Here", "people": 5, "messages": 6, "expected": 1.0, "factor": 5.0,
        "p_value": 1e-6, "reason": "suspected",
    }  # fmt: skip
    return Incident(id=id, revision=revision, updated_at=at, **{**plain, **fields})


def rows(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(connection.execute(select(table)), key=repr)
            for table in tables.metadata.sorted_tables
            if table.name != "versions"
        }


def test_writing_the_same_outputs_twice_changes_nothing(engine: Engine) -> None:
    letter = DeadLetter("not_json", "no", Where("journal", 7), "eA==", 1, "00")
    work = Work(
        applied=9, arrival=NOON + 9.0, incidents=[incident("a", 1, NOON + 60), incident("a", 2, NOON + 120)],
        cells=[cells(NOON, [(0, 0, 3), (2, 1, 3)])], dead_letters=[(letter, NOON + 1.0, None)],
        controls=[Control(id="c", kind="ack", at=NOON, author="me", incident="a")], meta={"last_close": NOON + 60.0, "window_seconds": 60},
    )  # fmt: skip
    writer(engine).commit(work)
    once = rows(engine)
    assert all(
        once[name]
        for name in ("cells", "incidents", "incident_revisions", "dead_letters", "controls", "outbox", "meta")
    )
    writer(engine).commit(work)
    assert rows(engine) == once


def test_by_what_a_window_was_judged_is_kept_as_long_as_its_cells(engine: Engine) -> None:
    one, days = writer(engine, cell_days=1), (0, 1, 2, 3)
    for day in days:
        start = NOON + day * 24 * HOUR
        judged = cells(start, [(2, 1, 1)])._replace(cut=10.0**-day, learning=day == 3)
        one.commit(Work(cells=[judged], meta={"last_close": start + 60.0}))
    reader = Reader(engine)
    assert [reader.cut(NOON + day * 24 * HOUR) for day in days] == [None, None, (0.01, False), (0.001, True)]
    assert reader.cut(NOON + 2 * 24 * HOUR + 60) is None


def test_the_newest_revision_is_told_and_how_it_looked_before(engine: Engine) -> None:
    found = [
        incident("a", 1, NOON + 60),
        incident("b", 1, NOON + 90, scope=Scope("city:2", "There", "city", ("There",))),
        incident("a", 2, NOON + 120, places=(Part("city:9", "Nine", "city", ("Nine",)),)),
        incident("a", 3, NOON + 500, state="resolved", resolved_at=NOON + 500.0),
    ]
    writer(engine).commit(Work(incidents=found))
    reader = Reader(engine)
    assert [(one.id, one.revision) for one in reader.incidents()] == [("a", 3), ("b", 1)]
    assert [one.id for one in reader.incidents(states=["suspected"])] == ["b"]
    assert [(one.id, one.revision) for one in reader.incidents(at=NOON + 130)] == [("a", 2), ("b", 1)]
    assert [one.id for one in reader.incidents(at=NOON + 130, place="city:9")] == ["a"]
    assert [one.id for one in reader.incidents(since=NOON + 501)] == ["b"]
    assert reader.incidents(until=NOON) == []
    assert reader.incidents(keyword="keyword") == []
    assert [one.revision for one in reader.incident("a")] == [1, 2, 3]
    assert reader.incident("a")[1] == found[2]


def test_sums_stretch_what_is_usual_over_silent_windows(engine: Engine) -> None:
    work = Work(cells=[cells(NOON + 60 * number, [(0, 0, 2), (2, 1, 1)]) for number in (0, 10, 20)])
    work.meta = {"last_close": NOON + 30 * 60.0, "window_seconds": 60}
    writer(engine).commit(work)
    reader = Reader(engine)
    everywhere, city = reader.matrix(NOON, NOON + HOUR)
    assert (everywhere.place, everywhere.keyword, everywhere.voices, everywhere.messages) == ("everywhere", "*", 6, 9)
    assert everywhere.expected == pytest.approx(0.5 * 30)  # 30 windows were closed, each with 0.5 expected
    assert (city.place, city.keyword, city.voices) == ("city:0", "keyword-1", 3)
    assert reader.matrix(NOON, NOON + HOUR, level="city") == [city]
    status = reader.status(NOON + HOUR)
    assert (status.people_last_hour, status.usual_last_hour) == (6, pytest.approx(15))
    assert [cell.start for cell in reader.series("city:0", "keyword-1", NOON, NOON + 700)] == [NOON, NOON + 600]


def test_late_rows_add_to_history_and_to_its_hour(engine: Engine) -> None:
    one = writer(engine)
    one.commit(Work(cells=[cells(NOON, [(2, 1, 4)])], meta={"last_close": NOON + 2.0 * HOUR, "window_seconds": 60}))
    late = np.array([2]), np.array([1]), np.array([3]), np.array([5])
    one.commit(Work(revisions=[Revision(NOON, *late), Revision(NOON + 60, *late)]))
    reader = Reader(engine)
    assert [cell.voices for cell in reader.series("city:0", "keyword-1", NOON, NOON + HOUR)] == [7, 3]
    (hour,) = reader.series("city:0", "keyword-1", NOON - 3 * 86400, NOON + HOUR)
    assert (hour.seconds, hour.voices, hour.messages) == (HOUR, 10, 5 + 5 + 5)
    assert reader.late("city:0", "keyword-1", NOON, NOON + HOUR) == 6
    one.commit(Work(revisions=[Revision(NOON, *late)]))
    assert reader.late("city:0", "keyword-1", NOON, NOON + 60) == 6
    assert reader.late("city:1", "keyword-1", NOON, NOON + HOUR) == 0


def test_old_cells_go_and_their_hours_stay(engine: Engine) -> None:
    one = writer(engine, cell_days=1)
    for hour in range(60):
        start = NOON + hour * HOUR
        one.commit(Work(cells=[cells(start + 120, [(2, 1, 1)]), cells(start + 180, [(2, 1, 2)])],
                        meta={"last_close": start + HOUR + 0.0, "window_seconds": 60}))  # fmt: skip
    with engine.connect() as connection:
        first = connection.execute(text("select min(start) from cells")).scalar()
    assert first == NOON + 36 * HOUR + 120
    reader = Reader(engine)
    told = reader.series("city:0", "keyword-1", NOON, NOON + 61 * HOUR)
    assert [(cell.start, cell.voices) for cell in told] == [(NOON + hour * HOUR, 3) for hour in range(60)]
    (total,) = reader.matrix(NOON, NOON + 60 * HOUR)
    assert (total.voices, total.messages) == (180, 300)
    assert total.expected == pytest.approx(0.5 * 60 * 60)
    assert [cell.voices for cell in reader.series("city:0", "keyword-1", NOON, NOON + 2 * HOUR)] == [3, 3]


def test_sources_add_up_and_go_blind_and_back(engine: Engine) -> None:
    one = writer(engine)
    one.commit(Work(arrival=5.0, sources={"x": SourceCount(records=3, newest=4.0)}))
    one.commit(Work(arrival=9.0, sources={"x": SourceCount(records=2, newest=3.0)}, usual_per_hour={"x": 7.5}))
    (status,) = Reader(engine).sources(10.0)
    assert (status.records, status.last_event, status.last_arrival, status.usual_per_hour) == (5, 4.0, 9.0, 7.5)
    assert (status.channel, status.blind_since, status.dead_letters) == ("posts", None, 0)
    one.commit(Work(blind=(Blind("x", 4.0, 7.5, (2, 3)),)))
    (status,) = Reader(engine).sources(10.0)
    assert (status.blind_since, status.blind_places) == (4.0, ("city:0", "city:1"))
    one.commit(Work(arrival=20.0, sources={"x": SourceCount(records=1, newest=19.0)}))
    (status,) = Reader(engine).sources(20.0)
    assert (status.blind_since, status.blind_places) == (None, ())


def test_dead_letters_are_told_by_reason_and_origin_only(engine: Engine) -> None:
    letters = [
        (DeadLetter("not_json", "detail", Where("journal", number), "c2VjcmV0", 6, "00"), 5.0, "x")
        for number in range(3)
    ]
    writer(engine).commit(Work(dead_letters=letters, sources={"x": SourceCount(records=1)}))
    reader = Reader(engine)
    assert [(one.reason, one.where, one.count) for one in reader.dead_letters(0.0)] == [("not_json", "journal", 3)]
    assert reader.sources(9.0)[0].dead_letters == 3


def test_a_spoilt_snapshot_leaves_the_one_before(engine: Engine) -> None:
    one = writer(engine)
    for position in (10, 20, 30):
        one.commit(Work(), Snapshot(position, 0.0, "config", {"a": 1}, b"state %d" % position))
    kept, spoilt = load_snapshots(engine)
    assert ([snapshot.state for snapshot in kept], spoilt) == ([b"state 30", b"state 20"], [])
    with engine.begin() as connection:
        connection.execute(update(tables.snapshots).where(tables.snapshots.c.position == 30).values(state=b"?"))
    kept, spoilt = load_snapshots(engine)
    assert [snapshot.position for snapshot in kept] == [20]
    assert "30" in spoilt[0]


def test_a_blind_source_is_known_as_such_for_the_time_it_was(engine: Engine) -> None:
    silent = Blind("notes", NOON, 40.0, (2,))
    heard = {"notes": SourceCount(records=3, newest=NOON), "tweets": SourceCount(records=3, newest=NOON)}
    steps = [
        (600.0, ()),
        (660.0, (silent,)),
        (720.0, (silent,)),
        (1800.0, ()),
        (7200.0, (Blind("notes", NOON + 6000, 30.0),)),
    ]
    for after, blind in steps:
        writer(engine).commit(Work(sources=heard, blind=blind, meta={"last_close": NOON + after}))

    def then(after: float) -> list[tuple[str, float | None, float, tuple[str, ...]]]:
        found = Reader(engine).sources_then(NOON + after)
        return [(s.source, s.blind_since, s.usual_per_hour, s.blind_places) for s in found if s.source == "notes"]

    assert [then(after)[0][1] for after in (600, 659, 660, 1799, 1800, 7199, 7200, 99_999)] == [
        None, None, NOON, NOON, None, None, NOON + 6000, NOON + 6000,
    ]  # fmt: skip
    assert then(700) == [("notes", NOON, 0.0, ("city:0",))]
    assert {s.source for s in Reader(engine).sources_then(NOON + 700)} == {"notes", "tweets"}


def test_a_store_of_a_newer_program_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(tables.versions.insert().values(version=99, applied_at=0.0))
    with pytest.raises(StoreError, match="99"):
        migrate(engine)


def test_a_store_of_the_first_version_gets_what_came_since(engine: Engine) -> None:
    writer(engine).commit(Work(arrival=5.0, sources={"x": SourceCount(records=3, newest=4.0)}))
    with engine.begin() as connection:
        tables.late_rows.drop(connection)
        tables.blind_spells.drop(connection)
        tables.cuts.drop(connection)
        connection.exec_driver_sql("ALTER TABLE sources DROP COLUMN blind_places")
        if engine.dialect.name == "postgresql":
            drop_views(connection)
        connection.exec_driver_sql("ALTER TABLE place_names DROP COLUMN name")
        for column in ("within", "lat", "lon"):
            connection.exec_driver_sql(f"ALTER TABLE place_names DROP COLUMN {column}")
        connection.exec_driver_sql("ALTER TABLE keyword_names DROP COLUMN name")
        connection.execute(tables.versions.delete().where(tables.versions.c.version > 1))
    assert migrate(engine) == len(STEPS)
    (status,) = Reader(engine).sources(10.0)
    assert (status.records, status.blind_places) == (3, ())
    assert Reader(engine).sources_then(10.0)[0].blind_since is None
    assert Reader(engine).late("city:0", "keyword-1", NOON, NOON + 60) == 0
    assert Reader(engine).cut(NOON) is None


def test_a_failed_commit_leaves_nothing_and_can_be_made_again(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}", busy_seconds=0.05)
    work = Work(
        applied=1,
        cells=[cells(NOON, [(0, 0, 1)])],
        incidents=[incident("a", 1, NOON)],
        meta={"last_close": NOON + 60.0},
    )
    one = writer(engine)
    other = create_engine(engine.url)
    with other.connect() as blocking:
        blocking.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="locked"):
            one.commit(work)
        blocking.rollback()
    assert Reader(engine).incidents() == []
    one.commit(work)
    assert len(Reader(engine).incidents()) == 1
    assert Reader(engine).matrix(NOON, NOON + 60)[0].voices == 1


@pytest.mark.alone
def test_questions_are_quick_over_many_cells(engine: Engine) -> None:
    one = writer(engine)
    rng = np.random.default_rng(1)
    minutes, per_minute = 1_500, 167
    for first in range(0, minutes, 500):
        work = Work()
        for minute in range(first, first + 500):
            place, keyword = np.divmod(rng.choice(502 * 51, per_minute, replace=False), 51)
            some = rng.random(per_minute)
            work.cells.append(
                Cells(NOON + minute * 60, 60, place, keyword, place % 5, place % 7, some, some, some, some > 9)
            )
        work.cells.append(cells(NOON + (first + 500) * 60, [(0, 0, 1)]))
        work.meta = {"last_close": NOON + (first + 501) * 60.0, "window_seconds": 60}
        one.commit(work)
    reader, now = Reader(engine), NOON + minutes * 60

    def milliseconds(ask: Any) -> float:
        ask()
        began = time.thread_time()
        for _ in range(5):
            ask()
        return (time.thread_time() - began) / 5 * 1000

    told = {
        "matrix": milliseconds(lambda: reader.matrix(now - HOUR, now)),
        "series": milliseconds(lambda: reader.series("everywhere", "*", now - 30 * 86400, now)),
        "status": milliseconds(lambda: reader.status(now)),
    }
    assert told["matrix"] < 5 * 20  # milliseconds of CPU, five times the aim: other work runs beside the tests
    assert told["series"] < 5 * 50
    assert told["status"] < 5 * 20
