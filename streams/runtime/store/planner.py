"""Writes what each channel is to be told, with the revision that gives it; and knows what may be told when nothing can be written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, select

from alerting.message import OPENED, Action
from alerting.model import Incident
from alerting.routing import LOG_ROUTES, Planned, Route, plan
from streams.runtime.store import tables
from streams.runtime.store.upsert import keeping, write

KEYS_A_QUERY = 500
MOST_KNOWN = 20_000  # incidents


class Told(NamedTuple):
    """What a channel was told of an incident by a revision."""

    sequence: int
    channel: str
    action: Action


class Planner:
    """Part of the writer: `write` inside its transaction, `saved` when that is through; `straight` may come from another thread."""

    def __init__(
        self, engine: Engine, routes: Sequence[Route] = LOG_ROUTES, clock: Callable[[], float] = time.time
    ) -> None:
        self.routes = routes
        self._clock = clock
        self._lock = threading.Lock()
        self._straight: dict[tuple[str, int], list[Planned]] = {}  # told without the store, by incident and revision
        self._fresh: dict[
            str, tuple[int, list[Told]]
        ] = {}  # of the transaction under way: newest revision, and all told
        open_now = select(tables.incidents.c.id).where(tables.incidents.c.state != "resolved")
        with engine.connect() as connection:
            told = _read(connection, [_query().where(tables.outbox.c.key.in_(open_now))])
        self._known = {key: (entries[-1].sequence, entries) for key, entries in told.items()}

    def write(self, connection: Connection, incidents: Sequence[Incident]) -> None:
        """Rows for revisions; those that are there already stay as they are."""
        now = self._clock()
        newest: dict[str, int] = {}
        for one in incidents:
            newest[one.id] = max(one.revision, newest.get(one.id, 0))
        keys = sorted(newest)
        parts = [keys[first : first + KEYS_A_QUERY] for first in range(0, len(keys), KEYS_A_QUERY)]
        told = _read(connection, [_query().where(tables.outbox.c.key.in_(part)) for part in parts])
        rows: list[dict[str, Any]] = []
        for one in incidents:
            known = told.setdefault(one.id, [])
            there = {entry.channel for entry in known if entry.sequence == one.revision}
            planned = [entry for entry in self._planned(one, known, now) if entry.channel not in there]
            rows += [_row(one, entry, now) for entry in planned]
            known += [Told(one.revision, *entry) for entry in planned]
        write(connection, keeping(connection.dialect.name, tables.outbox), rows)
        self._fresh = {key: (newest[key], entries) for key, entries in told.items()}

    def saved(self) -> None:
        """The transaction is through."""
        with self._lock:
            for key, fresh in self._fresh.items():
                self._known.pop(key, None)
                self._known[key] = fresh
            while len(self._known) > MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            written = [(key, number) for key, number in self._straight if number <= self._fresh.get(key, (-1, []))[0]]
            for place in written:
                del self._straight[place]
            self._fresh = {}

    def straight(self, one: Incident) -> list[Planned]:
        """What of a page can be told before it is written: who is to be woken, no more. Nothing when asked again."""
        with self._lock:
            newest, told = self._known.get(one.id, (0, []))
            if one.state != "confirmed" or (one.id, one.revision) in self._straight or newest >= one.revision:
                return []
            gone = [
                Told(number, *entry) for (id, number), sent in self._straight.items() if id == one.id for entry in sent
            ]
            planned = plan(one, self.routes, _as_of(one, [*told, *gone]), self._clock())
            pages = [entry for entry in planned if entry.action in OPENED or one.reason == "confirmed"]
            if pages:
                self._straight[one.id, one.revision] = pages
            return pages

    def _planned(self, one: Incident, known: Sequence[Told], now: float) -> list[Planned]:
        """By the routes, and what was told already without the store."""
        planned = plan(one, self.routes, _as_of(one, known), now)
        channels = {entry.channel for entry in planned}
        gone = self._straight.get((one.id, one.revision), ())
        return [*planned, *(entry for entry in gone if entry.channel not in channels)]


def _query() -> Select[Any]:
    table = tables.outbox
    return select(table.c.key, table.c.sequence, table.c.channel, table.c.action).order_by(table.c.sequence)


def _read(connection: Connection, queries: Iterable[Select[Any]]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for query in queries:
        for key, *entry in connection.execute(query):
            found.setdefault(key, []).append(Told(*entry))
    return found


def _as_of(one: Incident, known: Iterable[Told]) -> dict[str, Action]:
    """The last action of each channel before a revision."""
    before = sorted(entry for entry in known if entry.sequence < one.revision)
    return {entry.channel: entry.action for entry in before}


def _row(one: Incident, planned: Planned, now: float) -> dict[str, Any]:
    return {"channel": planned.channel, "key": one.id, "sequence": one.revision, "action": planned.action, "created_at": now,
            "state": "pending", "attempts": 0, "not_before": 0.0, "refused": False}  # fmt: skip
