"""When each source was blind: the table of sources knows only of now, a look at a past moment asks for then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, or_, select

from streams.runtime.store import tables
from streams.runtime.store.upsert import replacing, write


class Spell(NamedTuple):
    """A source's silence: since when, records an hour it would usually bring, ids of the places it reports from."""

    since: float
    usual_per_hour: float
    places: tuple[str, ...]


def write_spells(connection: Connection, sources: Iterable[Mapping[str, Any]], closed: float) -> None:
    """Begin, go on with, or end the spells of these rows of `sources`, as known at the close `closed`."""
    table = tables.blind_spells
    rows = list(sources)
    open_now = select(table).where(table.c.ended_at.is_(None), table.c.source.in_([row["source"] for row in rows]))
    going_on = {(one.source, one.since): dict(one._mapping) for one in connection.execute(open_now)}
    written = []
    for row in rows:
        if row["blind_since"] is not None:
            key = row["source"], row["blind_since"]
            before = going_on.pop(key, {"noticed_at": closed})
            kept = {name: row[name] for name in ("usual_per_hour", "blind_places")}
            written.append({**before, "source": key[0], "since": key[1], "ended_at": None, **kept})
    written += [{**spell, "ended_at": closed} for spell in going_on.values()]
    write(connection, replacing(connection.dialect.name, table), written)


def spells_at(engine: Engine, closed: float) -> dict[str, Spell]:
    """The spell each blind source was in, by source, as was known after the close `closed`."""
    return _spells(engine, tables.blind_spells.c.noticed_at <= closed, closed)


def spells_over(engine: Engine, moment: float) -> dict[str, Spell]:
    """The spell each source was in at a moment, by source, as is known now: it may have been noticed later."""
    return _spells(engine, tables.blind_spells.c.since <= moment, moment)


def _spells(engine: Engine, begun: ColumnElement[bool], moment: float) -> dict[str, Spell]:
    table = tables.blind_spells
    query = (
        select(table).where(begun, or_(table.c.ended_at.is_(None), table.c.ended_at > moment)).order_by(table.c.since)
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    return {
        one.source: Spell(one.since, one.usual_per_hour, tuple(filter(None, (one.blind_places or "").split("|"))))
        for one in found
    }
