"""Questions pages, the API and the terminal ask the store. Each is one or two short queries and may come from any thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, and_, func, or_, select

from alerting.message import Trouble
from alerting.model import Control, Incident, State
from streams.runtime.store import tables
from streams.runtime.store.blind_spells import Spell, spells_at, spells_over
from streams.runtime.store.cells import Cell, CellReader
from streams.runtime.store.cuts import Cut, cut_of


class SourceStatus(msgspec.Struct, frozen=True):
    """How a source does; `usual_per_hour` is its own rate at this hour of the week."""

    source: str
    channel: str
    last_event: float | None
    last_arrival: float | None
    records: int
    dead_letters: int
    usual_per_hour: float
    blind_since: float | None
    blind_places: tuple[str, ...] = ()  # while it is blind: ids of the places it usually reports from


class NewWord(msgspec.Struct, frozen=True):
    """A word heard from more people lately than chance brings, that no pack asked for."""

    word: str
    people: int  # in the last hour, of the texts that were looked at
    expected: float
    since: float
    place: str = "everywhere"  # id


class Status(msgspec.Struct, frozen=True):
    """The service as a whole; `red` says in one sentence what is broken, None where nothing is."""

    last_close: float | None = None
    window_seconds: int = 60
    watermark: float | None = None
    learning_until: float | None = None
    budget_per_week: float = 0.0
    budget_spent: float = 0.0
    people_last_hour: int = 0
    usual_last_hour: float = 0.0
    disk_full: bool = False
    red: str | None = None
    pack_refused: str | None = None
    new_words: tuple[NewWord, ...] = ()  # strongest first


class DeadLetterCount(msgspec.Struct, frozen=True):
    """Dead letters with one reason from one origin; what was written in them is not told here."""

    reason: str
    where: str  # journal or file name
    count: int


class Health(msgspec.Struct):
    """What is broken right now, told by the running service; the store itself may not be writable then."""

    disk_full: bool = False
    store: str | None = None
    journal: str | None = None
    pipeline: str | None = None
    brokers: str | None = None
    pack: str | None = None  # why a changed pack is not used; the one before still is

    @property
    def red(self) -> str | None:
        """One sentence on what is broken, None where nothing is."""
        return self.halted or self.brokers or self.store

    @property
    def halted(self) -> str | None:
        """What keeps complaints from being taken and counted; a store that refuses does not, what comes in is kept in the journal."""
        if self.disk_full:
            return "The disk is full: complaints are refused until there is room."
        return self.journal or self.pipeline


class Reader:
    """Read access to a store; `health` is that of the service in this process, where there is one."""

    def __init__(self, engine: Engine, health: Health | None = None) -> None:
        self.engine = engine
        self.health = health or Health()
        self._cells = CellReader(engine)

    def incidents(
        self,
        *,
        states: Sequence[State] | None = None,
        since: float | None = None,
        until: float | None = None,
        place: str | None = None,
        keyword: str | None = None,
        at: float | None = None,
        limit: int = 500,
    ) -> list[Incident]:
        """The newest revision of each incident alive in [since, until), latest first; `at`: as they looked then."""
        table = tables.incidents if at is None else tables.incident_revisions
        query: Select[Any] = select(table.c.body).order_by(table.c.updated_at.desc(), table.c.id).limit(limit)
        if at is not None:
            newest = (
                select(table.c.id, func.max(table.c.revision).label("revision"))
                .where(table.c.updated_at <= at)
                .group_by(table.c.id)
                .subquery()
            )
            query = query.join(newest, and_(table.c.id == newest.c.id, table.c.revision == newest.c.revision))
        if states is not None:
            query = query.where(table.c.state.in_(states))
        if since is not None:
            query = query.where(or_(table.c.resolved_at.is_(None), table.c.resolved_at >= since))
        if until is not None:
            query = query.where(table.c.onset < until)
        if place is not None:
            query = query.where(table.c.places.contains(f"|{place}|", autoescape=True))
        if keyword is not None:
            query = query.where(table.c.keywords.contains(f"|{keyword}|", autoescape=True))
        with self.engine.connect() as connection:
            return [_incident(body) for body in connection.execute(query).scalars()]

    def incident(self, id: str) -> list[Incident]:
        """All revisions of an incident, oldest first; empty when there is none of that id."""
        table = tables.incident_revisions
        with self.engine.connect() as connection:
            found = connection.execute(select(table.c.body).where(table.c.id == id).order_by(table.c.revision))
            return [_incident(body) for body in found.scalars()]

    def series(self, place_id: str, keyword_id: str, since: float, until: float) -> list[Cell]:
        """The cells of a place and keyword that start in [since, until), oldest first; over more than two days by the hour.

        Windows in which nobody spoke and nothing was unusual have no cell.
        """
        return self._cells.series(place_id, keyword_id, since, until)

    def late(self, place_id: str, keyword_id: str, since: float, until: float) -> int:
        """People of a place and keyword heard too late for their window's close; `series` has them, incidents do not."""
        return self._cells.late(place_id, keyword_id, since, until)

    def matrix(self, since: float, until: float, *, level: str | None = None) -> list[Cell]:
        """Sums by place and keyword over [since, until), with the smallest p-value; `expected` covers the silent windows too."""
        return self._cells.matrix(since, until, level=level)

    def cut(self, start: int) -> Cut | None:
        """By what the window from `start` was judged; None where none was, or that was not kept."""
        return cut_of(self.engine, start)

    def sources(self, now: float) -> list[SourceStatus]:
        """Every source heard so far, by name."""
        table, dead = tables.sources, tables.dead_letters
        counted = select(dead.c.source, func.count().label("dead")).group_by(dead.c.source).subquery()
        columns = [table.c[name] for name in SourceStatus.__struct_fields__ if name != "dead_letters"]
        query = (
            select(*columns, func.coalesce(counted.c.dead, 0).label("dead_letters"))
            .outerjoin(counted, counted.c.source == table.c.source)
            .order_by(table.c.source)
        )
        with self.engine.connect() as connection:
            return [_source(dict(row._mapping)) for row in connection.execute(query)]

    def sources_then(self, closed: float) -> list[SourceStatus]:
        """The sources as they were at the close `closed`: blind or not; of what else is told only the present is kept."""
        then = spells_at(self.engine, closed)
        found = []
        for one in self.sources(closed):
            spell = then.get(one.source)
            found.append(
                msgspec.structs.replace(
                    one,
                    last_event=None,
                    last_arrival=None,
                    usual_per_hour=spell.usual_per_hour if spell else one.usual_per_hour,
                    blind_since=spell.since if spell else None,
                    blind_places=spell.places if spell else (),
                )
            )
        return found

    def blind_then(self, moment: float) -> dict[str, Spell]:
        """The sources that were blind at a moment, as is known now."""
        return spells_over(self.engine, moment)

    def controls(self, incident: str | None = None, since: float | None = None) -> list[Control]:
        """What people did, oldest first."""
        table = tables.controls
        query = select(table.c.body).order_by(table.c.at, table.c.id)
        if incident is not None:
            query = query.where(table.c.incident == incident)
        if since is not None:
            query = query.where(table.c.at >= since)
        with self.engine.connect() as connection:
            return [msgspec.json.decode(body, type=Control) for body in connection.execute(query).scalars()]

    def control(self, id: str) -> Control | None:
        """One act by its id."""
        table = tables.controls
        with self.engine.connect() as connection:
            body = connection.execute(select(table.c.body).where(table.c.id == id)).scalar()
        return None if body is None else msgspec.json.decode(body, type=Control)

    def told(self) -> dict[str, list[str]]:
        """By incident id, the channels that were told of it."""
        table = tables.outbox
        found: dict[str, list[str]] = {}
        query = select(table.c.key, table.c.channel).where(table.c.state == "sent").distinct()
        with self.engine.connect() as connection:
            for incident, channel in connection.execute(query.order_by(table.c.channel)):
                found.setdefault(incident, []).append(channel)
        return found

    def status(self, now: float) -> Status:
        """The service as a whole; the last hour is that before `now`."""
        kept = self.meta()
        people, usual = self._cells.last_hour(now)
        troubles = msgspec.convert(kept.get("troubles", []), list[Trouble])
        return Status(
            last_close=kept.get("last_close"),
            window_seconds=kept.get("window_seconds", 60),
            watermark=kept.get("watermark"),
            learning_until=kept.get("learning_until"),
            budget_per_week=kept.get("budget_per_week", 0.0),
            budget_spent=kept.get("budget_spent", 0.0),
            people_last_hour=people,
            usual_last_hour=usual,
            disk_full=self.health.disk_full,
            red=self.health.red or next((one.line for one in troubles if not one.key.startswith("blind")), None),
            pack_refused=self.health.pack,
            new_words=msgspec.convert(kept.get("new_words", ()), tuple[NewWord, ...]),
        )

    def dead_letters(self, since: float) -> list[DeadLetterCount]:
        """Records not counted that arrived since, by reason and origin, commonest first."""
        table = tables.dead_letters
        query = select(table.c.reason, table.c.where).where(table.c.arrived_at >= since)
        counts: dict[tuple[str, str], int] = {}
        with self.engine.connect() as connection:
            for reason, where in connection.execute(query):
                key = reason, where.rsplit(":", 2)[0]
                counts[key] = counts.get(key, 0) + 1
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [DeadLetterCount(reason, where, count) for (reason, where), count in ranked]

    def meta(self) -> dict[str, Any]:
        """The store's single values by key."""
        with self.engine.connect() as connection:
            found = connection.execute(select(tables.meta.c.key, tables.meta.c.value))
            return {key: json.loads(value) for key, value in found}


def _source(row: dict[str, Any]) -> SourceStatus:
    places = tuple(filter(None, (row["blind_places"] or "").split("|")))
    return SourceStatus(**{**row, "blind_places": places})


def _incident(body: str) -> Incident:
    return msgspec.json.decode(body, type=Incident)


__all__ = ["Cell", "DeadLetterCount", "Health", "NewWord", "Reader", "SourceStatus", "Status"]
