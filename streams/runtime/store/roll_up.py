"""Sums each tier of cells into the next once its time is over, adds late rows to what was summed before, and lets old cells go.

All of it in the writer's transaction and by event time: the same log leaves the same tiers, and to sum again changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, case, func, literal_column, select, true

from streams.runtime.store.partitions import let_go, make_partitions
from streams.runtime.store.tiers import CELLS, DAY_SECONDS, DAYS, HOURS, TIERS, Tier, kept_from, sums, usual
from streams.runtime.store.upsert import Column, Insert, replacing, write_columns

LATE = ("voices", "messages")


def add_late(connection: Connection, kept: Mapping[str, Any], rows: Mapping[str, Column]) -> None:
    """Add late rows (start, place, keyword, seconds, voices, messages) to their windows, and to all tiers these were summed into.

    What is usual stays as it was, so this gives what summing anew would.
    """
    if not len(rows["start"]):
        return
    unknown = np.full(len(rows["start"]), math.nan)
    for level, tier in enumerate(TIERS):
        start = rows["start"] if level == CELLS else rows["start"] // tier.seconds * tier.seconds
        there = start >= kept_from(kept, level)
        seconds = rows["seconds"]
        if level != CELLS:
            there &= start < kept.get(tier.until, -math.inf)
            seconds = np.maximum(seconds, tier.seconds)
        columns = (
            dict(rows) | {"start": start, "seconds": seconds} | dict.fromkeys(("expected", "upper", "p_value"), unknown)
        )
        make_partitions(connection, tier, start[there].tolist())
        write_columns(connection, tier.table, [columns[one.name][there] for one in tier.table.columns], LATE)


def advance(
    connection: Connection, kept: Mapping[str, Any], closed: float, cell_days: float, rewritten: float = math.inf
) -> dict[str, Any]:
    """Bring the tiers to `closed`; returns the store's values that changed of those `kept`. Windows from `rewritten` on are summed anew."""
    now = dict(kept)
    for finer, (one, tier) in enumerate(pairwise(TIERS)):
        oldest = tier.floor(max(0.0, kept_from(now, finer)))
        whole = int(now.get(tier.until, oldest))
        begin = min(whole, max(oldest, tier.floor(min(rewritten, closed))))
        end = max(whole, tier.floor(closed))
        if tier.until not in now and one.since in now:
            now[tier.since] = oldest
        if end > begin:
            _sum_up(connection, one, tier, begin, end)
            now[tier.until] = end
    for level, tier in enumerate(TIERS[:DAYS]):
        days = cell_days if level == CELLS else max(cell_days, tier.days)
        old = TIERS[DAYS if level == HOURS else HOURS].floor(closed - days * DAY_SECONDS)
        if old > max(now["first_close"], kept_from(now, level)):
            let_go(connection, tier, old)
            now[tier.since] = old
    return {key: value for key, value in now.items() if kept.get(key) != value}


def _sum_up(connection: Connection, finer: Tier, tier: Tier, begin: int, end: int) -> None:
    """Write the tier's cells from begin to end, some at a time."""
    start = finer.table.c.start
    span = max(DAY_SECONDS, 30 * tier.seconds)
    while begin < end:
        found = connection.execute(select(func.min(start)).where(start >= begin, start < end)).scalar()
        if found is None:
            return
        begin = tier.floor(found)
        until = min(begin + span, end)
        make_partitions(connection, tier, (*range(begin, until, DAY_SECONDS), until - 1))
        connection.execute(_summing(connection.dialect.name, finer, tier), {"begin": begin, "end": until})
        begin = until


@cache
def _summing(dialect: str, finer: Tier, tier: Tier) -> Insert:
    """Sums cells that start in [:begin, :end)."""
    c = finer.table.c
    start = (c.start - c.start % literal_column(str(tier.seconds))).label("start")
    inside = c.start >= bindparam("begin"), c.start < bindparam("end")
    summed = sums(finer.table, c.place, c.keyword, start).where(*inside).subquery()
    longest = case((summed.c.longest > tier.seconds, summed.c.longest), else_=tier.seconds).label("seconds")
    of = select(summed, longest).subquery()
    each = of.c.place, of.c.keyword, of.c.start, of.c.seconds, of.c.voices, of.c.messages
    query = select(*each, *usual(of, of.c.seconds), of.c.p_value)
    query = query.where(true()).order_by(of.c.place, of.c.keyword)  # SQLite needs a condition before ON CONFLICT
    return replacing(dialect, tier.table, query)
