"""Keeps the network of what suffers together: once a day of event time, from the unusual windows in the store. One store gives one network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import structlog
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from detectors import network
from detectors.base import Bools, Ints
from detectors.network import DAY, QUIET_SECONDS, WEEK
from streams.runtime.store import graph, tables
from streams.runtime.store.lease import FencedError, Lease
from streams.runtime.store.tiers import CELLS, kept_from
from streams.runtime.store.upsert import replacing, write
from streams.runtime.store.writer import read_meta, write_meta

log = structlog.get_logger(__name__)
LOOK_SECONDS = 60.0
UNUSUAL = 1e-3  # p-value of a window
FEWEST_PEOPLE = 2  # one person alone is no excess
MOST_WEEKS = 8
LEVELS = ("spot", "airport", "city")
MOST_SERIES = 150  # of places with any problem, and of problems at places; those with the most excesses
SINCE, UNTIL = "network_since", "network_until"  # days of which excesses are known
MADE = "network_made"  # until when those go that the network was made of
Guard = Callable[[Connection], None]


class Link(msgspec.Struct, frozen=True):
    """Two series that suffer together, by ids of places and keywords; the first leads, or both come at the same time."""

    place: str
    keyword: str
    other_place: str
    other_keyword: str
    times: int
    by_chance: float
    p_value: float
    lag_seconds: float


class Found(NamedTuple):
    """The network as kept: least likely by chance first; how many weeks it looks back over from `until`, None before there was a whole day."""

    links: list[Link]
    until: float | None
    weeks: int
    days: int  # of which excesses are known


class _Names(NamedTuple):
    """What the network may be made of, by the store's numbers."""

    within: dict[int, frozenset[str]]  # a place and all above it
    place: dict[int, str]
    keyword: dict[int, str]


class Keeper:
    """Looks every minute whether a day has ended, in a loop of its own; writes as long as the lease holds."""

    def __init__(self, engine: Engine, lease: Lease) -> None:
        self._engine, self._lease = engine, lease

    async def run(self) -> None:
        """Until cancelled, or until another writes to the store."""
        while True:
            try:
                if await asyncio.to_thread(refresh, self._engine, self._lease.check):
                    log.info("the network is of the last whole day")
            except FencedError:
                return
            except SQLAlchemyError as error:
                log.warning("the network stays as it was", reason=str(error).splitlines()[0])
            await asyncio.sleep(LOOK_SECONDS)


