"""Tables and views of the network: excesses of the last weeks, and what suffers together. The views' columns are those of Grafana's node graph."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Float, Integer, Table

from streams.runtime.store.tables import metadata


def _key(*names: str) -> tuple[Column[int], ...]:
    return tuple(Column(name, BigInteger, primary_key=True, autoincrement=False) for name in names)


excesses = Table(  # times in which a series was unusual; places and keywords are numbers of their names' tables
    "excesses",
    metadata,
    *_key("place", "keyword", "first"),  # start of its first unusual window
    Column("last", BigInteger, nullable=False, index=True),
    Column("people", Integer, nullable=False),  # in its unusual windows
)

graph_nodes = Table(
    "graph_nodes",
    metadata,
    *_key("place", "keyword"),
    Column("excesses", Integer, nullable=False),
    Column("together", Integer, nullable=False),  # of them, with a series it is linked to
)

graph_edges = Table(  # the other follows, or comes at the same time
    "graph_edges",
    metadata,
    *_key("place", "keyword", "other_place", "other_keyword"),
    Column("times", Integer, nullable=False),
    Column("by_chance", Float, nullable=False),
    Column("p_value", Float, nullable=False),
    Column("lag_seconds", Float, nullable=False),
)

_SUBTITLE = "CASE WHEN {k}.keyword = '*' THEN 'any problem' ELSE coalesce({k}.name, {k}.keyword) END"
VIEWS: Final[dict[str, str]] = {
    "operations.graph_nodes": f"""
    SELECT p.place || ' ' || k.keyword AS id, coalesce(p.name, p.place) AS title, {_SUBTITLE.format(k="k")} AS subtitle,
           n.excesses AS mainstat, n.together || ' together' AS secondarystat,
           n.together::float8 / n.excesses AS arc__together, 1 - n.together::float8 / n.excesses AS arc__alone,
           p.place, k.keyword, p.within, p.level
    FROM public.graph_nodes n JOIN public.place_names p ON p.number = n.place JOIN public.keyword_names k ON k.number = n.keyword
""",
    "operations.graph_edges": f"""
    SELECT p.place || ' ' || k.keyword || ' > ' || q.place || ' ' || l.keyword AS id,
           p.place || ' ' || k.keyword AS source, q.place || ' ' || l.keyword AS target,
           e.times || ' times' AS mainstat, round(e.lag_seconds / 60) || ' min later' AS secondarystat, least(6, 1 + e.times / 4.0) AS thickness,
           round(e.by_chance::numeric, 1) AS detail__by_chance, e.times, e.by_chance, e.p_value, e.lag_seconds,
           coalesce(p.name, p.place) || ', ' || {_SUBTITLE.format(k="k")} AS leads,
           coalesce(q.name, q.place) || ', ' || {_SUBTITLE.format(k="l")} AS follows,
           p.within, q.within AS other_within, k.keyword, l.keyword AS other_keyword
    FROM public.graph_edges e JOIN public.place_names p ON p.number = e.place JOIN public.keyword_names k ON k.number = e.keyword
    JOIN public.place_names q ON q.number = e.other_place JOIN public.keyword_names l ON l.number = e.other_keyword
""",
}


def create(connection: Connection) -> None:
    """Make the tables where they are not there."""
    for table in (excesses, graph_nodes, graph_edges):
        table.create(connection, checkfirst=True)
