"""Partitions by time of the tables of cells on PostgreSQL: made when a row needs one, dropped whole when old. SQLite has none."""

from __future__ import annotations

import time
from collections.abc import Iterable

import structlog
from sqlalchemy import Connection, delete, text
from sqlalchemy.exc import OperationalError

from streams.runtime.store.tiers import Tier

log = structlog.get_logger(__name__)
CELLS_A_SERIES = (
    1440  # in one partition: a day of minutes, five days of five minutes, two months of hours, four years of days
)
LOCK_MILLISECONDS = 200  # to drop one must wait for everybody who reads; the next hour will do as well


def make_partitions(connection: Connection, tier: Tier, starts: Iterable[float]) -> None:
    """See that there is one for each of these starts."""
    if connection.dialect.name != "postgresql":
        return
    width = _width(tier)
    for begin in sorted({int(start // width) * width for start in starts}):
        name = _name(tier, begin)
        if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None:
            connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {tier.table.name})")
            connection.exec_driver_sql(  # to attach one lets others read on, to make it in its place would not
                f"ALTER TABLE {tier.table.name} ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({begin + width})"
            )


def let_go(connection: Connection, tier: Tier, before: int) -> None:
    """Remove cells that start before; on PostgreSQL by whole partitions, as they become old."""
    if connection.dialect.name != "postgresql":
        connection.execute(delete(tier.table).where(tier.table.c.start < before))
        return
    last = _name(tier, before - _width(tier))
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    names = connection.execute(text(query), {"table": tier.table.name}).scalars().all()
    usual = connection.exec_driver_sql("SHOW lock_timeout").scalar()
    for name in sorted(one for one in names if one <= last):
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                connection.exec_driver_sql(f"DROP TABLE {name}")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")
        except OperationalError as error:
            log.info("an old partition is being read, it stays for now", partition=name, reason=str(error.orig))
            return


def _width(tier: Tier) -> int:
    return tier.seconds * CELLS_A_SERIES


def _name(tier: Tier, begin: float) -> str:
    """Names sort as their times do."""
    return f"{tier.table.name}_{time.strftime('%Y%m%d', time.gmtime(begin))}"