def refresh(engine: Engine, guard: Guard = lambda connection: None) -> bool:
    """Bring the network to the end of the last whole day (UTC) that was closed; whether there was anything to do.

    `guard` is called first in each of two short transactions: for excesses, and for the network, which is worked out in between. Raises what
    it raises, and SQLAlchemyError.
    """
    _keep_excesses(engine, guard)
    with engine.connect() as connection:
        meta = read_meta(connection)
        end = meta.get(UNTIL)
        if end is None or meta.get(MADE) == end:
            return False
        names, weeks = _names(connection), int((end - meta[SINCE]) // WEEK)
        chosen, rows = _series(connection, names, end - weeks * WEEK)
    nodes, edges = _network(names, chosen, rows, end, weeks)
    with engine.begin() as connection:
        guard(connection)
        for table, found in ((graph.graph_nodes, nodes), (graph.graph_edges, edges)):
            connection.execute(table.delete())
            if found:
                connection.execute(table.insert(), found)
        write_meta(connection, {MADE: end})
    return True


def _keep_excesses(engine: Engine, guard: Guard) -> None:
    """Take in the windows of the days that ended since."""
    with engine.connect() as connection:
        meta = read_meta(connection)
        end = meta.get("last_close", 0.0) // DAY * DAY
        oldest = end - MOST_WEEKS * WEEK
        begin = meta.get(UNTIL, max(meta.get("first_close", end), oldest, kept_from(meta, CELLS)))
        if end <= begin:
            return
        changed = _changed(connection, _names(connection), begin, end)
    with engine.begin() as connection:
        guard(connection)
        columns = graph.excesses.columns.keys()
        rows = [dict(zip(columns, row, strict=True)) for row in changed]
        write(connection, replacing(connection.dialect.name, graph.excesses), rows)
        connection.execute(graph.excesses.delete().where(graph.excesses.c.last < oldest))
        write_meta(connection, {SINCE: max(meta.get(SINCE, begin), oldest), UNTIL: end})


def read(engine: Engine) -> Found:
    """The network as it was last kept."""
    place, keyword, edge = tables.place_names, tables.keyword_names, graph.graph_edges.c
    p, q, k, m = place.alias(), place.alias(), keyword.alias(), keyword.alias()
    query = (
        select(
            p.c.place, k.c.keyword, q.c.place, m.c.keyword, edge.times, edge.by_chance, edge.p_value, edge.lag_seconds
        )
        .select_from(graph.graph_edges)
        .join(p, p.c.number == edge.place)
        .join(k, k.c.number == edge.keyword)
        .join(q, q.c.number == edge.other_place)
        .join(m, m.c.number == edge.other_keyword)
        .order_by(edge.p_value, edge.times.desc(), p.c.place, k.c.keyword, q.c.place, m.c.keyword)
    )
    with engine.connect() as connection:
        meta = read_meta(connection)
        links = [Link(*row) for row in connection.execute(query)]
    until = meta.get(MADE)
    seconds = 0.0 if until is None else until - meta[SINCE]
    return Found(links, until, int(seconds // WEEK), int(seconds // DAY))


def _names(connection: Connection) -> _Names:
    places = connection.execute(select(tables.place_names).where(tables.place_names.c.level.in_(LEVELS))).all()
    words = connection.execute(select(tables.keyword_names.c.number, tables.keyword_names.c.keyword))
    within = {row.number: frozenset(filter(None, (row.within or row.place).split("|"))) for row in places}
    top = {number: keyword for number, keyword in words if "/" not in keyword}
    return _Names(within, {row.number: row.place for row in places}, top)


def _changed(connection: Connection, names: _Names, begin: float, end: float) -> list[tuple[int, ...]]:
    """Rows of excesses that the windows of [begin, end) bring: new ones, and those of before that they make longer."""
    cell, kept = tables.cells.c, graph.excesses.c
    query = select(cell.place, cell.keyword, cell.start, cell.start, cell.voices)
    query = query.where(cell.start >= begin, cell.start < end, cell.p_value <= UNUSUAL)
    windows = [row for row in connection.execute(query) if row[0] in names.place and row[1] in names.keyword]
    going_on = connection.execute(select(graph.excesses).where(kept.last > begin - QUIET_SECONDS))
    table = np.array([tuple(row) for row in (*going_on, *windows)], np.int64).reshape(-1, 5)
    first, last = table[:, 2].astype(np.float64), table[:, 3].astype(np.float64)
    found = network.excesses(table[:, 0] << 32 | table[:, 1], first, last, table[:, 4])
    fresh = found.last >= begin
    code = found.series[fresh]
    columns = code >> 32, code & 0xFFFFFFFF, *(one[fresh].astype(np.int64) for one in found[1:])
    return list(zip(*(one.tolist() for one in columns), strict=True))


def _series(connection: Connection, names: _Names, begin: float) -> tuple[Ints, Ints]:
    """The series with the most excesses since, as place << 32 | keyword and sorted; and their excesses, int[n, 2]: series, first window."""
    kept = graph.excesses.c
    since = kept.first >= begin, kept.people >= FEWEST_PEOPLE
    counted = select(kept.place, kept.keyword, func.count()).where(*since).group_by(kept.place, kept.keyword)
    ranked = sorted((-count, *pair) for *pair, count in connection.execute(counted) if pair[0] in names.place)
    anything = [(place, keyword) for _, place, keyword in ranked if names.keyword.get(keyword) == "*"]
    problems = [(place, keyword) for _, place, keyword in ranked if names.keyword.get(keyword, "*") != "*"]
    chosen = sorted(place << 32 | keyword for place, keyword in anything[:MOST_SERIES] + problems[:MOST_SERIES])
    places = {one >> 32 for one in chosen}
    found = connection.execute(select(kept.place, kept.keyword, kept.first).where(*since, kept.place.in_(places)))
    table = np.array([(place << 32 | keyword, first) for place, keyword, first in found], np.int64).reshape(-1, 2)
    return np.array(chosen, np.int64), table[np.isin(table[:, 0], chosen)]


def _network(
    names: _Names, chosen: Ints, rows: Ints, end: float, weeks: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of nodes and of edges."""
    onset, series = rows[:, 1].astype(np.float64), np.searchsorted(chosen, rows[:, 0])
    found = network.network(onset, series, len(chosen), end=end, weeks=weeks, apart=_apart(names, chosen))
    edges = found.edges
    keys = [{"place": one >> 32, "keyword": one & 0xFFFFFFFF} for one in chosen.tolist()]
    told = zip(edges.one.tolist(), edges.other.tolist(), *(one.tolist() for one in edges[2:]), strict=True)
    linked = sorted({*edges.one.tolist(), *edges.other.tolist()})
    return [
        {**keys[one], "excesses": int(found.onsets[one]), "together": int(found.together[one])} for one in linked
    ], [
        {**keys[one], "other_place": keys[other]["place"], "other_keyword": keys[other]["keyword"],
         "times": times, "by_chance": by_chance, "p_value": p_value, "lag_seconds": lag}
        for one, other, times, by_chance, p_value, lag in told
    ]  # fmt: skip


def _apart(names: _Names, series: Ints) -> Bools:
    """Which pairs may be linked: any problem here with any problem there, or one problem with another; never a place and a part of it,
    nor twice the same place and any of its problems, for they have the same people.
    """
    place, keyword = [one >> 32 for one in series.tolist()], [one & 0xFFFFFFFF for one in series.tolist()]
    anything = np.array([names.keyword[one] == "*" for one in keyword], bool)
    apart: Bools = anything == anything[:, None]
    known = sorted(set(place))
    inside = {one: {other for other in known if names.place[other] in names.within[one]} for one in known}  # and itself
    for one, (here, what) in enumerate(zip(place, keyword, strict=True)):
        for other, (there, which) in enumerate(zip(place, keyword, strict=True)):
            kin = there in inside[here] or here in inside[there]
            if kin and (here != there or what == which):
                apart[one, other] = False
    return apart
