"""The place an incident is told of once more people are in it: the tightest that holds all, where that is more than a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerting.case import Case
from alerting.tracks import HOUR, HOUR_EXPECTED, Tracks, keys_of
from detectors.scan import CITY, EVERYWHERE, NOWHERE, REGION, Found, explains, poisson_tail

if TYPE_CHECKING:
    from alerting.joining import Scene, Shown

BEYOND_P = 1e-3  # people outside an incident's place are more than chance, for it to be told as a wider one's
DOUBTED = 1.1  # so many times what is expected of them may be usual


def rescoped(case: Case, one: Shown, scene: Scene) -> int:
    """The tightest place that now holds case and found; the old one where that would be a place nobody means, or few people's."""
    place, found, atlas = case.place, one.found.place, scene.atlas
    if place == found or atlas.level(found) == NOWHERE:
        return place
    if atlas.level(place) == NOWHERE:
        return found
    if atlas.lies_in(place, found):
        return found if _goes_beyond(one.found, scene) else place
    if atlas.lies_in(found, place):
        if case.widened:
            return place
        return found if _holds(found, case, scene) else place
    common = next((above for above in atlas.trees.above(place) if atlas.lies_in(found, above)), None)
    return common if common is not None and atlas.level(common) >= CITY else place


def _holds(part: int, case: Case, scene: Scene) -> bool:
    """Whether a part of an incident's place explains it, people who name no place left aside."""
    everywhere = scene.atlas.level(case.place) == EVERYWHERE
    places = [part, case.place, *([scene.atlas.places.nowhere] if everywhere else [])]
    rows = scene.tracks.find(keys_of(places, [case.main] * len(places)))
    known = [tuple(scene.tracks.data[row, [HOUR, HOUR_EXPECTED]].tolist()) if row >= 0 else (0.0, 0.0) for row in rows]
    return explains(known[0], known[1], known[2] if everywhere else (0.0, 0.0))


def _goes_beyond(found: Found, scene: Scene) -> bool:
    """Whether enough people who are in no incident told yet are in it for the wider place to be told.

    Those of a told incident are taken off each keyword they count in, not only off the one that names it. What is left
    is judged by a tenth more than expected: no expectation of a wide place is known better.
    """
    series, tracks, atlas = scene.series, scene.tracks, scene.atlas
    told = [one for one in scene.cases if one.told and one.open and atlas.lies_in(one.place, found.place)]
    level = atlas.level(found.place)
    county = level == CITY and any(one.place != found.place and atlas.level(one.place) == CITY for one in told)
    if level > REGION and not county:
        return True
    others = []
    for i in found.tight:
        if scene.place[i] == found.place:
            known, usual = _told_people(told, int(series.keyword[i]), tracks)
            others.append((scene.people[i] - known, float(series.expected[i]) - usual))
    of_told = {one.place for one in told}
    holding = {above for place in of_told for above in atlas.trees.above(place)}
    lines = [atlas.trees.above(scene.place[i]) for i in found.tight]
    apart = [
        i for i, line in zip(found.tight, lines, strict=True) if line[0] not in holding and of_told.isdisjoint(line)
    ]
    others.append((float(series.people[apart].sum()), float(series.expected[apart].sum())))
    least = scene.policy.suspected_people if county else scene.policy.wide_people
    return any(
        seen - expected >= least and poisson_tail(seen, DOUBTED * expected) <= BEYOND_P for seen, expected in others
    )


def _told_people(told: list[Case], keyword: int, tracks: Tracks) -> tuple[float, float]:
    """People of a keyword, and how many are usual, at the places of told incidents; of their own keyword where that is more."""
    people = usual = 0.0
    for one in told:
        rows = tracks.find(keys_of([one.place, one.place], [keyword, one.main]))
        known = [tracks.data[row, [HOUR, HOUR_EXPECTED]].tolist() for row in rows[rows >= 0]]
        most = max(known, key=lambda pair: pair[0] - pair[1], default=(0.0, 0.0))
        people, usual = people + most[0], usual + most[1]
    return people, usual
