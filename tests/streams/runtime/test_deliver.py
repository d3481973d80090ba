"""The outbox in the store: rows beside their revisions, what each says, trouble of our own, what a crash leaves, and the move from older stores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from alerting.message import Links, Message, Trouble
from alerting.model import Blind, Incident, Scope
from alerting.notify.base import Refused, Sent, Unsent
from alerting.notify.sending import Sending
from alerting.outbox import ReplacedError
from alerting.routing import Route
from streams.runtime.store import tables
from streams.runtime.store.lease import Lease
from streams.runtime.store.migrations import migrate
from streams.runtime.store.outbox import StoreOutbox
from streams.runtime.store.planner import Planner
from streams.runtime.store.reader import Reader
from streams.runtime.store.troubles import Troubles
from streams.runtime.store.upsert import replacing
from streams.runtime.store.writer import Work, Writer

ROUTES = (Route(channels=("chat",)), Route(channels=("pager",), tier="confirmed"))


class NoNames:
    """Trees without places and keywords."""

    parent: tuple[int, ...] = ()


def revision(id: str, number: int, state: str = "suspected", reason: str = "", **fields: Any) -> Incident:
    confirmed = 2.0 if state == "confirmed" else None
    return Incident(
        id=id, revision=number, state=state, onset=0.0, opened_at=0.0, updated_at=float(number),  # type: ignore[arg-type]
        scope=Scope("city:1", "A", "city", ("A",)), keywords=("*",), title=f"trouble {id}", messages=5, expected=1.0, factor=5.0,
        p_value=0.0, reason=reason or state, **{"people": 5, "suspected_at": 1.0, "confirmed_at": confirmed, **fields},
    )  # fmt: skip


class Told:
    """A channel that keeps what it is sent; `answers` are given first, one a send."""

    every_seconds = 0.0
    digests = keyed = False

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.messages: list[Message] = []

    async def send(self, messages: Sequence[Message], now: float) -> Sent:
        if self.answers:
            raise self.answers.pop(0)
        self.messages += messages
        return Sent(f"thread {messages[0].key}")

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def said(self) -> list[tuple[str, int, str]]:
        return [(one.key, one.sequence, one.action) for one in self.messages]


class Desk:
    """A store with its writer and what sends from it."""

    def __init__(self, engine: Engine, *, now: Callable[[], float] = time.time, **channels: Any) -> None:
        self.channels = channels or {"chat": Told(), "pager": Told()}
        self.engine = engine
        planner = Planner(engine, ROUTES, now)
        self.lease = Lease(engine)
        self.writer = Writer(engine, NoNames(), NoNames(), str, planner=planner)  # type: ignore[arg-type]
        troubles = Troubles(engine, list(self.channels), "UTC")
        self.outbox = StoreOutbox(
            engine, self.lease, planner, troubles, links=Links("https://page.example"), timezone="UTC"
        )
        self.sending = Sending(self.outbox, self.channels, now)

    def write(self, *incidents: Incident, **work: Any) -> None:
        self.writer.commit(Work(incidents=list(incidents), **work), None, self.lease.check)

    def states(self) -> list[tuple[str, str, int, str]]:
        table = tables.outbox
        with self.engine.connect() as connection:
            query = select(table.c.channel, table.c.key, table.c.sequence, table.c.state).order_by(table.c.id)
            return [tuple(row) for row in connection.execute(query)]

    async def until(self, done: Callable[[], object], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.states()
            await asyncio.sleep(0.01)

    async def deliver(self) -> None:
        """Until nothing waits."""
        self.sending.start()
        self.sending.wake()
        await self.until(lambda: all(row[3] not in ("pending", "sending") for row in self.states()))
        await self.sending.stop()


def test_each_channel_hears_its_own_in_order_and_once(engine: Engine) -> None:
    one = Desk(engine)
    revisions = [
        revision("b", 1),
        revision("a", 1),
        revision("a", 2, reason="quiet"),
        revision("a", 3, "confirmed"),
        revision("drill", 1, drill=True),
        revision("silenced", 1, silenced_until=500.0),
    ]
    one.write(*revisions)
    one.write(*revisions)  # again after a crash
    asyncio.run(one.deliver())
    chat, pager = one.channels["chat"], one.channels["pager"]
    assert chat.said == [("b", 1, "open"), ("a", 1, "open"), ("drill", 1, "open")]
    assert chat.messages[1].incident == revisions[3], "told when it is known to be confirmed: one message says so"
    assert pager.said == [("a", 3, "open")]
    assert pager.messages[0].links.page == "https://page.example"
    end = revision("a", 4, "resolved", resolved_at=9.0, confirmed_at=2.0)
    later = Desk(engine)
    later.write(end)
    asyncio.run(later.deliver())
    assert later.channels["chat"].said == later.channels["pager"].said == [("a", 4, "resolve")]
    assert later.channels["chat"].messages[0].thread == "thread a"


def test_an_incident_that_has_ended_before_it_was_told_is_told_open_then_resolved(engine: Engine) -> None:
    one = Desk(engine)
    one.write(revision("a", 1), revision("a", 2, reason="grew", people=50), revision("a", 3, "resolved", people=60))
    asyncio.run(one.deliver())
    chat = one.channels["chat"]
    assert chat.said == [("a", 1, "open"), ("a", 3, "resolve")]
    assert [message.incident.people for message in chat.messages] == [50, 60]  # type: ignore[union-attr]


def test_what_was_being_sent_at_a_crash_is_sent_again_and_counted(engine: Engine) -> None:
    crashed = Desk(engine)
    crashed.write(revision("a", 1))
    rows = crashed.outbox.waiting(0)
    rows[0].state, rows[0].attempts = "sending", 1
    crashed.outbox.claim(rows, [])
    one = Desk(engine)
    asyncio.run(one.deliver())
    assert one.channels["chat"].said == [("a", 1, "open")]
    figures = one.sending.figures()
    assert figures["notification_repeats_total", ("chat",)] == 1
    assert figures["notifications_total", ("chat", "sent")] == 1
    with pytest.raises(ReplacedError, match="number 2 has taken over"):
        crashed.outbox.keep(rows, "chat")


def test_a_rest_that_was_asked_for_outlives_the_process(engine: Engine) -> None:
    async def asked() -> None:
        one = Desk(engine, chat=Told(Unsent("answered 429", 300.0)), pager=Told())
        one.write(revision("a", 1))
        one.sending.start()
        await one.until(lambda: one.sending.lanes["chat"].rest_until > time.time())
        await one.sending.stop()
        again = Desk(engine)
        again.sending.start()
        await again.until(lambda: again.sending.lanes["chat"].rows)
        await asyncio.sleep(0.1)
        assert again.channels["chat"].messages == []
        assert again.sending.lanes["chat"].due(time.time()) > time.time() + 290
        await again.sending.stop()

    asyncio.run(asked())


def test_a_channel_that_refuses_is_told_by_the_others(engine: Engine) -> None:
    shift = [0.0]
    one = Desk(engine, now=lambda: time.time() + shift[0], chat=Told(Refused("answered 401")), pager=Told())

    async def refused() -> None:
        one.write(revision("a", 1))
        one.sending.start()
        await one.until(lambda: one.sending.lanes["chat"].reason)
        shift[0] = 35.0
        one.sending.wake()
        await one.until(lambda: one.channels["pager"].messages)
        red = Reader(engine).status(time.time()).red
        assert red == "overheard's channel chat refuses messages: answered 401"
        shift[0] = 400.0  # the next look finds it well
        one.sending.wake()
        await one.until(lambda: len(one.channels["pager"].messages) == 2)
        await one.sending.stop()

    asyncio.run(refused())
    first, second = one.channels["pager"].messages
    assert first.trouble is not None
    assert first.trouble.line == "overheard's channel chat refuses messages: answered 401"
    assert (first.key, first.action, second.action) == ("channel:chat", "open", "resolve")
    assert one.channels["chat"].said == [("a", 1, "open")]
    assert Reader(engine).status(time.time()).red is None


def test_a_blind_source_is_trouble_until_it_returns(engine: Engine) -> None:
    one = Desk(engine)
    blind = tuple(Blind(f"notes-{number}", 1000.0, 40.0) for number in range(8))
    one.write(blind=blind)
    now = time.time()
    with engine.connect() as connection:
        found = Troubles(engine, ["chat"], "UTC").found(connection, now)
    assert len(found) == 6
    assert found[-1].line == "overheard is BLIND for more sources: notes-5, notes-6, notes-7."
    one.outbox.tell_troubles(found, now)
    one.outbox.tell_troubles(found, now)
    one.write(blind=blind[1:], usual_per_hour={"notes-0": 40.0})
    one.outbox.tell_troubles(one.outbox.found_troubles(now), now)
    asyncio.run(one.deliver())
    told = [(message.key, message.action) for message in one.channels["chat"].messages]
    assert told[:6] == [(trouble.key, "open") for trouble in found]
    assert ("blind:notes-0", "resolve") in told[6:]
    assert one.channels["chat"].messages[0].trouble.line.startswith("overheard is BLIND for notes-0 since")  # type: ignore[union-attr]


def test_a_receiver_that_forgets_is_told_what_stands_and_what_ended(engine: Engine) -> None:
    one = Desk(engine)
    one.write(revision("a", 1), revision("b", 1), revision("c", 1, silenced_until=9e9))
    asyncio.run(one.deliver())
    later = Desk(engine)
    later.write(revision("a", 2, reason="quiet", people=70), revision("b", 2, "resolved"))
    asyncio.run(later.deliver())
    standing = {message.key: message for message in later.outbox.standing("chat", time.time() - 180)}
    assert {key: (one.action, one.sequence) for key, one in standing.items()} == {
        "a": ("update", 2),
        "b": ("resolve", 2),
    }
    assert [message.key for message in later.outbox.standing("chat", time.time() + 1)] == ["a"]
    assert later.outbox.prune(time.time()) == 0
    later.outbox.found_troubles(time.time() + 100 * 86400)  # asked for every few seconds, it also forgets
    assert later.outbox.prune(time.time() + 100 * 86400) == 0


def test_pages_go_out_without_the_store_and_are_written_as_sent(engine: Engine) -> None:
    one = Desk(engine)
    found = [revision("a", 1), revision("a", 2, "confirmed")]

    async def down() -> None:
        one.sending.start()
        await one.until(lambda: one.sending._reachable)
        one.sending.straight(found)
        one.sending.straight(found)
        await one.until(lambda: one.channels["pager"].messages and one.channels["chat"].messages)
        assert one.states() == []
        one.write(*found)
        one.sending.wake()
        await one.until(lambda: one.states() and all(row[3] in ("sent", "superseded") for row in one.states()))
        one.write(revision("a", 3, "resolved", confirmed_at=2.0))
        one.sending.wake()
        await one.until(lambda: len(one.channels["pager"].messages) == len(one.channels["chat"].messages) == 2)
        await one.sending.stop()

    asyncio.run(down())
    assert one.channels["pager"].said == one.channels["chat"].said == [("a", 2, "open"), ("a", 3, "resolve")]
    assert one.states()[:3] == [("chat", "a", 1, "superseded"), ("chat", "a", 2, "sent"), ("pager", "a", 2, "sent")]


def test_a_store_of_the_step_before_gets_the_new_outbox(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("drop table outbox"))
        connection.execute(text("create table outbox (dedup_key varchar(255) primary key, state varchar(16))"))
        connection.execute(text("delete from versions where version > 2"))
    migrate(engine)
    one = Desk(engine)
    one.write(revision("a", 1))
    assert [row[3] for row in one.states()] == ["pending"]


def test_a_row_of_trouble_says_what_it_holds(engine: Engine) -> None:
    one = Desk(engine)
    trouble = Trouble(key="dead:pager", line="1 message died", advice="Look.", since=5.0)
    one.outbox.tell_troubles([trouble], 10.0)
    rows = one.outbox.waiting(0)
    assert [row.channel for row in rows] == ["chat"], "not by the channel that it is about"
    assert one.outbox.claim(rows, [])[0].trouble == trouble
    assert msgspec.json.decode(msgspec.json.encode(trouble), type=Trouble) == trouble


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_tables_and_inserts_are_known_to_postgresql(table: tables.Table) -> None:
    dialect = postgresql.dialect()
    assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    assert "ON CONFLICT" in str(replacing("postgresql", table).compile(dialect=dialect))
