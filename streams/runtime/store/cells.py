"""Reading cells: a series, sums by place and keyword, the last hour; each from the tiers that hold the range in few cells."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, func, literal, select, union_all

from streams.runtime.store import tables
from streams.runtime.store.tiers import CELLS, DAYS, HOURS, TIERS, Tile, finest, sums, tiles, usual

HOUR_SECONDS = 3600
SERIES_BY_HOUR_SECONDS = 2 * 86400  # a longer series is told by the hour
SERIES_BY_DAY_SECONDS = 100 * 86400  # and by the day
ANY_KEYWORD = "*"
EVERYONE = ("everywhere", "nowhere")


class Cell(msgspec.Struct, frozen=True, gc=False):
    """Counts of one place and keyword over [start, start + seconds)."""

    start: int
    seconds: int
    place: str
    keyword: str
    voices: int
    messages: int
    expected: float
    upper: float
    p_value: float


class CellReader:
    """Read access to the tiers of cells; numbers of places and keywords are remembered, for they never change."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._places: dict[int, tuple[str, str]] = {}
        self._keywords: dict[int, str] = {}
        self._lock = threading.Lock()

    def series(self, place: str, keyword: str, since: float, until: float) -> list[Cell]:
        """Cells of one series, oldest first: windows, or hours or days where the range is long; coarser where the fine ones are gone."""
        long = until - since
        level = CELLS if long <= SERIES_BY_HOUR_SECONDS else HOURS if long <= SERIES_BY_DAY_SECONDS else DAYS
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, (place,), keyword)
            if not numbers:
                return []
            kept = _kept(connection)
            level = finest(kept, since, level)
            found: list[Sequence[Any]] = []
            for tile in tiles(kept, since, until, level):
                c = tile.table.c
                query = select(c.start, c.seconds, c.voices, c.messages, c.expected, c.upper, c.p_value)
                found += connection.execute(query.where(*_of(tile, *numbers)).order_by(c.start)).all()
        cells = [
            Cell(
                start, seconds, place, keyword, voices, messages, expected or 0.0, upper or 0.0, 1.0 if p is None else p
            )
            for start, seconds, voices, messages, expected, upper, p in found
        ]
        return cells if level == CELLS else _together(cells, TIERS[level].seconds)

    def matrix(self, since: float, until: float, *, level: str | None = None) -> list[Cell]:
        """Sums over the range by place and keyword, largest first; one cell each, spanning the range."""
        with self.engine.connect() as connection:
            rows = sorted(_sums(connection, since, until))
            self._learn_names(connection, {row[0] for row in rows}, {row[1] for row in rows})
        start, seconds = int(since), max(1, int(until - since))
        places, words = self._places, self._keywords
        cells = [
            Cell(start, seconds, places[place][0], words[keyword], voices, messages, expected, upper, p_value)
            for place, keyword, voices, messages, expected, upper, p_value in rows
            if level is None or places[place][1] == level
        ]
        cells.sort(key=attrgetter("voices"), reverse=True)
        return cells

    def late(self, place: str, keyword: str, since: float, until: float) -> int:
        """People of one series who were heard only after their window had closed."""
        table = tables.late_rows
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, (place,), keyword)
            if not numbers:
                return 0
            query = select(func.sum(table.c.voices)).where(*_of(Tile(table, since, until), *numbers))
            return int(connection.execute(query).scalar() or 0)

    def last_hour(self, now: float) -> tuple[int, float]:
        """People heard in the hour before `now`, and how many are usual."""
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, EVERYONE, ANY_KEYWORD)
            if not numbers:
                return 0, 0.0
            rows = _sums(connection, now - HOUR_SECONDS, now, numbers)
        return sum(row[2] for row in rows), sum(row[4] for row in rows)

    def _numbers(
        self, connection: Connection, places: tuple[str, ...], keyword: str
    ) -> tuple[tuple[int, ...], int] | None:
        table = tables.place_names
        found = connection.execute(select(table.c.number).where(table.c.place.in_(places))).scalars().all()
        words = tables.keyword_names
        number = connection.execute(select(words.c.number).where(words.c.keyword == keyword)).scalar()
        return (tuple(found), number) if found and number is not None else None

    def _learn_names(self, connection: Connection, places: set[int], keywords: set[int]) -> None:
        with self._lock:
            if not places <= self._places.keys():
                table = tables.place_names
                rows = connection.execute(select(table.c.number, table.c.place, table.c.level))
                self._places.update({number: (place, level) for number, place, level in rows})
            if not keywords <= self._keywords.keys():
                words = tables.keyword_names
                self._keywords.update(
                    {int(n): str(word) for n, word in connection.execute(select(words.c.number, words.c.keyword))}
                )


