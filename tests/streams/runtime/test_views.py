"""What the readers' roles see on PostgreSQL, by trying: operations no raw text, author or id, the public no small or exact count."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from alerting.model import Control, Gate, Part, Scope
from streams.complaint import DeadLetter, Where
from streams.part import SourceCount
from streams.runtime.store import graph
from streams.runtime.store.migrations import migrate, open_store
from streams.runtime.store.views import OPERATIONS_ROLE, PUBLIC_ROLE, VIEWS, drop_views
from streams.runtime.store.writer import Work, Writer
from tests.postgres import new_database
from tests.streams.runtime.test_store import HOUR, KEYWORDS, NOON, Tree, cells, incident

pytestmark = pytest.mark.postgres
REGIONS = Tree("everywhere", "nowhere", "region:US-NY", "city:1")
SECRET = "call me at home"


@pytest.fixture
def engine(postgres_server: str) -> Iterator[Engine]:
    opened = open_store(new_database(postgres_server))
    letter = DeadLetter("not_json", "no", Where("journal", 7), "c2VjcmV0", 6, "00")
    scope = Scope("city:1", "One", "city", ("One",), 40.7, -73.8, ("city:1", "region:US-NY"))
    told = {
        "scope": scope, "terms": (("belt", 4),), "channels": {"tweets": 3, "tickets": 9}, "why": (Gate("people", True, "12 people, 4 needed"),),
        "places": (Part("city:1", "One", "city", ("One",), 12),), "examples": ("[user] no bags",),
    }  # fmt: skip
    work = Work(
        applied=9, arrival=NOON + 9.0, dead_letters=[(letter, NOON + 1.0, "tweets")], sources={"tweets": SourceCount(records=3)},
        incidents=[incident("a", 1, NOON + 60, people=12, **told), incident("small", 1, NOON + 60, people=7, **told)],
        cells=[cells(NOON, [(2, 1, 12), (2, 2, 9), (3, 1, 21)])],
        controls=[Control(id="c", kind="note", at=NOON, author="kim", incident="a", value="on it")],
        meta={"last_close": NOON + 24.0 * HOUR, "window_seconds": 60, "budget_spent": 1.0},
    )  # fmt: skip
    Writer(opened, REGIONS, KEYWORDS, lambda source: "posts").commit(work)  # type: ignore[arg-type]
    with opened.begin() as connection:
        series = {"place": 0, "keyword": 0}
        connection.execute(graph.graph_nodes.insert().values(**series, excesses=9, together=4))
        edge = {
            "other_place": 1,
            "other_keyword": 0,
            "times": 4,
            "by_chance": 0.5,
            "p_value": 1e-4,
            "lag_seconds": 900.0,
        }
        connection.execute(graph.graph_edges.insert().values(**series, **edge))
    yield opened
    opened.dispose()


def read(engine: Engine, role: str, query: str) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        return [dict(row) for row in connection.execute(text(query)).mappings()]


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_every_view_has_rows_for_its_own_role_and_none_for_the_other(engine: Engine, view: str) -> None:
    own, other = (OPERATIONS_ROLE, PUBLIC_ROLE) if view.startswith("operations") else (PUBLIC_ROLE, OPERATIONS_ROLE)
    assert read(engine, own, f"SELECT * FROM {view}")
    with pytest.raises(ProgrammingError, match="permission denied"):
        read(engine, other, f"SELECT * FROM {view}")


@pytest.mark.parametrize("role", [OPERATIONS_ROLE, PUBLIC_ROLE])
def test_neither_role_reads_a_table(engine: Engine, role: str) -> None:
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    assert "dead_letters" in tables
    for table in tables:
        with pytest.raises(ProgrammingError, match="permission denied"):
            read(engine, role, f"SELECT * FROM public.{table}")


def test_operations_reads_no_raw_text_of_a_dead_letter(engine: Engine) -> None:
    (row,) = read(engine, OPERATIONS_ROLE, "SELECT * FROM operations.dead_letters")
    assert set(row) == {"time", "reason", "source", "letters"}


def test_the_public_sees_no_count_below_ten_and_none_exact(engine: Engine) -> None:
    rows = read(engine, PUBLIC_ROLE, "SELECT * FROM published.hours ORDER BY keyword")
    assert [(row["place"], row["keyword"], row["people"], row["told"]) for row in rows] == [
        ("region:US-NY", "keyword-1", 10, "10"),
        ("region:US-NY", "keyword-2", None, "fewer than 10"),
    ]
    assert rows[1]["expected"] is None
    (one,) = read(engine, PUBLIC_ROLE, "SELECT * FROM published.incidents")
    assert (one["id"], one["people"]) == ("a", 10)
    assert not {"examples", "terms", "p_value"} & one.keys()


def test_the_public_reads_one_tier_only_so_nothing_can_be_taken_from_another(engine: Engine) -> None:
    query = """SELECT DISTINCT source.relname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
               JOIN pg_class source ON source.oid = d.refobjid
               WHERE v.relnamespace = 'published'::regnamespace AND source.relkind IN ('r', 'p')"""
    with engine.connect() as connection:
        read_by_public = set(connection.execute(text(query)).scalars())
    assert read_by_public == {"hours", "incidents", "place_names", "keyword_names"}


def test_all_tiers_tell_operations_the_same_people(engine: Engine) -> None:
    for tier in ("cells", "fives", "hours", "days"):
        rows = read(
            engine,
            OPERATIONS_ROLE,
            f"SELECT keyword, people FROM operations.{tier} WHERE place = 'region:US-NY' ORDER BY 1",
        )
        assert [(row["keyword"], row["people"]) for row in rows] == [("keyword-1", 12), ("keyword-2", 9)], tier


def test_operations_reads_an_incident_as_columns(engine: Engine) -> None:
    (one,) = read(engine, OPERATIONS_ROLE, "SELECT * FROM operations.incidents WHERE id = 'a'")
    told = {key: one[key] for key in ("title", "place_name", "lat", "within", "keyword", "people", "channels", "terms")}
    assert told == {
        "title": "no power at Here", "place_name": "One", "lat": 40.7, "within": "|city:1|region:US-NY|", "keyword": "keyword-1",
        "people": 12, "channels": "tickets 9, tweets 3", "terms": "belt",
    }  # fmt: skip
    assert one["onset"].timestamp() == NOON


def test_places_named_by_an_earlier_version_are_named_when_met_again(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE place_names SET name = NULL, within = NULL"))
    later = Writer(engine, REGIONS, KEYWORDS, lambda source: "posts")  # type: ignore[arg-type]
    later.commit(Work(applied=10, cells=[cells(NOON + 60, [(3, 1, 2)])], meta={"last_close": NOON + 2.0 * HOUR}))
    with engine.connect() as connection:
        names = dict(connection.execute(text("SELECT place, name FROM place_names")).tuples().all())
    assert names == {"region:US-NY": None, "city:1": "name of city:1"}


def test_views_that_are_gone_or_others_are_made_anew(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        drop_views(connection)
    migrate(engine)
    assert read(engine, OPERATIONS_ROLE, "SELECT * FROM operations.cells")


def test_programs_that_start_at_once_on_an_empty_database_all_find_their_tables(postgres_server: str) -> None:
    url = new_database(postgres_server)
    together = threading.Barrier(4)

    def start() -> int:
        together.wait()
        engine = open_store(url)
        engine.dispose()
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(one.result() for one in [pool.submit(start) for _ in range(4)]) == 4
