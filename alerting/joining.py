"""Which case a disruption found by the scan belongs to, and what the case then covers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alerting.case import RANK, Case, key_keyword, key_place
from alerting.places_and_keywords import ANY, Atlas
from alerting.policy import Policy
from alerting.tracks import HOUR, HOUR_EXPECTED, ONSET, PEOPLE, STRIDE, Tracks, keys_of
from detectors.places_together import OVERLAP
from detectors.scan import AIRPORT, CITY, COUNTRY, EVERYWHERE, HOLDS, NOWHERE, REGION, Found, Series, poisson_tail

SHARE_TO_WIDEN = 0.25  # of a country's excess, for its incident to be this one grown
MOST_KEYWORDS = 50
MOST_HELD = 4000
NEARLY_ALL = 0.9
SEVERAL_PROBLEMS = 1.5  # all people together over those of the commonest problem
BEYOND_P = 1e-3  # people outside an incident's place are more than chance, for it to be told as a wider one's


class Scene(NamedTuple):
    """What a close shows: the series looked at, all that are tracked, and the cases there are."""

    series: Series
    tracks: Tracks
    atlas: Atlas
    policy: Policy
    cases: list[Case]


def belongs(case: Case, found: Found, scene: Scene) -> bool:
    """Whether a disruption is part of a case: places one in the other and keywords related, or one site at one time."""
    series, atlas, policy = scene.series, scene.atlas, scene.policy
    keywords = [int(series.keyword[i]) for i in found.tight]
    related = atlas.trees.related(atlas.topics(keywords), atlas.topics(case.keywords))
    onset = float(series.onset[found.tight[0]])
    together = abs(onset - case.onset) <= policy.coincide or onset <= case.onset
    level, case_level = atlas.level(found.place), atlas.level(case.place)
    if case.state == "resolved" and not _shared(case, found, series):
        return False
    if same_spot(found.place, case.place, atlas):
        return related or together or _same_people(case, found, series, scene.tracks)
    if not related:
        return False
    if NOWHERE in (level, case_level):
        return together or found.place in case.parts
    excess = sum(float(series.people[i] - series.expected[i]) for i in found.tight)
    own_excess = case.people - case.expected
    if atlas.lies_in(found.place, case.place):
        # Trouble of a whole country or state does not swallow what is greater, or breaks later in one of its towns.
        small = excess <= own_excess and case_level >= REGION
        return (case.open and (together or small)) or case.state in ("run", "signal") or case_level >= CITY
    if atlas.lies_in(case.place, found.place):
        return level >= REGION or own_excess >= SHARE_TO_WIDEN * excess
    return any(atlas.place_related(found.place, part) for part in case.parts if atlas.level(part) >= REGION)


def _shared(case: Case, found: Found, series: Series) -> bool:
    """Whether a disruption shows in one of the case's very series."""
    return not set(keys_of(series.place[found.tight], series.keyword[found.tight]).tolist()).isdisjoint(case.tight)


def same_spot(one: int, other: int, atlas: Atlas) -> bool:
    """Whether two places are one to those who answer: the same, one airport, or both wider than a region and one in the other."""
    if one == other:
        return True
    levels = {atlas.level(one), atlas.level(other)}
    if levels <= {NOWHERE, EVERYWHERE, COUNTRY}:
        return EVERYWHERE in levels
    return _site(one, atlas) == _site(other, atlas) is not None


def _same_people(case: Case, found: Found, series: Series, tracks: Tracks) -> bool:
    """Whether those of an open incident and of a disruption at its place, of other problems, are largely the same people."""
    if not case.told or not case.open:
        return False
    anybody, those = _excesses(tracks, [found.place * STRIDE + ANY, found.place * STRIDE + case.main])
    others = max(float(series.people[i] - series.expected[i]) for i in found.tight)
    return 0 < anybody < OVERLAP * (those + others)


def closeness(case: Case, found: Found, scene: Scene) -> tuple[bool, bool, bool, bool, int, float, str]:
    """Sorts the cases a disruption belongs to: one told at its spot, one whose very series it shows, then the tightest, the oldest."""
    here = same_spot(found.place, case.place, scene.atlas)
    shared = _shared(case, found, scene.series)
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


def _site(place: int, atlas: Atlas) -> int | None:
    """The airport or spot a place lies in or is; None for cities and wider."""
    sites = [above for above in atlas.trees.above(place) if atlas.level(above) >= AIRPORT]
    return sites[-1] if sites else None


def new_case(found: Found, scene: Scene, now: float) -> Case:
    """A run, watched from now on."""
    onset = min(float(scene.series.onset[i]) for i in found.tight)
    case = Case(found.place, [], ANY, onset, [], [], [], last_high=now)
    absorb(case, found, scene)
    return case


