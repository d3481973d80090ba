"""Which case a disruption found by the scan belongs to, and what the case then covers."""

from __future__ import annotations

import numpy as np

from alerting.case import Case, key_keyword, key_place
from alerting.places_and_keywords import ANY, Atlas
from alerting.policy import Policy
from alerting.tracks import EXPECTED, PEOPLE, STRIDE, Tracks, keys_of
from detectors.scan import AIRPORT, CITY, NOWHERE, REGION, Found, Series

SHARE_TO_WIDEN = 0.25  # of a country's excess, for its incident to be this one grown
MOST_KEYWORDS = 50
MOST_HELD = 4000
NEARLY_ALL = 0.9
SEVERAL_PROBLEMS = 1.5  # all people together over those of the commonest problem


def belongs(case: Case, found: Found, series: Series, atlas: Atlas, policy: Policy) -> bool:
    """Whether a disruption is part of a case: places one in the other and keywords related, or one site at one time."""
    keywords = [int(series.keyword[i]) for i in found.tight]
    topics, own = atlas.topics(keywords), atlas.topics(case.keywords)
    related = bool(topics & own) or ANY in topics | own
    onset = min(float(series.onset[i]) for i in found.tight)
    together = abs(onset - case.onset) <= policy.coincide or onset <= case.onset
    level, case_level = atlas.level(found.place), atlas.level(case.place)
    if NOWHERE in (level, case_level):
        same = level == case_level or (found.place in case.parts)
        return related and (same or together)
    if _site(found.place, atlas) == _site(case.place, atlas) is not None:
        return related or together
    if not related:
        return together and found.place == case.place
    if found.place == case.place or found.place in case.parts:
        return True
    if atlas.lies_in(found.place, case.place):
        # A whole country's trouble does not swallow, for as long as it lasts, what breaks later in one of its towns.
        return case_level >= REGION or together
    if atlas.lies_in(case.place, found.place):
        excess = sum(float(series.people[i] - series.expected[i]) for i in found.tight)
        return level >= REGION or case.people - case.expected >= SHARE_TO_WIDEN * excess
    return any(atlas.place_related(found.place, part) for part in case.parts if atlas.level(part) >= REGION)


def _site(place: int, atlas: Atlas) -> int | None:
    """The airport or spot a place lies in or is; None for cities and wider."""
    sites = [above for above in atlas.trees.above(place) if atlas.level(above) >= AIRPORT]
    return sites[-1] if sites else None


def new_case(found: Found, series: Series, tracks: Tracks, atlas: Atlas, now: float) -> Case:
    """A run, watched from now on."""
    onset = min(float(series.onset[i]) for i in found.tight)
    case = Case(found.place, [], ANY, onset, [], [], [], last_high=now)
    absorb(case, found, series, tracks, atlas)
    return case


def absorb(case: Case, found: Found, series: Series, tracks: Tracks, atlas: Atlas) -> None:
    """Take a disruption in: keywords, places, a wider scope where the old one no longer holds it."""
    keys = keys_of(series.place, series.keyword)
    keywords = [int(series.keyword[i]) for i in found.tight]
    if case.state in ("run", "signal"):
        case.place, known = found.place, [] if case.state == "run" else case.keywords
        case.onset = min(case.onset, *(float(series.onset[i]) for i in found.tight))
        case.keywords = list(dict.fromkeys([*keywords, *known]))[:MOST_KEYWORDS]
        case.tight = keys[found.tight].tolist() if case.state == "run" else _merged(case.tight, keys[found.tight])
    else:
        case.place = _widened(case.place, found.place, atlas)
        case.keywords = list(dict.fromkeys([*case.keywords, *keywords]))[:MOST_KEYWORDS]
        case.tight = _merged(case.tight, keys[found.tight])
    case.held = _merged(case.held, keys[found.inside])[-MOST_HELD:]
    for i in found.inside:
        place = int(series.place[i])
        if place != case.place and not atlas.lies_in(case.place, place):
            case.parts[place] = max(case.parts.get(place, 0.0), float(series.people[i]))
    measure(case, tracks, atlas)


def _merged(old: list[int], new: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    return list(dict.fromkeys([*old, *new.tolist()]))


def _widened(place: int, found: int, atlas: Atlas) -> int:
    """The scope that holds both, where that is a place people would name; else the scope stays and a place joins it."""
    if place == found or atlas.lies_in(found, place):
        return place
    if atlas.level(place) == NOWHERE or atlas.lies_in(place, found):
        return found if atlas.level(found) != NOWHERE else place
    common = next((above for above in atlas.trees.above(place) if atlas.lies_in(found, above)), None)
    return common if common is not None and atlas.level(common) >= CITY else place


def measure(case: Case, tracks: Tracks, atlas: Atlas) -> None:
    """Choose the keyword and the series whose people are the incident's: series whose people do not overlap."""
    case.main = _main(case, tracks, atlas)
    depth = {key: len(atlas.trees.above(key_place(key))) for key in case.tight}
    rows = tracks.find(np.asarray(case.tight, np.int64))
    excess = {key: _excess(tracks, int(row)) for key, row in zip(case.tight, rows, strict=True)}
    chosen: dict[int, int] = {}  # place -> key
    for key in sorted(case.tight, key=lambda key: (depth[key], -excess[key], key)):
        place = key_place(key)
        if not any(above in chosen for above in atlas.trees.above(place)):
            chosen[place] = key
    whole = case.place * STRIDE + case.main
    inside = [key for place, key in chosen.items() if atlas.lies_in(place, case.place)]
    outside = [key for place, key in chosen.items() if not atlas.lies_in(place, case.place)]
    outside = [key for key in outside if not atlas.lies_in(case.place, key_place(key))]
    row = tracks.row(case.place, case.main)
    holds = row >= 0 and _excess(tracks, row) >= 0.8 * max((excess[key] for key in inside), default=0.0)
    case.measured = ([whole] if holds or not inside else inside) + outside


def _main(case: Case, tracks: Tracks, atlas: Atlas) -> int:
    """The tightest keyword that has nearly all of the people; `*` when several different problems have them."""
    nodes = sorted(
        {above for keyword in case.keywords for above in atlas.trees.keywords_above(keyword) if above != ANY}
    )
    if not nodes:
        return ANY
    at = {node: _excess(tracks, tracks.row(case.place, node)) for node in nodes}
    for key in case.tight:
        node = key_keyword(key)
        if key_place(key) != case.place and node in at:
            at[node] = max(at[node], _excess(tracks, int(tracks.find(np.array([key]))[0])))
    most = max(at.values())
    several = len(atlas.topics(case.keywords)) > 1
    if several and _excess(tracks, tracks.row(case.place, ANY)) > SEVERAL_PROBLEMS * most:
        return ANY
    good = [node for node in nodes if at[node] >= NEARLY_ALL * most]
    return max(good, key=lambda node: (len(atlas.trees.keywords_above(node)), at[node], -node))


def _excess(tracks: Tracks, row: int) -> float:
    return 0.0 if row < 0 else float(tracks.data[row, PEOPLE] - tracks.data[row, EXPECTED])


__all__ = ["absorb", "belongs", "measure", "new_case"]
