"""Reading cells: a series, sums by place and keyword, the last hour. Whole hours come from the roll-up, the rest from the cells."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, Select, Table, func, select

from streams.runtime.store import tables

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
HOUR_SECONDS = 3600
SERIES_BY_HOUR_SECONDS = 2 * 86400  # a longer series is told by the hour
SUMS_BY_HOUR_SECONDS = 6 * HOUR_SECONDS
ANY_KEYWORD = "*"
EVERYONE = ("everywhere", "nowhere")


class Cell(msgspec.Struct, frozen=True):
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


class Span(NamedTuple):
    """One table's share of a time range: its cells that start in [since, until)."""

    table: Table
    since: float
    until: float


class CellReader:
    """Read access to cells and hours; numbers of places and keywords are remembered, for they never change."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._places: dict[int, tuple[str, str]] = {}
        self._keywords: dict[int, str] = {}
        self._lock = threading.Lock()

    def series(self, place: str, keyword: str, since: float, until: float) -> list[Cell]:
        """Cells of one series, oldest first; by the hour when the range is long."""
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, (place,), keyword)
            if not numbers:
                return []
            ((place_number,), keyword_number) = numbers
            spans, rolled = self._spans(connection, since, until, SERIES_BY_HOUR_SECONDS)
            found: list[Sequence[Any]] = []
            for span in spans:
                table = span.table
                query = select(
                    table.c.start,
                    table.c.seconds,
                    table.c.voices,
                    table.c.messages,
                    table.c.expected,
                    table.c.upper,
                    table.c.p_value,
                ).where(
                    table.c.place == place_number,
                    table.c.keyword == keyword_number,
                    table.c.start >= span.since,
                    table.c.start < span.until,
                )
                found += connection.execute(query.order_by(table.c.start)).all()
        cells = [
            Cell(
                start, seconds, place, keyword, voices, messages, expected or 0.0, upper or 0.0, 1.0 if p is None else p
            )
            for start, seconds, voices, messages, expected, upper, p in found
        ]
        return _by_hour(cells) if rolled else sorted(cells, key=lambda cell: cell.start)

    def matrix(self, since: float, until: float, *, level: str | None = None) -> list[Cell]:
        """Sums over the range by place and keyword, largest first; one cell each, spanning the range."""
        with self.engine.connect() as connection:
            spans, _ = self._spans(connection, since, until, SUMS_BY_HOUR_SECONDS)
            totals = sums([row for span in spans for row in connection.execute(_rows(span)).all()])
            covered = self._covered_seconds(connection, since, until)
            self._learn_names(connection, set(totals.place), set(totals.keyword))
        start, seconds = int(since), max(1, int(until - since))
        names, words = self._places, self._keywords
        cells = [
            Cell(start, seconds, names[place][0], words[keyword], *values)
            for place, keyword, *values in zip(
                *totals.stretched(lambda known: np.maximum(1.0, covered / known)), strict=True
            )
            if level is None or names[place][1] == level
        ]
        return sorted(cells, key=lambda cell: (-cell.voices, cell.place, cell.keyword))

    def late(self, place: str, keyword: str, since: float, until: float) -> int:
        """People of one series who were heard only after their window had closed."""
        table = tables.late_rows
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, (place,), keyword)
            if not numbers:
                return 0
            ((place_number,), keyword_number) = numbers
            query = select(func.sum(table.c.voices)).where(
                table.c.place == place_number,
                table.c.keyword == keyword_number,
                table.c.start >= since,
                table.c.start < until,
            )
            return int(connection.execute(query).scalar() or 0)

    def last_hour(self, now: float) -> tuple[int, float]:
        """People heard in the hour before `now`, and how many are usual."""
        table = tables.cells
        with self.engine.connect() as connection:
            numbers = self._numbers(connection, EVERYONE, ANY_KEYWORD)
            if not numbers:
                return 0, 0.0
            places, keyword = numbers
            query = _rows(Span(table, now - HOUR_SECONDS, now))
            rows = connection.execute(query.where(table.c.place.in_(places), table.c.keyword == keyword)).all()
            covered = self._covered_seconds(connection, now - HOUR_SECONDS, now)
        told = sums(rows).stretched(lambda known: np.maximum(1.0, covered / known))
        return int(sum(told[2])), float(sum(told[4]))

    def _spans(self, connection: Connection, since: float, until: float, longest: float) -> tuple[list[Span], bool]:
        """The tables that hold [since, until): cells alone, or hours as far as they were rolled up and cells for the ends."""
        fine = tables.cells
        rolled = _meta(connection, "rolled_until")
        first = _meta(connection, "cells_from")
        gone = first is not None and since < first
        if rolled is None or (until - since <= longest and not gone):
            return [Span(fine, since, until)], False
        begin = since if gone else math.ceil(since / HOUR_SECONDS) * HOUR_SECONDS
        end = max(begin, min(until, rolled) // HOUR_SECONDS * HOUR_SECONDS)
        spans = [Span(fine, since, begin), Span(tables.hours, begin, end), Span(fine, end, until)]
        return [span for span in spans if span.since < span.until], True

    def _covered_seconds(self, connection: Connection, since: float, until: float) -> float:
        """Seconds of the range that windows have been closed for."""
        first, last = _meta(connection, "first_close"), _meta(connection, "last_close")
        return max(0.0, min(until, until if last is None else last) - max(since, since if first is None else first))

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


class Sums(NamedTuple):
    """Sums by place and keyword, sorted; arrays have one entry each pair. `known` seconds have an expectation."""

    code: Ints  # place << 32 | keyword
    voices: Floats
    messages: Floats
    known: Floats
    expected: Floats
    squared_width: Floats
    p_value: Floats
    longest: int  # seconds of the longest cell

    @property
    def place(self) -> list[int]:
        found: list[int] = (self.code >> 32).tolist()
        return found

    @property
    def keyword(self) -> list[int]:
        found: list[int] = (self.code & 0xFFFFFFFF).tolist()
        return found

    def stretched(self, stretch: Callable[[Floats], Floats]) -> tuple[list[Any], ...]:
        """Place, keyword, voices, messages, expected, upper, p; what was expected times `stretch` of the known seconds."""
        times = np.where(self.known > 0, stretch(np.maximum(self.known, 1.0)), 1.0)
        expected = self.expected * times
        upper = expected + np.sqrt(self.squared_width * times)
        counts = self.voices.astype(np.int64).tolist(), self.messages.astype(np.int64).tolist()
        return self.place, self.keyword, *counts, expected.tolist(), upper.tolist(), self.p_value.tolist()


def sums(rows: Sequence[Sequence[Any]] | Floats) -> Sums:
    """The sums of cells (place, keyword, voices, messages, seconds, expected, upper, p)."""
    table = rows if isinstance(rows, np.ndarray) else np.array(list(map(tuple, rows)), np.float64).reshape(-1, 8)
    judged = ~np.isnan(table[:, 5])  # NULL became NaN
    width = np.where(judged, table[:, 6] - table[:, 5], 0.0)
    return _together(
        table[:, 0].astype(np.int64) << 32 | table[:, 1].astype(np.int64),
        (
            table[:, 2],
            table[:, 3],
            np.where(judged, table[:, 4], 0.0),
            np.where(judged, table[:, 5], 0.0),
            width * width,
        ),
        np.where(judged, table[:, 7], 1.0),
        int(table[:, 4].max(initial=0.0)),
    )


def added(one: Sums, other: Sums) -> Sums:
    """Both together."""
    code = np.concatenate((one.code, other.code))
    columns = tuple(np.concatenate(pair) for pair in zip(one[1:6], other[1:6], strict=True))
    p_value = np.concatenate((one.p_value, other.p_value))
    return _together(code, columns, p_value, max(one.longest, other.longest))


def _together(code: Ints, columns: Sequence[Floats], p_value: Floats, longest: int) -> Sums:
    order = np.argsort(code, kind="stable")  # quick where two sorted runs meet
    ordered = code[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    if not len(first):
        nothing = np.zeros(0)
        return Sums(ordered, nothing, nothing, nothing, nothing, nothing, nothing, longest)
    voices, messages, known, expected, width = (np.add.reduceat(column[order], first) for column in columns)
    lowest = np.minimum.reduceat(p_value[order], first)
    return Sums(ordered[first], voices, messages, known, expected, width, lowest, longest)


def _rows(span: Span) -> Select[Any]:
    c = span.table.c
    query = select(c.place, c.keyword, c.voices, c.messages, c.seconds, c.expected, c.upper, c.p_value)
    return query.where(c.start >= span.since, c.start < span.until)


def _by_hour(cells: list[Cell]) -> list[Cell]:
    """The cells summed by hour; those of an hour or more stay."""
    parts: dict[int, list[Cell]] = {}
    for cell in cells:
        parts.setdefault(cell.start // HOUR_SECONDS * HOUR_SECONDS, []).append(cell)
    return [hour_cell(start, found) for start, found in sorted(parts.items())]


def hour_cell(start: int, found: list[Cell]) -> Cell:
    """One cell for an hour's cells; what was expected is stretched over the windows without one."""
    if len(found) == 1 and found[0].seconds >= HOUR_SECONDS:
        return found[0]
    known = sum(cell.seconds for cell in found)
    stretch = max(1.0, HOUR_SECONDS / known)
    expected = sum(cell.expected for cell in found) * stretch
    width = math.sqrt(sum((cell.upper - cell.expected) ** 2 for cell in found) * stretch)
    return Cell(
        start,
        HOUR_SECONDS,
        found[0].place,
        found[0].keyword,
        sum(cell.voices for cell in found),
        sum(cell.messages for cell in found),
        expected,
        expected + width,
        min(cell.p_value for cell in found),
    )


def _meta(connection: Connection, key: str) -> float | None:
    found = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == key)).scalar()
    return None if found is None else float(json.loads(found))