def absorb(case: Case, found: Found, scene: Scene) -> None:
    """Take a disruption in: keywords, places, a wider scope where the old one no longer holds it."""
    series, tracks, atlas = scene.series, scene.tracks, scene.atlas
    keys = keys_of(series.place, series.keyword)
    keywords = [int(series.keyword[i]) for i in found.tight]
    if case.state in ("run", "signal"):
        case.place, known = found.place, [] if case.state == "run" else case.keywords
        case.keywords = _named([*keywords, *known])
        case.tight = keys[found.tight].tolist() if case.state == "run" else _merged(case.tight, keys[found.tight])
    else:
        place = _rescoped(case, found, scene)
        case.widened |= place != case.place and atlas.lies_in(case.place, place)
        case.place = place
        case.keywords = _named([*case.keywords, *keywords])
        case.tight = _merged(case.tight, keys[found.tight])
    case.p_found = min(case.p_found, float(series.p_value[found.inside].min(initial=1.0)))
    case.held = _merged(case.held, keys[found.inside])[-MOST_HELD:]
    others = [one.place for one in scene.cases if one.told and one.open and one is not case]
    for i in found.inside:
        place = int(series.place[i])
        elsewhere = any(atlas.lies_in(place, other) and not atlas.lies_in(case.place, other) for other in others)
        if place != case.place and not atlas.lies_in(case.place, place) and not elsewhere:
            case.parts[place] = max(case.parts.get(place, 0.0), float(series.people[i]))
    measure(case, tracks, atlas)


def united(cases: list[Case], tracks: Tracks, atlas: Atlas, coincide_seconds: float) -> list[tuple[Case, Case]]:
    """Cases that have come to the spot of another told one and are about the same: (gone, kept) pairs, the kept brought up to date.

    The one that went further stays, of equals the older; a run yields also to what rose when it did.
    """
    pairs: list[tuple[Case, Case]] = []
    ranked = sorted(cases, key=lambda case: (not case.told, -RANK[case.tier], case.suspected_at or case.onset, case.id))
    kept: list[Case] = []
    for case in ranked:
        own = atlas.topics(case.keywords)
        for known in kept:
            if not same_spot(known.place, case.place, atlas):
                continue
            related = atlas.trees.related(own, atlas.topics(known.keywords))
            if related or (not case.told and abs(known.onset - case.onset) <= coincide_seconds):
                _take_over(known, case, tracks, atlas)
                pairs.append((case, known))
                break
        else:
            if case.told and case.open:
                kept.append(case)
    return pairs


def _take_over(known: Case, case: Case, tracks: Tracks, atlas: Atlas) -> None:
    known.keywords = _named([*known.keywords, *case.keywords])
    known.tight = _merged(known.tight, np.asarray(case.tight, np.int64))
    known.held = _merged(known.held, np.asarray(case.held, np.int64))[-MOST_HELD:]
    elsewhere = {} if atlas.lies_in(case.place, known.place) else {case.place: case.people}
    for place, people in (case.parts | elsewhere).items() if case.told else ():
        known.parts[place] = max(known.parts.get(place, 0.0), people)
    known.p_found = min(known.p_found, case.p_found)
    measure(known, tracks, atlas)


def _named(keywords: list[int]) -> list[int]:
    """Each once, and the root only where there is nothing tighter."""
    named = [keyword for keyword in dict.fromkeys(keywords) if keyword != ANY]
    return named[:MOST_KEYWORDS] or [ANY]


