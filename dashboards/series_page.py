"""The chart of a place and a problem over a span, with what pages about places and about problems have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerting.model import Incident
from dashboards.chart import Mark, chart
from dashboards.dom import Node, h
from dashboards.matrix import grade, told_of
from dashboards.series import Bar, bars, step_for
from dashboards.words import clock, duration
from streams.runtime.store.reader import Cell, Reader

WEEK = 7 * 86400.0
SPANS = {"6h": ("6 hours", 6 * 3600.0), "day": ("Day", 86400.0), "week": ("Week", WEEK), "8w": ("8 weeks", 8 * WEEK)}
MOST_SHARES = 20


class Series(NamedTuple):
    """What the chart of one series needs."""

    bars: list[Bar]
    ghost: list[int]
    step: int


def read_series(reader: Reader, place: str, keyword: str, since: float, until: float) -> Series:
    """The series, and the same hours a week earlier."""
    cells = reader.series(place, keyword, since, until)
    before = reader.series(place, keyword, since - WEEK, until - WEEK) if until - since <= WEEK else []
    window = min((c.seconds for c in [*cells, *before]), default=60)
    step = step_for(until - since, window)
    now, then = bars(cells, since, until, step), bars(before, since - WEEK, until - WEEK, step)
    ghost = [b.people for b in then][: len(now)] if len(then) >= len(now) and any(b.people for b in then) else []
    return Series(now, ghost, step)


def series_chart(series: Series, zone: str, incidents: Sequence[Incident] = ()) -> Node:
    """The chart with the onsets of these incidents marked."""
    marks = [Mark(i.onset, clock(i.onset, zone), "onset") for i in sorted(incidents, key=lambda i: i.onset)]
    return chart(series.bars, series.ghost, marks, zone, duration(series.step))


def span_switch(base: str, span: str) -> Node:
    """`base` ends where the value of span goes."""
    links = [
        h("a", name, href=f"{base}{key}", aria_current="true" if key == span else None)
        for key, (name, _) in SPANS.items()
    ]
    return h("nav", links, class_="switch", aria_label="Time span")


def shares(cells: Sequence[Cell], names: dict[str, str], links: dict[str, str], by: str, empty: str) -> Node:
    """Cells as bars, largest first: `by` is "place" or "keyword"."""
    order = sorted(cells, key=lambda c: (-c.voices, getattr(c, by)))[:MOST_SHARES]
    if not order:
        return h("p", empty, class_="empty")
    top = max(c.voices for c in order) or 1
    rows = []
    for cell in order:
        key = str(getattr(cell, by))
        told = told_of(cell)
        link = h("a", names.get(key, key), href=links[key], title=told)
        rows.append(share_row(link, cell.voices / top, cell.voices, key, told, grade(cell)))
    return h("ul", rows, class_="shares")


def share_row(name: Node, share: float, count: int, key: str, told: str | None = None, grade_: int = 0) -> Node:
    """A name, a bar of this share of the longest, the count."""
    bar = h("span", h("span", "", class_=f"share s{grade_}", style=f"width:{100 * share:.1f}%"), aria_hidden="true")
    return h("li", name, bar, h("span", f"{count:,}", class_="n", title=told), key=key)
