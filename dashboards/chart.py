"""The chart of one series: bars of people over the expected band, the same hours a week earlier behind it.

Drawn as SVG stretched to its box, with the words beside it as HTML, so that letters keep their size on every screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from dashboards.dom import Node, h, raw
from dashboards.series import Bar
from dashboards.words import clock, local, number, people

TICKS = 4
HOURS = (1 / 6, 0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168)


class Mark(NamedTuple):
    """A moment worth a line: `onset`, `confirmed`."""

    at: float
    label: str
    tone: str = "plain"


def chart(bars: Sequence[Bar], ghost: Sequence[int], marks: Sequence[Mark], zone: str, unit: str = "") -> Node:
    """`ghost` has one count per bar, of a week before; empty where there is none."""
    if not bars:
        return h("p", "Nothing is stored for this time.", class_="empty")
    top = _nice(max([1.0, *(b.people for b in bars), *(b.upper for b in bars), *map(float, ghost)]))
    picture = (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">'
        + _band(bars, top)
        + "".join(_bar(i, bar, len(bars), top) for i, bar in enumerate(bars))
        + _ghost(ghost, len(bars), top)
        + "</svg>"
    )
    spots = "".join(_spot(i, bar, ghost, len(bars), zone) for i, bar in enumerate(bars))
    lines = "".join(_marks(marks, bars))
    body = _gridlines(top) + picture + lines + f'<div class="spots">{spots}</div>'
    plot = raw("div", body, class_="plot")
    axis = raw("div", _hours(bars, zone), class_="hours", aria_hidden="true")
    return h("figure", plot, axis, _key(bars, bool(ghost), unit), _table(bars, ghost, zone), class_="chart")


def _nice(top: float) -> float:
    base = 10.0 ** math.floor(math.log10(top))
    return next(base * m for m in (1, 2, 4, 5, 10) if base * m >= top)


def _x(i: float, n: int) -> float:
    return 1000 * i / n


def _y(value: float, top: float) -> float:
    return 100 - 100 * min(value, top) / top


def _band(bars: Sequence[Bar], top: float) -> str:
    """The expected band as steps, broken where nothing is known."""
    paths = []
    for i, bar in enumerate(bars):
        if bar.expected is None:
            continue
        x, width, n = _x(i, len(bars)), 1000 / len(bars), max(_y(bar.low, top) - _y(bar.upper, top), 0.4)
        paths.append(f'<rect x="{x:.2f}" y="{_y(bar.upper, top):.2f}" width="{width + 0.05:.2f}" height="{n:.2f}"/>')
    return f'<g class="band">{"".join(paths)}</g>'


def _bar(i: int, bar: Bar, n: int, top: float) -> str:
    if not bar.people:
        return ""
    width = 1000 / n
    tone = "over" if bar.expected is not None and bar.people > bar.upper else "within"
    y = _y(bar.people, top)
    return (
        f'<rect class="{tone}" x="{_x(i, n) + width * 0.14:.2f}" y="{y:.2f}" width="{width * 0.72:.2f}" '
        f'height="{100 - y:.2f}"/>'
    )


def _ghost(ghost: Sequence[int], n: int, top: float) -> str:
    if not ghost:
        return ""
    points = " ".join(
        f"{_x(i, n):.1f},{_y(v, top):.1f} {_x(i + 1, n):.1f},{_y(v, top):.1f}" for i, v in enumerate(ghost)
    )
    return f'<polyline class="ghost" points="{points}"/>'


def _gridlines(top: float) -> str:
    step = _nice(max(1.0, top / TICKS))
    values = [round(step * i) for i in range(int(top / step) + 1)]
    return "".join(f'<div class="grid" style="bottom:{100 * v / top:.2f}%"><span>{v:,}</span></div>' for v in values)


def _marks(marks: Sequence[Mark], bars: Sequence[Bar]) -> Iterator[str]:
    """Lines at moments; a label that would cover the one before is left out."""
    first, last = bars[0].start, bars[-1].start + bars[-1].seconds
    free = -1.0
    for mark in sorted(marks):
        share = (mark.at - first) / (last - first)
        if not 0 <= share <= 1:
            continue
        side = " left" if share > 0.8 else ""
        label = f"<span>{escape(mark.label)}</span>" if share - free > 0.12 else ""
        free = share if label else free
        yield f'<div class="mark {mark.tone}{side}" style="left:{100 * share:.2f}%">{label}</div>'


def _spot(i: int, bar: Bar, ghost: Sequence[int], n: int, zone: str) -> str:
    """A column to point at, with its figures."""
    last_week = f"<br>a week earlier {ghost[i]:,}" if ghost else ""
    side = " class=left" if i > n * 0.6 else ""
    told = (
        f"<b>{clock(bar.start, zone)}–{clock(bar.start + bar.seconds, zone)}</b><br>{people(bar.people)}"
        f"<br>{_expected(bar)}{last_week}"
    )
    return f"<div><span{side}>{told}</span></div>"


def _expected(bar: Bar) -> str:
    if bar.expected is None:
        return "expected: not known"
    return f"expected {number(bar.expected)}, band {number(bar.low)} to {number(bar.upper)}"


def _hours(bars: Sequence[Bar], zone: str) -> str:
    first, last = bars[0].start, bars[-1].start + bars[-1].seconds
    step = next((s for s in HOURS if (last - first) / 3600 / s <= 7), HOURS[-1]) * 3600
    offset = local(first, zone).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    at = math.ceil((first + shift) / step) * step - shift
    labels = []
    while at <= last:
        share = 100 * (at - first) / (last - first)
        here = local(at, zone)
        text = f"{here:%a} {here.day} {here:%b}" if step >= 86400 else f"{here:%H:%M}"
        if 2 < share < 97:
            labels.append(f'<span style="left:{share:.2f}%">{text}</span>')
        at += step
    return "".join(labels)


def _key(bars: Sequence[Bar], ghost: bool, unit: str) -> Node:
    entries = [
        h("span", h("i", class_="k-over"), "above the band"),
        h("span", h("i", class_="k-within"), "people" + (f" per {unit}" if unit else "")),
        h("span", h("i", class_="k-band"), "expected band") if any(b.expected is not None for b in bars) else None,
        h("span", h("i", class_="k-ghost"), "a week earlier") if ghost else None,
    ]
    return h("figcaption", entries, class_="legend small quiet")


def _table(bars: Sequence[Bar], ghost: Sequence[int], zone: str) -> Node:
    """The same figures for those who read rather than look."""
    head = h(
        "tr", [h("th", t, scope="col") for t in ("From", "People", "Messages", "Expected", "Band", "A week earlier")]
    )
    rows = [
        h(
            "tr",
            h("th", clock(b.start, zone, bars[-1].start), scope="row"),
            h("td", f"{b.people:,}"),
            h("td", f"{b.messages:,}"),
            h("td", "–" if b.expected is None else number(b.expected)),
            h("td", "–" if b.expected is None else f"{number(b.low)} to {number(b.upper)}"),
            h("td", f"{ghost[i]:,}" if ghost else "–"),
        )
        for i, b in reversed(list(enumerate(bars)))
        if b.people or (b.expected or 0) >= 0.05
    ]
    table = h("table", h("thead", head), h("tbody", rows), class_="figures")
    return h("details", h("summary", "Figures as a table"), h("div", table, class_="scroll"), class_="small")


def spark(points: Sequence[tuple[int, int]], until: float, span_seconds: int, slots: int = 36) -> Node:
    """A small curve of the last hours, for a row of the board."""
    counts = [0] * slots
    width = span_seconds / slots
    for start, count in points:
        slot = int((start - (until - span_seconds)) // width)
        if 0 <= slot < slots:
            counts[slot] += count
    top = max(1, *counts)
    rects = "".join(
        f'<rect x="{i * 4}" y="{24 - 22 * c / top:.1f}" width="3" height="{22 * c / top:.1f}"/>'
        for i, c in enumerate(counts)
        if c
    )
    svg = f'<svg viewBox="0 0 {slots * 4} 24" preserveAspectRatio="none"><path d="M0 23.5H{slots * 4}"/>{rects}</svg>'
    return raw("span", svg, class_="spark", aria_hidden="true")
