"""Which case a disruption found by the scan belongs to, and what the case then covers."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import NamedTuple

from alerting.case import RANK, Case
from alerting.measuring import excesses, measure
from alerting.places_and_keywords import ANY, Atlas
from alerting.policy import Policy
from alerting.rescoping import rescoped
from alerting.tracks import Tracks, keys_of
from detectors.places_together import OVERLAP
from detectors.scan import CITY, COUNTRY, EVERYWHERE, NOWHERE, REGION, Found, Series

WIDE = frozenset({NOWHERE, EVERYWHERE, COUNTRY})  # levels
SHARE_TO_WIDEN = 0.25  # of a country's excess, for its incident to be this one grown
MOST_KEYWORDS = 50
MOST_HELD = 4000


class Scene:
    """What a close shows: the series looked at, all that are tracked, and the cases there are."""

    def __init__(self, series: Series, tracks: Tracks, atlas: Atlas, policy: Policy, cases: list[Case]) -> None:
        self.series, self.tracks, self.atlas, self.policy, self.cases = series, tracks, atlas, policy, cases
        self.keys = keys_of(series.place, series.keyword)
        self.place: list[int] = series.place.tolist()
        self.people: list[float] = series.people.tolist()
        self._standing: dict[int, Standing] = {}
        self._measured: dict[int, tuple[int, list[int], int]] = {}

    def standing(self, case: Case) -> Standing:
        """What is asked of a case for each disruption, until it takes one in."""
        known = self._standing.get(id(case))
        if known is None:
            known = self._standing[id(case)] = Standing(case, self.atlas)
        return known

    def measure(self, case: Case) -> None:
        """The case has taken a disruption in: measure it, unless it was at this close and covers the same as then."""
        self._standing.pop(id(case), None)
        covers = case.place, case.keywords, len(case.tight)
        if case.told and self._measured.get(id(case)) == covers:
            return
        measure(case, self.tracks, self.atlas)
        self._measured[id(case)] = case.place, case.keywords, len(case.tight)


class Standing:
    """A case as the disruptions of one close meet it."""

    def __init__(self, case: Case, atlas: Atlas) -> None:
        self._case, self._atlas = case, atlas
        self.topics = atlas.topics(case.keywords)

    @cached_property
    def holding(self) -> frozenset[int]:
        """Places that are or contain one of its parts; parts wider than a region left out."""
        above, level = self._atlas.trees.above, self._atlas.level
        return frozenset(chain.from_iterable(above(part) for part in self._case.parts if level(part) >= REGION))


class Shown(NamedTuple):
    """A disruption, with what is asked of it for every case."""

    found: Found
    keys: frozenset[int]  # of its tight series
    keywords: list[int]
    topics: frozenset[int]
    onset: float
    excess: float
    strongest: float  # excess of the series that has most


def shown(found: Found, scene: Scene) -> Shown:
    """Look at a disruption once, for all cases."""
    series, tight = scene.series, found.tight
    keywords: list[int] = series.keyword[tight].tolist()
    excess: list[float] = (series.people[tight] - series.expected[tight]).tolist()
    return Shown(
        found,
        frozenset(scene.keys[tight].tolist()),
        keywords,
        scene.atlas.topics(keywords),
        float(series.onset[tight[0]]),
        sum(excess),
        max(excess),
    )


def belongs(case: Case, one: Shown, scene: Scene) -> bool:
    """Whether a disruption is part of a case: one that is over only takes in what shows in its very series."""
    return _is_part(case, one, scene) and (case.state != "resolved" or not one.keys.isdisjoint(case.tight))


def _is_part(case: Case, one: Shown, scene: Scene) -> bool:
    """Places one in the other and keywords related, or one site at one time."""
    atlas, place = scene.atlas, one.found.place
    known = scene.standing(case)
    related = atlas.trees.related(one.topics, known.topics)
    together = abs(one.onset - case.onset) <= scene.policy.coincide or one.onset <= case.onset
    if same_spot(place, case.place, atlas):
        return related or together or _same_people(case, one, scene.tracks)
    if not related:
        return False
    level, case_level = atlas.level(place), atlas.level(case.place)
    if NOWHERE in (level, case_level):
        return together or place in case.parts
    own_excess = case.people - case.expected
    if atlas.lies_in(place, case.place):
        # Trouble of a whole country or state does not swallow what is greater, or breaks later in one of its towns.
        small = one.excess <= own_excess and case_level >= REGION
        return (case.open and (together or small)) or case.state in ("run", "signal") or case_level >= CITY
    if atlas.lies_in(case.place, place):
        return level >= REGION or own_excess >= SHARE_TO_WIDEN * one.excess
    inside = any(above in case.parts and atlas.level(above) >= REGION for above in atlas.trees.above(place))
    return inside or place in known.holding


def same_spot(one: int, other: int, atlas: Atlas) -> bool:
    """Whether two places are one to those who answer: the same, one airport, or both wider than a region and one in the other."""
    if atlas.spot(one) == atlas.spot(other):
        return True
    levels = {atlas.level(one), atlas.level(other)}
    return levels <= WIDE and EVERYWHERE in levels


def _same_people(case: Case, one: Shown, tracks: Tracks) -> bool:
    """Whether those of an open incident and of a disruption at its place, of other problems, are largely the same people."""
    if not case.told or not case.open:
        return False
    at = one.found.place
    anybody, those = excesses(tracks, keys_of([at, at], [ANY, case.main])).tolist()
    return bool(0 < anybody < OVERLAP * (those + one.strongest))


def closeness(case: Case, one: Shown, scene: Scene) -> tuple[bool, bool, bool, bool, int, float, str]:
    """Sorts the cases a disruption belongs to: one told at its spot, one whose very series it shows, then the tightest, the oldest."""
    here = same_spot(one.found.place, case.place, scene.atlas)
    shared = not one.keys.isdisjoint(case.tight)
    depth = len(scene.atlas.trees.above(case.place))
    return (
        not (here and case.told),
        not (shared and case.told),
        not case.told,
        not shared,
        -depth,
        case.onset,
        case.id,
    )


def new_case(one: Shown, scene: Scene, now: float) -> Case:
    """A run, watched from now on."""
    onset = float(scene.series.onset[one.found.tight].min())
    case = Case(one.found.place, [], ANY, onset, [], [], [], last_high=now)
    absorb(case, one, scene)
    return case


def absorb(case: Case, one: Shown, scene: Scene) -> None:
    """Take a disruption in: keywords, places, a wider scope where the old one no longer holds it; measured anew."""
    series, atlas, found = scene.series, scene.atlas, one.found
    tight = scene.keys[found.tight].tolist()
    if case.state in ("run", "signal"):
        case.place, known = found.place, [] if case.state == "run" else case.keywords
        case.keywords = _named([*one.keywords, *known])
        case.tight = tight if case.state == "run" else _merged(case.tight, tight)
    else:
        place = rescoped(case, one, scene)
        case.widened |= place != case.place and atlas.lies_in(case.place, place)
        case.place = place
        case.keywords = _named([*case.keywords, *one.keywords])
        case.tight = _merged(case.tight, tight)
    _leave_out_spilled(case, found, scene)
    case.p_found = min(case.p_found, float(series.p_value[found.inside].min(initial=1.0)))
    case.held = _merged(case.held, scene.keys[found.inside].tolist())[-MOST_HELD:]
    _take_parts(case, found, scene)
    scene.measure(case)


def _leave_out_spilled(case: Case, found: Found, scene: Scene) -> None:
    """A subject that was taken for failing too, while few had complained, is not named any more."""
    if found.spilled:
        gone = set(scene.keys[found.spilled].tolist())
        case.tight = [key for key in case.tight if key not in gone]
        words = set(scene.series.keyword[found.spilled].tolist())
        case.keywords = _named([keyword for keyword in case.keywords if keyword not in words])


def _take_parts(case: Case, found: Found, scene: Scene) -> None:
    """Places of the disruption, but for those that contain the case and those of another incident that does not."""
    above, own = scene.atlas.trees.above, set(scene.atlas.trees.above(case.place))
    others = {one.place for one in scene.cases if one.told and one.open and one is not case} - own
    for i in found.inside:
        place = scene.place[i]
        if place not in own and others.isdisjoint(above(place)):
            case.parts[place] = max(case.parts.get(place, 0.0), scene.people[i])


def united(cases: list[Case], tracks: Tracks, atlas: Atlas, coincide_seconds: float) -> list[tuple[Case, Case]]:
    """Cases that have come to the spot of another told one and are about the same: (gone, kept) pairs, the kept brought up to date.

    The one that went further stays, of equals the older; a run yields also to what rose when it did.
    """
    pairs: list[tuple[Case, Case]] = []
    ranked = sorted(cases, key=lambda case: (not case.told, -RANK[case.tier], case.suspected_at or case.onset, case.id))
    kept: dict[int, list[Case]] = {}  # by spot, all that are wider than a region together
    topics: dict[int, frozenset[int]] = {}  # of those kept
    for case in ranked:
        own = atlas.topics(case.keywords)
        here = kept.setdefault(-1 if atlas.level(case.place) in WIDE else atlas.spot(case.place), [])
        for known in here:
            if not same_spot(known.place, case.place, atlas):
                continue
            related = atlas.trees.related(own, topics[id(known)])
            if related or (not case.told and abs(known.onset - case.onset) <= coincide_seconds):
                _take_over(known, case, tracks, atlas)
                topics[id(known)] = atlas.topics(known.keywords)
                pairs.append((case, known))
                break
        else:
            if case.told and case.open:
                here.append(case)
                topics[id(case)] = own
    return pairs


def _take_over(known: Case, case: Case, tracks: Tracks, atlas: Atlas) -> None:
    known.keywords = _named([*known.keywords, *case.keywords])
    known.tight = _merged(known.tight, case.tight)
    known.held = _merged(known.held, case.held)[-MOST_HELD:]
    elsewhere = {} if atlas.lies_in(case.place, known.place) else {case.place: case.people}
    for place, people in (case.parts | elsewhere).items() if case.told else ():
        known.parts[place] = max(known.parts.get(place, 0.0), people)
    known.p_found = min(known.p_found, case.p_found)
    measure(known, tracks, atlas)


def _named(keywords: list[int]) -> list[int]:
    """Each once, and the root only where there is nothing tighter."""
    named = [keyword for keyword in dict.fromkeys(keywords) if keyword != ANY]
    return named[:MOST_KEYWORDS] or [ANY]


def _merged(old: list[int], new: list[int]) -> list[int]:
    return list(dict.fromkeys([*old, *new]))


__all__ = ["Scene", "absorb", "belongs", "closeness", "new_case", "shown", "united"]
