"""Plots of the report as SVG made here: stretched to their box, with words as HTML beside them, so letters keep their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from alerting.model import Incident
from dashboards.series import Bar
from streams.evaluation import LabelResult, decided

HOUR = 3600.0
DAY = 24 * HOUR
STEPS = (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168, 336)  # hours between ticks
TICKS = 6
CROWDED = 150  # so many incidents get smaller marks


def incident_chart(bars: Sequence[Bar], onset: float, decided_at: float, ended: float | None, zone: str) -> str:
    """People per step over the expected band, with lines at the onset, the decision and the end."""
    if not bars:
        return '<p class="quiet">Nothing was counted around this time.</p>'
    first, last = float(bars[0].start), float(bars[-1].start + bars[-1].seconds)
    top = nice(max([2.0, *(float(bar.people) for bar in bars), *(bar.upper for bar in bars)]))
    count = len(bars)
    band: list[str] = []
    within: list[str] = []
    over: list[str] = []
    for i, bar in enumerate(bars):
        x, width = 1000 * i / count, 1000 / count
        if bar.expected is not None:
            low, high = _y(bar.low, top), _y(bar.upper, top)
            band.append(f"M{x:.1f} {high:.1f}h{width:.1f}V{max(low, high + 0.8):.1f}h-{width:.1f}z")
        if bar.people:
            path = f"M{x + width * 0.13:.1f} 100V{_y(bar.people, top):.1f}h{width * 0.74:.1f}V100z"
            (over if bar.expected is not None and bar.people > bar.upper else within).append(path)
    marks = [("onset", onset, "onset"), ("decided", decided_at, "told")] + ([("ended", ended, "end")] if ended else [])
    lines = "".join(_mark(name, at, first, last, word) for name, at, word in marks)
    return (
        f'<figure class="plot" role="img" aria-label="{escape(_said(bars))}">{_grid(top)}'
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="band" d="{"".join(band)}"/><path class="within" d="{"".join(within)}"/><path class="over" d="{"".join(over)}"/></svg>'
        f"{lines}{axis(first, last, zone)}</figure>"
    )


def timeline(
    volume: Sequence[tuple[float, int]],
    labels: Sequence[LabelResult],
    incidents: Sequence[Incident],
    answering: set[str],
    cards: set[str],
    zone: str,
) -> str:
    """Three lanes over the whole time: people heard, known disruptions, incidents by size."""
    if len(volume) < 2:
        return '<p class="quiet">Too short a time for a timeline.</p>'
    first, last = volume[0][0], volume[-1][0] + (volume[1][0] - volume[0][0])
    spots = "".join(_label_spot(row, first, last) for row in labels)
    lane = f'<div class="lane known"><span class="lanename">known disruptions</span>{spots}</div>' if labels else ""
    largest = max((one.people for one in incidents), default=1)
    marks = "".join(
        _incident_spot(one, first, last, largest, one.id in answering or not labels, one.id in cards)
        for one in incidents
    )
    crowd = " many" if len(incidents) > CROWDED else ""
    return (
        f'<div class="timeline">{lane}'
        f'<div class="lane opened{crowd}"><span class="lanename">incidents, higher = more people</span>{marks}</div>'
        f'<div class="lane volume"><span class="lanename">people heard</span>{_area(volume)}{axis(first, last, zone)}</div></div>'
    )


def axis(first: float, last: float, zone: str) -> str:
    """Ticks at round local times."""
    ticks = "".join(
        f'<span style="left:{100 * (at - first) / (last - first):.2f}%">{text}</span>'
        for at, text in ticks_of(first, last, zone)
        if 0.02 < (at - first) / (last - first) < 0.97
    )
    return f'<div class="axis" aria-hidden="true">{ticks}</div>'


def ticks_of(first: float, last: float, zone: str) -> list[tuple[float, str]]:
    """Round moments between two times, and how they are written there."""
    span_hours = (last - first) / HOUR
    here = ZoneInfo(zone)
    if span_hours > 24 * 7 * 2 * TICKS:
        return _months(first, last, here)
    step = next(step for step in STEPS if span_hours / step <= TICKS + 1)
    at = datetime.fromtimestamp(first, here).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    at = at.replace(hour=0) if step >= 1 else at
    ticks = []
    while (moment := at.replace(tzinfo=here).timestamp()) <= last:
        if moment >= first:
            day = f"{at.day} {at:%b}"
            whole_day = step >= 24 or (at.hour == 0 and at.minute == 0)
            ticks.append((moment, day if whole_day else f"{at:%H:%M}"))
        at += timedelta(hours=step)
    return ticks


def _months(first: float, last: float, here: ZoneInfo) -> list[tuple[float, str]]:
    months = (last - first) / (30.4 * DAY)
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60) if months / step <= TICKS + 1), 120)
    begin = datetime.fromtimestamp(first, here)
    month = begin.year * 12 + (begin.month - 1) // step * step if step < 12 else begin.year * 12
    ticks: list[tuple[float, str]] = []
    while True:
        at = datetime(month // 12, month % 12 + 1, 1, tzinfo=here)
        if at.timestamp() > last:
            return ticks
        if at.timestamp() >= first:
            ticks.append((at.timestamp(), f"{at:%Y}" if step >= 12 else f"{at:%b %Y}"))
        month += step


def nice(top: float) -> float:
    """A round number at or above `top`."""
    base = 10.0 ** math.floor(math.log10(top))
    return next(base * m for m in (1, 2, 3, 4, 5, 6, 8, 10) if base * m >= top)


def _y(value: float, top: float) -> float:
    return 100 - 100 * min(max(value, 0.0), top) / top


def _grid(top: float) -> str:
    values = sorted({0, round(top / 2), round(top)})
    return "".join(f'<div class="rule" style="bottom:{100 * v / top:.1f}%"><span>{v:,}</span></div>' for v in values)


def _mark(tone: str, at: float, first: float, last: float, word: str) -> str:
    share = (at - first) / (last - first)
    if not 0 <= share <= 1:
        return ""
    side = " flip" if share > 0.85 else ""
    return f'<div class="moment {tone}{side}" style="left:{100 * share:.2f}%"><span>{word}</span></div>'


def _said(bars: Sequence[Bar]) -> str:
    peak = max(bars, key=lambda bar: bar.people)
    return f"People over time: at most {peak.people} in one bar, where {peak.expected or 0:.1f} were expected"


def _area(volume: Sequence[tuple[float, int]]) -> str:
    top = max(1, *(count for _, count in volume))
    width = 1000 / len(volume)
    path = "".join(f"V{_y(count, top):.1f}h{width:.2f}" for _, count in volume)
    return (
        f'<div class="rule" style="bottom:100%"><span>{top:,}</span></div>'
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true"><path class="within" d="M0 100{path}V100z"/></svg>'
    )


def _label_spot(row: LabelResult, first: float, last: float) -> str:
    start = datetime.fromisoformat(row.start).timestamp()
    end = datetime.fromisoformat(row.end).timestamp() if row.end else start
    left, right = max(start, first), min(max(end, start), last)
    if right < first or left > last:
        return ""
    state = "found" if row.answered else "missed" if row.reachable else "faint"
    told = f"{row.start[:10]} {row.what[:80]}, {row.where[:60]}: {'found' if row.answered else 'missed' if row.reachable else 'too few people'}"
    return (
        f'<span class="spot {state}" title="{escape(told)}" '
        f'style="left:{100 * (left - first) / (last - first):.2f}%;width:{100 * (right - left) / (last - first):.2f}%"></span>'
    )


def _incident_spot(one: Incident, first: float, last: float, largest: int, answers: bool, has_card: bool) -> str:
    height = math.log1p(one.people) / math.log1p(max(largest, 2))
    tier = "confirmed" if one.confirmed_at is not None else "suspected"
    told = f"{one.title}: {one.people:,} people"
    place = f"left:{100 * (decided(one) - first) / (last - first):.2f}%;bottom:{6 + 78 * height:.0f}%"
    tag, link = ("a", f' href="#i-{escape(one.id)}"') if has_card else ("span", "")
    return (
        f'<{tag}{link} class="dot {tier}{"" if answers else " open"}" title="{escape(told)}" style="{place}"></{tag}>'
    )
