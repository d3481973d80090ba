"""Sums cells to hours once an hour is closed (again when late rows revise it), and lets cells go when they are old."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, select

from streams.runtime.store import tables
from streams.runtime.store.cells import HOUR_SECONDS, sums
from streams.runtime.store.upsert import replacing, write_columns


def advance(
    connection: Connection, meta: dict[str, Any], closed: float, revised: set[int], cell_days: float
) -> dict[str, Any]:
    """Roll up the hours that ended at or before `closed`; returns the meta values that changed."""
    first = meta["first_close"] // HOUR_SECONDS * HOUR_SECONDS
    begin = meta.get("rolled_until", first)
    end = closed // HOUR_SECONDS * HOUR_SECONDS
    again = {start // HOUR_SECONDS * HOUR_SECONDS for start in revised}
    gone_until = meta.get("cells_from", -math.inf)
    for hour in sorted(one for one in again if gone_until <= one < begin):
        _hour(connection, hour)
    if end <= begin:
        return {}
    for hour in _hours_with_cells(connection, begin, end):
        _hour(connection, hour)
    changed: dict[str, Any] = {"rolled_until": end}
    old = (closed - cell_days * 86400) // HOUR_SECONDS * HOUR_SECONDS
    if old > max(first, gone_until):
        table = tables.cells
        connection.execute(delete(table).where(table.c.start < old, table.c.seconds < HOUR_SECONDS))
        connection.execute(delete(tables.late_rows).where(tables.late_rows.c.start < old))
        changed["cells_from"] = old
    return changed


def _hours_with_cells(connection: Connection, begin: float, end: float) -> list[int]:
    table = tables.cells
    hour = table.c.start // HOUR_SECONDS
    found = connection.execute(
        select(hour).where(table.c.start >= begin, table.c.start < end).group_by(hour).order_by(hour)
    )
    return [int(one) * HOUR_SECONDS for one in found.scalars()]


def _hour(connection: Connection, start: int) -> None:
    c = tables.cells.c
    query = select(c.place, c.keyword, c.voices, c.messages, c.seconds, c.expected, c.upper, c.p_value)
    rows = connection.execute(query.where(c.start >= start, c.start < start + HOUR_SECONDS)).all()
    seconds = max(HOUR_SECONDS, *(row[4] for row in rows))
    place, keyword, *values = sums(rows).stretched(lambda known: np.maximum(1.0, seconds / known))
    count = len(place)
    found = zip(place, keyword, (start,) * count, (seconds,) * count, *values, strict=True)
    write_columns(connection, replacing(connection, tables.hours), list(found))