def _merged(old: list[int], new: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    return list(dict.fromkeys([*old, *new.tolist()]))


def _rescoped(case: Case, found: Found, scene: Scene) -> int:
    """The tightest place that now holds case and found; the old one where that would be a place nobody means, or few people's."""
    place, series, tracks, atlas = case.place, scene.series, scene.tracks, scene.atlas
    if place == found.place or atlas.level(found.place) == NOWHERE:
        return place
    if atlas.level(place) == NOWHERE:
        return found.place
    if atlas.lies_in(place, found.place):
        return found.place if _goes_beyond(case, found, scene) else place
    if atlas.lies_in(found.place, place):
        if case.widened:
            return place
        keys = [
            int(key)
            for key in keys_of(series.place[found.tight], series.keyword[found.tight])
            if key_place(int(key)) == found.place
        ]
        return found.place if keys and _people(tracks, keys) >= max(HOLDS * case.people, 1.0) else place
    common = next((above for above in atlas.trees.above(place) if atlas.lies_in(found.place, above)), None)
    return common if common is not None and atlas.level(common) >= CITY else place


def _goes_beyond(case: Case, found: Found, scene: Scene) -> bool:
    """Whether enough people who are in no incident told yet are in it for the wider place to be told."""
    series, tracks, atlas = scene.series, scene.tracks, scene.atlas
    if atlas.level(found.place) > REGION:
        return True
    told = [one for one in scene.cases if one.told and one.open and atlas.lies_in(one.place, found.place)]
    rows = tracks.find(keys_of([one.place for one in told], [one.main for one in told]))
    known, usual = tracks.data[rows[rows >= 0]][:, [HOUR, HOUR_EXPECTED]].sum(axis=0).tolist()
    whole = [i for i in found.tight if series.place[i] == found.place]
    others = [(float(series.people[i]) - known, float(series.expected[i]) - usual) for i in whole]
    of_told = [one.place for one in told]
    apart = [i for i in found.tight if not any(atlas.place_related(int(series.place[i]), place) for place in of_told)]
    others.append((float(series.people[apart].sum()), float(series.expected[apart].sum())))
    least = scene.policy.wide_people
    return any(seen - expected >= least and poisson_tail(seen, expected) <= BEYOND_P for seen, expected in others)


def measure(case: Case, tracks: Tracks, atlas: Atlas) -> None:
    """Choose the keyword and the series whose people are the incident's: series whose people do not overlap."""
    case.main = _main(case, tracks, atlas)
    case.keywords = _by_people(case, tracks, atlas)
    case.wide = EVERYWHERE <= atlas.level(case.place) <= REGION
    depth = {key: len(atlas.trees.above(key_place(key))) for key in case.tight}
    excess = dict(zip(case.tight, _excesses(tracks, case.tight), strict=True))
    chosen: dict[int, int] = {}  # place -> key
    for key in sorted(case.tight, key=lambda key: (depth[key], -excess[key], key)):
        place = key_place(key)
        if not any(above in chosen for above in atlas.trees.above(place)):
            chosen[place] = key
    whole = case.place * STRIDE + case.main
    inside = [key for place, key in chosen.items() if atlas.lies_in(place, case.place)]
    outside = [key for place, key in chosen.items() if not atlas.lies_in(place, case.place)]
    outside = [key for key in outside if not atlas.lies_in(case.place, key_place(key))]
    tracked = tracks.row(case.place, case.main) >= 0
    holds = tracked and _excesses(tracks, [whole])[0] >= 0.8 * max((excess[key] for key in inside), default=0.0)
    case.measured = ([whole] if holds or not inside else inside) + outside
    rows = tracks.find(np.asarray(case.measured, np.int64))
    if case.state in ("run", "signal") and (rows >= 0).any():
        case.onset = float(tracks.data[rows[rows >= 0], ONSET].min())


def _main(case: Case, tracks: Tracks, atlas: Atlas) -> int:
    """The tightest keyword that has nearly all of the people; `*` when several different problems have them."""
    nodes = sorted(
        {above for keyword in case.keywords for above in atlas.trees.keywords_above(keyword) if above != ANY}
    )
    if not nodes:
        return ANY
    here = _excesses(tracks, [case.place * STRIDE + node for node in (ANY, *nodes)])
    at = dict(zip(nodes, here[1:], strict=True))
    for key, excess in zip(case.tight, _excesses(tracks, case.tight), strict=True):
        node = key_keyword(key)
        if key_place(key) != case.place and node in at:
            at[node] = max(at[node], excess)
    most = max(at.values())
    several = len(atlas.problems(case.keywords)) > 1
    if several and here[0] > SEVERAL_PROBLEMS * most:
        return ANY
    good = [node for node in nodes if at[node] >= NEARLY_ALL * most] or nodes  # it may have calmed down below the usual
    return max(good, key=lambda node: (len(atlas.trees.keywords_above(node)), at[node], -node))


def _by_people(case: Case, tracks: Tracks, atlas: Atlas) -> list[int]:
    """The case's keywords, those first whose problem most people have, and of one problem those that most people say."""
    tops = {keyword: max(atlas.trees.topics(keyword), default=ANY) for keyword in case.keywords}
    nodes = list(dict.fromkeys([*tops.values(), *case.keywords]))
    here = dict(zip(nodes, _excesses(tracks, [case.place * STRIDE + node for node in nodes]), strict=True))
    for key, excess in zip(case.tight, _excesses(tracks, case.tight), strict=True):
        node = key_keyword(key)
        if node in here:
            here[node] = max(here[node], excess)
    return sorted(case.keywords, key=lambda keyword: (-max(here[tops[keyword]], here[keyword]), -here[keyword]))


def _people(tracks: Tracks, keys: list[int]) -> float:
    """People since the excess began of the series that has most."""
    rows = tracks.find(np.asarray(keys, np.int64))
    return float(np.where(rows >= 0, tracks.data[rows, PEOPLE], 0.0).max(initial=0.0)) if len(tracks.key) else 0.0


def _excesses(tracks: Tracks, keys: list[int]) -> list[float]:
    """Excess of the last hour of each key's series, 0 where it is not tracked."""
    rows = tracks.find(np.asarray(keys, np.int64))
    if not len(tracks.key):
        return [0.0] * len(keys)
    excess: list[float] = np.where(rows >= 0, tracks.data[rows, HOUR] - tracks.data[rows, HOUR_EXPECTED], 0.0).tolist()
    return excess


__all__ = ["Scene", "absorb", "belongs", "measure", "new_case", "united"]
