"""Cells of one series gathered into the bars of a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from streams.runtime.store.reader import Cell

STEPS_SECONDS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
CARRY_SECONDS = 6 * 3600  # how far an expectation is carried over windows in which nobody spoke


class Bar(NamedTuple):
    """People in [start, start + seconds) beside what was expected; `expected` is None where nothing is known."""

    start: int
    seconds: int
    people: int
    messages: int
    expected: float | None
    low: float
    upper: float
    p_value: float


def step_for(span_seconds: float, window_seconds: int, bars: int = 72) -> int:
    """A round bar width that is no narrower than the window and gives about `bars` bars."""
    for step in STEPS_SECONDS:
        if step >= window_seconds and span_seconds / step <= bars:
            return step
    return STEPS_SECONDS[-1]


def bars(cells: Sequence[Cell], since: float, until: float, step: int) -> list[Bar]:
    """All bars of [since, until), empty ones too."""
    first = math.floor(since / step) * step
    groups: dict[int, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(math.floor(cell.start / step) * step, []).append(cell)
    made = [gathered(start, step, groups.get(start, [])) for start in range(first, math.ceil(until), step)]
    return _carried(made)


def gathered(start: int, step: int, cells: Sequence[Cell]) -> Bar:
    """One bar of all these cells."""
    if not cells:
        return Bar(start, step, 0, 0, None, 0.0, 0.0, 1.0)
    # windows in which nothing moved are not stored: their expectation is that of those that were
    share = step / max(1, sum(cell.seconds for cell in cells))
    expected = share * sum(c.expected for c in cells)
    spread = math.sqrt(share * sum(max(0.0, c.upper - c.expected) ** 2 for c in cells))
    return Bar(
        start,
        step,
        sum(c.voices for c in cells),
        sum(c.messages for c in cells),
        expected,
        max(0.0, expected - spread),
        expected + spread,
        min(c.p_value for c in cells),
    )


def _carried(made: list[Bar]) -> list[Bar]:
    """Silent bars take the expectation of the nearest bar that has one."""
    known = [i for i, bar in enumerate(made) if bar.expected is not None]
    filled = list(made)
    for i, bar in enumerate(made):
        if bar.expected is None and known:
            near = min(known, key=lambda k: abs(k - i))
            if abs(near - i) * bar.seconds <= CARRY_SECONDS:
                like = made[near]
                filled[i] = bar._replace(expected=like.expected, low=like.low, upper=like.upper)
    return filled
