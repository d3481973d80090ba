"""Unnamed incidents: words nobody listens for that several people begin to say at a place, told as an incident until someone names it.

They go from signal to resolved as others do, by gates of their own: the people are counted by the word that most of them say.
Words that rise nowhere in particular are the talk of the day more often than trouble, and nobody could be sent anywhere: a signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from alerting.case import RANK, UNNAMED, Case, Pulse
from alerting.evidence import count_channels, quote
from alerting.gates import LEARNING, usual_number
from alerting.joining import same_spot
from alerting.model import Close, Evidence, Gate, Rising
from alerting.places_and_keywords import ANY, Atlas
from alerting.policy import Policy
from detectors.scan import EVERYWHERE, REGION

Heard = Iterable[tuple[int, Mapping[tuple[int, int], Evidence]]]
HOLDS = 0.6  # of the people who say a word
MOST_WORDS = 8
MOST_PULSES = 400
LATER_PEOPLE = 2  # beyond those it was suspected with, for it to be confirmed


class News(NamedTuple):
    """A case with a new revision, and why."""

    case: Case
    reason: str
    newly_suspected: bool = False


class Unnamed:
    """The unnamed cases; `step` once a close, after the named ones were brought up to date."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.cases: list[Case] = []

    @property
    def open(self) -> bool:
        """Whether one goes on: every window is closed then, silent ones too."""
        return any(case.open for case in self.cases)

    def step(self, close: Close, named: Sequence[Case], atlas: Atlas, heard_lately: Heard) -> list[News]:
        """What this close changes. `named`: the cases of keywords; `heard_lately`: evidence of the last while, this close's included."""
        news: list[News] = []
        heard: dict[int, Rising] = {}  # by position of the case
        for rising in close.rising:
            if self._explained(rising.place, rising.since, _words(rising), named, atlas) is None:
                home = self._find(rising, atlas)
                if home is None and not _watched(rising, named, atlas):
                    home = self._begin(rising, close, atlas)
                if home is not None:
                    heard.setdefault(home, rising)
        for number, case in enumerate(self.cases):
            found = heard.get(number)
            known = case.suspected_at
            reason = (
                self._go_on(case, found, close, atlas, heard_lately)
                if found is not None
                else self._end(case, close, named, atlas)
            )
            if reason is not None:
                news.append(News(case, reason, known is None and case.suspected_at is not None))
        return news

    def over(self, now: float) -> list[Case]:
        """Hand out those too old to begin anew."""
        gone = [one for one in self.cases if one.resolved_at is not None and now - one.resolved_at > self.policy.reopen]
        self.cases = [one for one in self.cases if not any(one is other for other in gone)]
        return gone

    def _find(self, rising: Rising, atlas: Atlas) -> int | None:
        """The position of the case it belongs to: one of its place that is open, or had one of its words."""
        words = _words(rising)
        for number, case in enumerate(self.cases):
            here = same_spot(case.place, rising.place, atlas) or (
                atlas.place_related(case.place, rising.place)
                and min(atlas.level(case.place), atlas.level(rising.place)) > REGION
            )
            if (here and case.open) or (
                not words.isdisjoint(_words_of(case)) and atlas.place_related(case.place, rising.place)
            ):
                return number
        return None

    def _begin(self, rising: Rising, close: Close, atlas: Atlas) -> int:
        case = Case(rising.place, [ANY], ANY, rising.since, [], [], [])
        case.marks, case.drill = [UNNAMED], close.drill
        case.wide = EVERYWHERE <= atlas.level(case.place) <= REGION
        self.cases.append(case)
        return len(self.cases) - 1

    def _quote(self, case: Case, close: Close, atlas: Atlas, heard_lately: Heard) -> None:
        """What else is known of those who say its words."""
        if case.state == "run":
            for _, earlier in heard_lately:
                quote(case, earlier, atlas)
        if close.evidence:
            count_channels(case, close, quote(case, close.evidence, atlas))

    def _go_on(self, case: Case, rising: Rising, close: Close, atlas: Atlas, heard_lately: Heard) -> str | None:
        people, expected = max((people, expected) for _, people, expected in rising.terms)
        if people >= case.people:
            case.people, case.messages, case.expected = float(people), float(people), expected
        case.terms = dict(
            sorted({**case.terms, **_counts(rising, case)}.items(), key=lambda one: (-one[1], one[0]))[:MOST_WORDS]
        )
        self._quote(case, close, atlas, heard_lately)
        case.peak = max(case.peak, people)
        case.p_now, case.p_lowest = rising.p_value, min(case.p_lowest, rising.p_value)
        case.last_high = case.last_unusual = float(close.start + close.seconds)
        case.parts = {case.place: float(people)}
        case.pulses = [*case.pulses[-MOST_PULSES:], Pulse(close.start, float(people), expected, expected)]
        reason = self._promote(case, rising, people, close, placed=atlas.level(case.place) > EVERYWHERE)
        return reason or self._growth(case, close)

    def _promote(self, case: Case, rising: Rising, people: int, close: Close, *, placed: bool) -> str | None:
        before, policy = case.state, self.policy
        needed = policy.wide_people if case.wide else policy.suspected_people
        enough = people >= needed
        later = people - case.at_cut[0]
        lasting = case.suspected_at is not None and later >= LATER_PEOPLE
        why = [_said(*one) for one in rising.terms[:3]]
        why.append(Gate("people", enough, f"{people} people, {needed} needed"))
        if not placed:
            why.append(
                Gate("place", False, "no one place shares the words: talk of the day, until a keyword stands for it")
            )
        if close.learning:
            why.append(LEARNING)
        told = (
            f"{later:.0f} more people since it was suspected" if case.suspected_at is not None else "not suspected yet"
        )
        why.append(Gate("persistence", lasting, f"{told}, {LATER_PEOPLE} needed"))
        if before == "resolved":
            case.state, case.resolved_at, case.merged_into = case.tier, None, None
        elif before == "run":
            case.state, case.opened_at = "signal", close.decided
        if case.state == "signal" and enough and placed and not close.learning:
            case.state, case.suspected_at = "suspected", case.suspected_at or close.decided
            case.at_cut = (float(people), rising.terms[0][2])
        elif case.state == "suspected" and lasting and people >= max(needed, policy.confirmed_people):
            case.state, case.confirmed_at = "confirmed", close.decided
        if case.state == before:
            return None
        case.why = tuple(why)
        case.tier = max(case.tier, case.state, key=lambda state: RANK[state])
        return "reopened" if before == "resolved" else "opened" if case.state == "signal" else case.state

    def _growth(self, case: Case, close: Close) -> str | None:
        quiet = (
            case.state not in ("suspected", "confirmed")
            or close.decided - case.told_at < self.policy.growth_pause_seconds
        )
        return None if quiet or case.people < self.policy.growth_factor * max(case.told_people, 1.0) else "grew"

    def _explained(
        self, place: int, since: float, words: frozenset[str], named: Iterable[Case], atlas: Atlas
    ) -> Case | None:
        """The open incident of a keyword there that began at that time, or whose people use these words."""
        for case in named:
            known = case.told and case.open and _there(case, place, atlas)
            near = abs(case.onset - since) <= self.policy.coincide
            if known and (near or not words.isdisjoint(case.terms)):
                return case
        return None

    def _end(self, case: Case, close: Close, named: Sequence[Case], atlas: Atlas) -> str | None:
        """Over: the words are not unusual any more, an hour after most were said; or an incident of a keyword tells of the same."""
        if not case.open:
            return None
        case.state, case.resolved_at = "resolved", close.decided
        other = self._explained(case.place, case.onset, _words_of(case), named, atlas)
        case.merged_into = None if other is None else other.id
        return "resolved" if other is None else "merged"


def _watched(rising: Rising, named: Iterable[Case], atlas: Atlas) -> bool:
    """Whether as many people of a keyword are already watched there, though nobody was told yet: those have a name."""
    most = max(people for _, people, _ in rising.terms)
    return any(one.state == "run" and one.people >= HOLDS * most and _there(one, rising.place, atlas) for one in named)


def _there(case: Case, place: int, atlas: Atlas) -> bool:
    return any(same_spot(one, place, atlas) or atlas.place_related(one, place) for one in (case.place, *case.parts))


def _counts(rising: Rising, case: Case) -> dict[str, int]:
    return {term: max(people, case.terms.get(term, 0)) for term, people, _ in rising.terms}


def _words(rising: Rising) -> frozenset[str]:
    return frozenset(word for term, _, _ in rising.terms for word in term.split())


def _words_of(case: Case) -> frozenset[str]:
    return frozenset(word for term in case.terms for word in term.split())


def _said(term: str, people: int, expected: float) -> Gate:
    return Gate("words", True, f"{people} people wrote “{term}” in the last hour, usually {usual_number(expected)}")
