"""A case: what ALERT knows of one possible incident, from the first unusual window until nobody would reopen it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from typing import Literal

import msgspec

from alerting.model import MAX_CHANNELS, Control, Gate, Incident, LatePeople, Similar, iso
from alerting.places_and_keywords import ANY, Atlas
from alerting.tracks import STRIDE

CaseState = Literal["run", "signal", "suspected", "confirmed", "resolved"]
RANK: dict[str, int] = {"run": 0, "signal": 1, "suspected": 2, "confirmed": 3}
UNSILENCED = "unsilenced"  # reason of the revision with which a silence ends while it still goes on
MOST_TERMS = 200
MOST_SECONDS = 480
MOST_SIMILAR = 3
LATE = "late"  # reason of the revision with which late data corrects it
UNNAMED = "unnamed"  # mark of what no keyword stands for: its terms say what it is


class Pulse(msgspec.Struct, array_like=True):
    """One window of the measured series."""

    start: int
    voices: float
    expected: float
    spread: float


class LateCount(msgspec.Struct, array_like=True):
    """What came late of one series, or of several whose people do not overlap."""

    people: float = 0.0
    messages: float = 0.0
    channels: list[float] = msgspec.field(default_factory=lambda: [0.0] * MAX_CHANNELS)


class Case(msgspec.Struct):
    """Mutable. A `run` is unusual and watched, told to nobody; from `signal` on each change gives a revision."""

    place: int
    keywords: list[int]  # tight ones, strongest first
    main: int  # the keyword whose people are counted
    onset: float
    measured: list[int]  # keys of the series whose people are those of the incident; their people do not overlap
    tight: list[int]  # keys
    held: list[int]  # keys of all unusual series it explains
    settled: list[int] = []  # keys of its series that the detector gave a new level: they were steady for days
    state: CaseState = "run"
    tier: CaseState = "run"  # the highest reached
    id: str = ""
    revision: int = 0
    drill: bool = False
    opened_at: float | None = None
    suspected_at: float | None = None
    confirmed_at: float | None = None
    resolved_at: float | None = None
    parts: dict[int, float] = {}  # contributing places, with their people
    wide: bool = False  # a region or wider
    widened: bool = False  # its scope grew: it does not shrink again, or it would be told now so, now so
    people: float = 0.0
    messages: float = 0.0
    expected: float = 0.0
    channels: list[float] = []
    p_now: float = 1.0
    p_found: float = 1.0  # the smallest among the series it explains, at the last close that showed it
    p_lowest: float = 1.0
    pulses: list[Pulse] = []
    peak: int = 0
    last_high: float = 0.0  # end of the last window in which it still went on
    last_unusual: float = 0.0
    streak: int = 0  # closes running under the cut
    at_cut: tuple[float, float] = (0.0, 0.0)  # people and expected when that began
    told_people: float = 0.0
    told_parts: list[int] = []
    told_place: int = -1
    told_at: float = float("-inf")
    merged_into: str | None = None
    learnt: bool = False  # its lowest p-value has been counted among the quiet runs
    marks: list[str] = []
    seconds: list[int] = []
    terms: dict[str, int] = {}
    examples: list[str] = []
    copies: int = 0
    why: tuple[Gate, ...] = ()
    acts: list[Control] = []
    silences: dict[str, float] = {}  # control id -> until
    unanswered: int = 0  # of the budget, when last told
    budget_per_week: float = 0.0
    similar: tuple[Similar, ...] = ()  # when last told
    late: dict[int, LateCount] = {}  # by key; beside `people`, which decides
    late_pulses: list[tuple[int, float]] = []  # starts of windows, and who came late in them
    late_untold: LatePeople | None = None
    late_told_at: float = float("-inf")
    latest: Incident | None = None  # as last told

    @property
    def unnamed(self) -> bool:
        return UNNAMED in self.marks

    @property
    def told(self) -> bool:
        return self.revision > 0

    @property
    def open(self) -> bool:
        return self.state in ("signal", "suspected", "confirmed")

    @property
    def came_late(self) -> LateCount:
        """Of the series whose people are counted."""
        found = [self.late[key] for key in self.measured if key in self.late]
        channels = [sum(one.channels[c] for one in found) for c in range(MAX_CHANNELS)]
        return LateCount(sum(one.people for one in found), sum(one.messages for one in found), channels)

    def late_of(self, place: int) -> float:
        """People who came late at a contributing place."""
        found = self.late.get(place * STRIDE + self.main)
        return 0.0 if found is None else found.people

    def act(self, kind: str) -> Control | None:
        """The newest act of a kind that still stands."""
        return next((act for act in reversed(self.acts) if act.kind == kind), None)

    def silenced_until(self, now: float) -> float | None:
        """Until when nobody is to be told; None when not silenced."""
        snooze = self.act("snooze")
        ends = [until for until in self.silences.values() if until > now]
        if snooze is not None and snooze.until is not None and snooze.until > now:
            ends.append(snooze.until)
        return max(ends, default=None)

    def silence_ended(self, now: float) -> bool:
        """Whether it was last told as silenced, and is so no longer."""
        told = self.latest is not None and self.latest.silenced_until is not None
        return told and self.silenced_until(now) is None


def identity(case: Case, atlas: Atlas, taken: Collection[str] = ()) -> str:
    """Hash of scope, keywords and onset; another case may look back to the same onset, then it is one of its opening too."""
    keywords = sorted(atlas.keywords.id(keyword) for keyword in case.keywords)
    text = "\0".join((atlas.places.id(case.place), *keywords, iso(case.onset), "drill" if case.drill else ""))
    text += "\0".join(("", UNNAMED, *strongest(case))) if case.unnamed else ""
    while (found := hashlib.blake2b(text.encode(), digest_size=8).hexdigest()) in taken:
        text += f"\0{case.opened_at}"
    return found


def title(case: Case, atlas: Atlas) -> str:
    """What and where: "baggage at JFK Terminal 4"."""
    what = atlas.keywords.name(case.main if case.main != ANY else case.keywords[0])
    what = ", ".join(strongest(case)[:3]) if case.unnamed else what
    others = len(atlas.problems(case.keywords)) - 1 if case.main == ANY and not case.unnamed else 0
    if others > 0:
        what += f" and {others} more problem{'s' if others > 1 else ''}"
    level = atlas.places.level(case.place)
    if level == "nowhere":
        return f"{what}, place unknown"
    if level == "everywhere":
        return f"{what}, everywhere"
    outside = [
        p
        for p in parts_of(case, atlas)
        if not atlas.place_related(p, case.place) and atlas.places.level(p) != "nowhere"
    ]
    more = f" and {len(outside)} more place{'s' if len(outside) > 1 else ''}" if outside else ""
    return f"{what} at {atlas.places.name(case.place)}{more}"


def strongest(case: Case) -> list[str]:
    """Its terms, of most people first."""
    return sorted(case.terms, key=lambda term: (-case.terms[term], term))


def parts_of(case: Case, atlas: Atlas) -> list[int]:
    """Contributing places, those left out that only contain others, most people first."""
    containing: set[int] = set()
    for place in case.parts:
        containing.update(atlas.trees.above(place)[1:])
    return sorted((place for place in case.parts if place not in containing), key=lambda p: (-case.parts[p], p))


def incident(case: Case, atlas: Atlas, channels: tuple[str, ...], now: float, reason: str) -> Incident:
    """The next revision of a case, which has its id."""
    case.revision += 1
    assert case.opened_at is not None
    assert case.state != "run"
    late = case.came_late
    people = round(case.people + late.people)
    counted = [n + more for n, more in zip(case.channels, late.channels, strict=False)]
    by_channel = {channels[c]: round(n) for c, n in enumerate(counted) if round(n) and c < len(channels)}
    terms = [(term, case.terms[term]) for term in strongest(case)[:8]]
    ack, assign, verdict, promote = map(case.act, ("ack", "assign", "feedback", "promote"))
    case.latest = Incident(
        id=case.id,
        revision=case.revision,
        state=case.state,
        onset=case.onset,
        opened_at=case.opened_at,
        suspected_at=case.suspected_at,
        confirmed_at=case.confirmed_at,
        resolved_at=case.resolved_at,
        updated_at=now,
        drill=case.drill,
        marks=tuple(case.marks),
        scope=atlas.scope(case.place),
        places=tuple(
            atlas.part(place, round(case.parts[place] + case.late_of(place))) for place in parts_of(case, atlas)
        ),
        keywords=tuple(atlas.keywords.id(keyword) for keyword in case.keywords),
        title=title(case, atlas),
        people=people,
        messages=round(case.messages + late.messages),
        expected=round(case.expected, 3),
        factor=round((case.people + late.people) / max(case.expected, 0.1), 2),
        p_value=case.p_lowest,
        trend=trend(case),
        peak=case.peak,
        channels=by_channel,
        terms=tuple(terms),
        examples=tuple(case.examples),
        why=case.why,
        reason=reason,
        merged_into=case.merged_into,
        acked_by=None if ack is None else ack.author,
        assigned_to=None if assign is None else assign.value,
        verdict=None if verdict is None else verdict.value,
        promoted_to=None if promote is None else promote.keywords[0],
        silenced_until=case.silenced_until(now),
        team=said_of(case, atlas.keywords.team, atlas),
        runbook_url=said_of(case, atlas.keywords.runbook_url, atlas),
        first_question=said_of(case, atlas.keywords.first_question, atlas),
        unanswered=case.unanswered,
        budget_per_week=case.budget_per_week,
        similar=case.similar,
        late=case.late_untold if reason == LATE else None,
    )
    return case.latest


def said_of(case: Case, of: Callable[[int], str | None], atlas: Atlas) -> str | None:
    """What a pack says of the keyword counted or, where that is any, of the strongest; of the nearest above that says something."""
    keyword = case.main if case.main != ANY else case.keywords[0]
    return next((said for node in atlas.trees.keywords_above(keyword) if (said := of(node)) is not None), None)


def similar_to(case: Case, earlier: Iterable[Case], atlas: Atlas) -> tuple[Similar, ...]:
    """What was suspected before at places one in the other, of related problems, and is over; the newest first."""
    topics = atlas.topics(case.keywords)
    found = [
        one
        for one in earlier
        if one.suspected_at is not None
        and one.resolved_at is not None
        and one.merged_into is None
        and one.onset < case.onset
        and one.unnamed == case.unnamed
        and not (case.unnamed and case.terms.keys().isdisjoint(one.terms))
        and (atlas.spot(one.place) == atlas.spot(case.place) or atlas.place_related(one.place, case.place))
        and atlas.trees.related(topics, atlas.topics(one.keywords))
    ]
    found.sort(key=lambda one: (-one.onset, one.id))
    return tuple(
        Similar(one.id, title(one, atlas), one.onset, one.resolved_at or 0.0, one.peak, act.value if act else None)
        for one in found[:MOST_SIMILAR]
        for act in [one.act("feedback")]
    )


def trend(case: Case) -> Literal["rising", "steady", "falling"]:
    """The last quarter of an hour (two windows at least) against the one before."""
    if len(case.pulses) < 2:
        return "rising"
    each = case.pulses[-1].start - case.pulses[-2].start
    count = max(1, min(round(900 / max(each, 1)), len(case.pulses) // 2))
    now = sum(pulse.voices for pulse in case.pulses[-count:])
    before = sum(pulse.voices for pulse in case.pulses[-2 * count : -count])
    if now >= 1.25 * before + 1:
        return "rising"
    return "falling" if now <= 0.75 * before - 1 else "steady"


def key_place(key: int) -> int:
    return key // STRIDE


def key_keyword(key: int) -> int:
    return key % STRIDE