def _of(tile: Tile, places: Iterable[int], keyword: int) -> tuple[ColumnElement[bool], ...]:
    c = tile.table.c
    return c.place.in_(places), c.keyword == keyword, c.start >= tile.since, c.start < tile.until


def _sums(
    connection: Connection, since: float, until: float, series: tuple[Iterable[int], int] | None = None
) -> list[tuple[Any, ...]]:
    """(place, keyword, voices, messages, expected, upper, p) over a range; of some series, or of all.

    What is usual is stretched over all windows closed in the range.
    """
    kept = _kept(connection)
    found = tiles(kept, since, until)
    if not found:
        return []
    parts = []
    for tile in found:
        c = tile.table.c
        columns = c.place, c.keyword, c.voices, c.messages, c.seconds, c.expected, c.upper, c.p_value
        where = _of(tile, *series) if series else (c.start >= tile.since, c.start < tile.until)
        parts.append(select(*columns).where(*where))
    cells = union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()
    one_window = len(parts) == 1 and found[0].until - found[0].since <= kept.get("window_seconds", 0)
    of = sums(cells, cells.c.place, cells.c.keyword, alone=one_window).subquery()
    expected, upper = usual(of, literal(_covered_seconds(kept, since, until)))
    known = func.coalesce(expected, 0.0), func.coalesce(upper, 0.0), func.coalesce(of.c.p_value, 1.0)
    result = connection.execute(select(of.c.place, of.c.keyword, of.c.voices, of.c.messages, *known))
    return list(result.cursor.fetchall())  # as the driver has them: ten thousand rows want no wrapping


def _covered_seconds(kept: dict[str, Any], since: float, until: float) -> float:
    """Seconds of the range that windows have been closed for."""
    first, last = float(kept.get("first_close", since)), float(kept.get("last_close", until))
    return max(0.0, min(until, last) - max(since, first))


def _together(cells: list[Cell], seconds: int) -> list[Cell]:
    """The cells summed to such as last `seconds`; longer ones stay."""
    parts: dict[int, list[Cell]] = {}
    for cell in cells:
        parts.setdefault(cell.start // seconds * seconds, []).append(cell)
    return [_sum(start, seconds, found) for start, found in sorted(parts.items())]


def _sum(start: int, seconds: int, found: list[Cell]) -> Cell:
    """One cell for several; what was expected is stretched over the windows without one."""
    one = found[0]
    if len(found) == 1 and one.seconds >= seconds:
        return one
    stretch = max(1.0, seconds / sum(cell.seconds for cell in found))
    expected = sum(cell.expected for cell in found) * stretch
    width = math.sqrt(sum((cell.upper - cell.expected) ** 2 for cell in found) * stretch)
    voices, messages = sum(cell.voices for cell in found), sum(cell.messages for cell in found)
    least = min(cell.p_value for cell in found)
    return Cell(start, seconds, one.place, one.keyword, voices, messages, expected, expected + width, least)


def _kept(connection: Connection) -> dict[str, Any]:
    """Single numbers of the store: what was closed, and how far each tier reaches."""
    table = tables.meta
    reach = [key for tier in TIERS for key in (tier.since, tier.until)]
    wanted = table.c.key.in_(["first_close", "last_close", "window_seconds", *reach])
    found = connection.execute(select(table.c.key, table.c.value).where(wanted))
    return {key: json.loads(value) for key, value in found}
