"""Cells in four lengths: windows as they closed, five minutes, hours, days. How long each is kept, and which to ask for a range of time.

A coarse cell holds what the finer ones within it hold together, late rows too; so a range is told by as few cells as possible, and any choice
of tiers gives the same people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Float, FromClause, Select, Table, case, cast, func, select

from streams.runtime.store import tables

DAY_SECONDS = 86_400


class Tier(NamedTuple):
    """A table whose cells last `seconds`, or longer where windows do, and are kept for at least `days`."""

    table: Table
    seconds: int
    days: float

    @property
    def until(self) -> str:
        """Key of the store's value: whole up to there."""
        return f"{self.table.name}_until"

    @property
    def since(self) -> str:
        """Key of the store's value: gone before there; not set while all are kept."""
        return f"{self.table.name}_from"

    def floor(self, at: float) -> int:
        """Start of the cell that holds `at`."""
        return int(at // self.seconds) * self.seconds


TIERS = (
    Tier(tables.cells, 60, 35.0),  # of a window's own length; the days are a setting
    Tier(tables.fives, 300, 100.0),  # a quarter, and a week
    Tier(tables.hours, 3600, 400.0),  # a year, and the same week of the year before
    Tier(tables.days, DAY_SECONDS, math.inf),
)
CELLS, FIVES, HOURS, DAYS = range(len(TIERS))
SUMS = ("voices", "messages", "known", "expected", "square", "p_value", "longest")


class Tile(NamedTuple):
    """One table's share of a range: its cells that start in [since, until)."""

    table: Table
    since: float
    until: float


def kept_from(kept: Mapping[str, Any], level: int) -> float:
    """From when on a tier is kept, by the store's values `kept`."""
    return float(kept.get(TIERS[level].since, -math.inf))


def finest(kept: Mapping[str, Any], since: float, level: int) -> int:
    """The first tier from `level` on that still reaches back to `since`."""
    return next((one for one in range(level, DAYS) if since >= kept_from(kept, one)), DAYS)


def tiles(kept: Mapping[str, Any], since: float, until: float, level: int = DAYS) -> list[Tile]:
    """The fewest cells that hold [since, until), in order of time: whole ones of tier `level`, what is left at both ends in finer ones.

    Where the finer ones are gone, coarse cells that begin before `since` or end after `until` are left out.
    """
    if since >= until:
        return []
    tier = TIERS[level]
    if level == CELLS:
        return [Tile(tier.table, since, until)]
    begin = since if since < kept_from(kept, level - 1) else -(-since // tier.seconds) * tier.seconds
    end = tier.floor(min(until, float(kept.get(tier.until, -math.inf)))) if tier.until in kept else -math.inf
    if begin >= end:
        return tiles(kept, since, until, level - 1)
    middle = Tile(tier.table, begin, end)
    return [*tiles(kept, since, begin, level - 1), middle, *tiles(kept, end, until, level - 1)]


def sums(cells: FromClause, *by: ColumnElement[Any], alone: bool = False) -> Select[Any]:
    """What cells hold together: people, messages, seconds with an expectation, that, its width squared, least p-value, longest cell.

    `alone`: none has the same key as another, so there is nothing to add.
    """
    c = cells.c
    known = case((c.expected.is_not(None), c.seconds))
    square = (c.upper - c.expected) * (c.upper - c.expected)
    each = c.voices, c.messages, known, c.expected, square, c.p_value, c.seconds
    told = each if alone else (*map(func.sum, each[:5]), func.min(c.p_value), func.max(c.seconds))
    query = select(*by, *(one.label(name) for one, name in zip(told, SUMS, strict=True)))
    return query if alone else query.group_by(*by)


def usual(of: FromClause, seconds: ColumnElement[Any]) -> tuple[ColumnElement[float], ColumnElement[float]]:
    """Expected and upper of `sums` over so many seconds, stretched over the windows in which nobody spoke: these have no cell."""
    known = cast(of.c.known, Float)
    stretch = case((known < seconds, seconds / known), else_=1.0)
    expected = of.c.expected * stretch
    return expected, expected + func.sqrt(of.c.square * stretch)
