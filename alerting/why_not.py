"""Why not? A window is weighed as ALERT weighs it: one sentence, then the figures and the gate that stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from alerting.case import Case
from alerting.gates import usual_number
from alerting.memory import Memory
from alerting.model import Gate, iso
from alerting.places_and_keywords import Atlas
from alerting.policy import Policy
from alerting.tracks import STRIDE
from detectors.scan import EVERYWHERE, REGION
from detectors.tails import negative_binomial

MOST_PEOPLE = 1_000_000
HOUR_SECONDS = 3600.0
Z = 1.96  # of the quantile that `upper` is


class Window(NamedTuple):
    """What was counted of a place and keyword in the window from `start` (Unix seconds)."""

    start: int
    people: float
    expected: float
    upper: float
    p_value: float


class WhyNot(msgspec.Struct, frozen=True):
    """`answer` first; then what it rests on."""

    answer: str
    incident: str | None = None  # there was one
    people: int = 0  # of the hour up to the end of the window
    expected: float = 0.0
    p_value: float | None = None
    cut: float | None = None  # p-value
    cut_people: int | None = None  # people that would have been under the cut
    gates: tuple[Gate, ...] = ()


def why_not(
    place: int, keyword: int, at: float, *, memory: Memory, cases: list[Case], atlas: Atlas, policy: Policy
) -> WhyNot:
    """Answer for the window that holds `at`, of those that ALERT still remembers: the unusual ones of the last day."""
    opened = _opened(place, keyword, at, cases, atlas)
    if opened is not None:
        state = "open" if opened.open else "resolved"
        text = f"It was: {state} as incident {opened.id}, {opened.tier} since {iso(opened.suspected_at or opened.opened_at or at)}"
        return WhyNot(text, opened.id, gates=opened.why)
    close = memory.at(at)
    if close is None:
        oldest = memory.closes[0].start if memory.closes else None
        known = oldest is not None and at >= oldest
        return WhyNot("Not opened: nobody complained then" if known else "Not known: too long ago")
    key = place * STRIDE + keyword
    rows = memory.figures(key, hour_before(close.start, policy), close.start + 1)
    if not rows or rows[-1][0] != close.start:
        text = f"Not opened: nothing unusual then (p above {policy.remember_p:g}; the cut was p = {close.cut:.1g})"
        return WhyNot(text, cut=close.cut)
    windows = [Window(start, people, *figures) for start, (people, _, *figures) in rows]
    return weigh(windows, close.cut, atlas.level(place), policy)


def hour_before(start: int, policy: Policy) -> float:
    """Where the hour begins that ends with the window from `start`; a longer window is its own hour."""
    return start + policy.window_seconds - policy.span(HOUR_SECONDS, 1)


def weigh(windows: Sequence[Window], cut: float, level: int, policy: Policy) -> WhyNot:
    """Why the last of `windows` opened nothing: those of the hour that ends with it, oldest first; `level` of the place."""
    newest = windows[-1]
    people = round(sum(one.people for one in windows))
    usual = newest.expected * max(1.0, policy.span(HOUR_SECONDS, 1) / policy.window_seconds)
    least = policy.wide_people if EVERYWHERE <= level <= REGION else policy.suspected_people
    under = newest.p_value <= cut
    about = people_under(cut, usual, newest.expected, newest.upper)  # sums of other lengths than the hour decide too
    needed = max(least, min(about, people) if under else max(about, people + 1))
    budget = f"budget {policy.budget_per_week:g} a week"
    gates = (
        Gate("people", people >= least, f"{people} people in the hour up to then, {least} needed"),
        Gate("cut", under, f"p = {newest.p_value:.1g}, the cut is {cut:.1g} ({budget})"),
        _latest(windows, policy),
    )
    figures = f"usual {usual_number(usual)}, p = {newest.p_value:.1g}; {budget}"
    if not under:
        answer = f"{people} people, the cut then was {needed} ({figures})"
    else:
        stopped = next((gate for gate in gates if not gate.passed), None)
        why = stopped.text if stopped else "under the cut, but held back or told with another place or problem"
        answer = f"{why} ({people} people, {figures})"
    return WhyNot(f"Not opened: {answer}", None, people, round(usual, 3), newest.p_value, cut, needed, gates)


def _latest(windows: Sequence[Window], policy: Policy) -> Gate:
    """Whether it still went on: as the gate of that name, over the least while that one looks at."""
    newest = windows[-1]
    since = newest.start + policy.window_seconds - policy.recent
    people = sum(one.people for one in windows if one.start >= since)
    share = policy.recent / policy.window_seconds
    usual, width = newest.expected * share, (newest.upper - newest.expected) / Z * share**0.5
    text = f"{people:.0f} people in the last {round(policy.recent / 60)} min, usually {usual_number(usual)}"
    return Gate("latest", people > usual + max(2 * width, 1.0), text)


def people_under(cut: float, usual: float, each: float, upper: float) -> int:
    """The fewest people with p at or under the cut, where so many are usual; over-dispersion as in one window's band:
    the Wilson-Hilferty approximation behind `upper`, solved for the variance.
    """
    usual = max(usual, 1e-6)
    root = (max(upper, each) / max(each, 1e-9)) ** (1 / 3)
    slope = (Z - max(0.0, Z**2 - 4 * (root - 1)) ** 0.5) / 2
    factor = min(max(1.0, 9 * slope**2 * each), 10.0)
    low, high = 0, 1
    while high < MOST_PEOPLE and _tail(high, usual, factor) > cut:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _tail(middle, usual, factor) > cut else (low, middle)
    return high


def _tail(count: int, mean: float, factor: float) -> float:
    one = np.array([mean])
    return float(negative_binomial(np.array([float(count)]), one, one * factor)[0])


def _opened(place: int, keyword: int, at: float, cases: list[Case], atlas: Atlas) -> Case | None:
    for case in cases:
        if not case.told or case.onset > at or (case.resolved_at is not None and case.resolved_at < at):
            continue
        here = atlas.lies_in(place, case.place) or place in case.parts
        nodes = [*case.keywords, case.main]
        if here and any(atlas.belongs_to(keyword, node) or atlas.belongs_to(node, keyword) for node in nodes):
            return case
    return None
