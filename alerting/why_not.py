"""Why not? For any place, keyword and minute of the last day: one sentence, then the figures and the gate that stopped it."""

from __future__ import annotations

import msgspec
import numpy as np

from alerting.case import Case
from alerting.gates import usual_number
from alerting.memory import Memory, Remembered
from alerting.model import Gate, iso
from alerting.places_and_keywords import Atlas
from alerting.policy import Policy
from alerting.tracks import STRIDE
from detectors.scan import EVERYWHERE, REGION
from detectors.tails import negative_binomial

MOST_PEOPLE = 1_000_000
HOUR_SECONDS = 3600.0


class WhyNot(msgspec.Struct, frozen=True):
    """`answer` first; then what it rests on."""

    answer: str
    place: str
    keyword: str
    at: float
    opened: bool = False
    incident: str | None = None
    people: int = 0
    expected: float = 0.0
    p_value: float | None = None
    cut: float | None = None  # p-value
    cut_people: int | None = None  # people that would have been under the cut
    gates: tuple[Gate, ...] = ()


def why_not(
    place: int, keyword: int, at: float, *, memory: Memory, cases: list[Case], atlas: Atlas, policy: Policy
) -> WhyNot:
    """Answer for the window that holds `at`, counting people of the hour up to it."""
    where, what = atlas.places.id(place), atlas.keywords.id(keyword)
    blank = WhyNot("", where, what, at)
    opened = _opened(place, keyword, at, cases, atlas)
    if opened is not None:
        state = "open" if opened.open else "resolved"
        text = f"It was: {state} as incident {opened.id}, {opened.tier} since {iso(opened.suspected_at or opened.opened_at or at)}"
        return msgspec.structs.replace(blank, answer=text, opened=True, incident=opened.id, gates=opened.why)
    close = memory.at(at)
    if close is None:
        oldest = memory.closes[0].start if memory.closes else None
        text = (
            "Not opened: nobody complained then" if oldest is not None and at >= oldest else "Not known: too long ago"
        )
        return msgspec.structs.replace(blank, answer=text, cut=None if oldest is None else memory.closes[-1].cut)
    key = place * STRIDE + keyword
    rows = memory.figures(key, close.start + close.seconds - policy.span(HOUR_SECONDS, 1), close.start + 1)
    if not rows or rows[-1][0] != close.start:
        text = f"Not opened: nothing unusual then (p above {policy.remember_p:g}; the cut was p = {close.cut:.1g})"
        return msgspec.structs.replace(blank, answer=text, cut=close.cut)
    least = policy.wide_people if EVERYWHERE <= atlas.level(place) <= REGION else policy.suspected_people
    return _figures(blank, rows, close, policy, _run(place, keyword, cases, atlas), least)


def _figures(
    blank: WhyNot, rows: list[tuple[int, list[float]]], close: Remembered, policy: Policy, run: Case | None, least: int
) -> WhyNot:
    people = round(sum(figures[0] for _, figures in rows))
    _, _, each, upper, p = rows[-1][1]
    usual = each * max(1.0, policy.span(HOUR_SECONDS, 1) / close.seconds)
    needed = max(
        least,
        people_under(close.cut, usual, each, upper),
    )
    gates = run.why if run is not None else ()
    stopped = next((gate for gate in gates if not gate.passed and gate.gate not in ("persistence", "channels")), None)
    budget = f"budget {policy.budget_per_week:g} a week"
    figures = f"{people} people, the cut then was {needed} (usual {usual_number(usual)}, p = {p:.1g}; {budget})"
    if p <= close.cut and stopped is not None:
        figures = f"{stopped.text} ({people} people, usual {usual_number(usual)}, p = {p:.1g}; {budget})"
    cut_gate = Gate("cut", p <= close.cut, f"p = {p:.1g}, the cut is {close.cut:.1g} ({budget})")
    people_gate = Gate("people", people >= needed, f"{people} people in the hour up to then, {needed} needed")
    return msgspec.structs.replace(
        blank,
        answer=f"Not opened: {figures}",
        people=people,
        expected=round(usual, 3),
        p_value=p,
        cut=close.cut,
        cut_people=needed,
        gates=gates or (cut_gate, people_gate),
    )


def people_under(cut: float, usual: float, each: float, upper: float) -> int:
    """The fewest people with p at or under the cut, where so many are usual; over-dispersion as in one window's band."""
    usual = max(usual, 1e-6)
    factor = min(max(1.0, ((upper - each) / 1.96) ** 2 / max(each, 1e-9)), 10.0)
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


def _run(place: int, keyword: int, cases: list[Case], atlas: Atlas) -> Case | None:
    """The case that was watched for this place and keyword and told to nobody."""
    return next((c for c in cases if not c.told and c.place == place and keyword in (*c.keywords, c.main)), None)
