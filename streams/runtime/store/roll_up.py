"""Sums cells to hours once an hour is closed (again when late rows revise it), and lets cells go when they are old.

The cells of hours that are not closed yet are summed as they are written; what was written before this process began is read back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, select

from streams.runtime.store import tables
from streams.runtime.store.cells import HOUR_SECONDS, Sums, added, sums
from streams.runtime.store.upsert import replacing, write_columns

if TYPE_CHECKING:
    from streams.closed import Cells

Ints = npt.NDArray[np.int64]


class OpenHours:
    """Sums by hour (its start) of the hours whose cells were all written by this process, until they are rolled up."""

    def __init__(self, sums: Mapping[int, Sums] | None = None, whole_from: float | None = None) -> None:
        self.sums = dict(sums or {})
        self.whole_from = whole_from  # hours from here on are held; None before any was written
        self.newest = -math.inf  # start of the newest window

    def with_cells(self, written: Iterable[tuple[Cells, Ints, Ints]], *, first: bool) -> OpenHours:
        """These hours and more cells, with the store's numbers of their places and keywords. `first`: the store held no cells before."""
        hours = OpenHours(self.sums, self.whole_from)
        hours.newest = self.newest
        for cells, place, keyword in written:
            hour = cells.start // HOUR_SECONDS * HOUR_SECONDS
            if hours.whole_from is None:
                hours.whole_from = hour if first or cells.start == hour else hour + HOUR_SECONDS
            if cells.start <= hours.newest:  # written again
                hours.sums.pop(hour, None)
                hours.whole_from = max(hours.whole_from, hour + HOUR_SECONDS)
            hours.newest = max(hours.newest, cells.start)
            if hour >= hours.whole_from:
                one = _of_cells(cells, place, keyword)
                hours.sums[hour] = added(hours.sums[hour], one) if hour in hours.sums else one
        return hours

    def advance(
        self, connection: Connection, meta: dict[str, Any], closed: float, revised: set[int], cell_days: float
    ) -> dict[str, Any]:
        """Roll up the hours that ended at or before `closed`; returns the meta values that changed. `revised`: windows with late rows."""
        first = meta["first_close"] // HOUR_SECONDS * HOUR_SECONDS
        begin = meta.get("rolled_until", first)
        end = closed // HOUR_SECONDS * HOUR_SECONDS
        again = {start // HOUR_SECONDS * HOUR_SECONDS for start in revised}
        gone_until = meta.get("cells_from", -math.inf)
        for hour in sorted(one for one in again if gone_until <= one < begin):
            _write(connection, hour, _read(connection, hour))
        for hour in again & self.sums.keys():
            self.sums[hour] = _read(connection, hour)
        if end <= begin:
            return {}
        for hour in _hours_with_cells(connection, begin, end):
            held = self.sums.pop(hour, None)
            _write(connection, hour, _read(connection, hour) if held is None else held)
        changed: dict[str, Any] = {"rolled_until": end}
        old = (closed - cell_days * 86400) // HOUR_SECONDS * HOUR_SECONDS
        if old > max(first, gone_until):
            table = tables.cells
            connection.execute(delete(table).where(table.c.start < old, table.c.seconds < HOUR_SECONDS))
            changed["cells_from"] = old
        return changed


def _of_cells(cells: Cells, place: Ints, keyword: Ints) -> Sums:
    seconds = np.full(len(place), cells.seconds)
    columns = (place, keyword, cells.voices, cells.messages, seconds, cells.expected, cells.upper, cells.p_value)
    return sums(np.stack(columns, axis=1).astype(np.float64))


def _hours_with_cells(connection: Connection, begin: float, end: float) -> list[int]:
    table = tables.cells
    hour = table.c.start // HOUR_SECONDS
    found = connection.execute(
        select(hour).where(table.c.start >= begin, table.c.start < end).group_by(hour).order_by(hour)
    )
    return [int(one) * HOUR_SECONDS for one in found.scalars()]


def _read(connection: Connection, start: int) -> Sums:
    c = tables.cells.c
    query = select(c.place, c.keyword, c.voices, c.messages, c.seconds, c.expected, c.upper, c.p_value)
    return sums(connection.execute(query.where(c.start >= start, c.start < start + HOUR_SECONDS)).all())


def _write(connection: Connection, start: int, found: Sums) -> None:
    seconds = max(HOUR_SECONDS, found.longest)
    place, keyword, *values = found.stretched(lambda known: np.maximum(1.0, seconds / known))
    count = len(place)
    columns = place, keyword, [start] * count, [seconds] * count, *values
    write_columns(connection, replacing(connection, tables.hours), columns)
