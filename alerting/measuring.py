"""Whose people an incident's are: the keyword and the series that are counted, chosen anew where a case has changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from alerting.case import Case
from alerting.places_and_keywords import ANY, Atlas
from alerting.tracks import HOUR, HOUR_EXPECTED, ONSET, STRIDE, Tracks
from detectors.scan import EVERYWHERE, REGION

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NEARLY_ALL = 0.9
SEVERAL_PROBLEMS = 1.5  # all people together over those of the commonest problem
STANDS_FOR_ALL = 0.8  # of the strongest of its series, for the place's own series to be counted


def measure(case: Case, tracks: Tracks, atlas: Atlas) -> None:
    """Choose the keyword and the series whose people are the incident's: series whose people do not overlap."""
    tight = np.array(case.tight, np.int64)
    excess, place, keyword = excesses(tracks, tight), tight // STRIDE, tight % STRIDE
    elsewhere = place != case.place
    case.main = _main(case, tracks, atlas, _most_by_keyword(keyword[elsewhere], excess[elsewhere], atlas))
    case.keywords = _by_people(case, tracks, atlas, _most_by_keyword(keyword, excess, atlas))
    case.wide = EVERYWHERE <= atlas.level(case.place) <= REGION
    chosen, inside = _highest(case.place, tight, place, excess, atlas)
    whole = case.place * STRIDE + case.main
    holds = False
    if tracks.row(case.place, case.main) >= 0:
        strongest = float(excess[chosen[inside]].max()) if inside.any() else 0.0
        holds = excesses(tracks, np.array([whole]))[0] >= STANDS_FOR_ALL * strongest
    own = [whole] if holds or not inside.any() else tight[chosen[inside]].tolist()
    beside = [key for key in tight[chosen[~inside]].tolist() if not atlas.lies_in(case.place, key // STRIDE)]
    case.measured = own + beside
    rows = tracks.find(np.asarray(case.measured, np.int64))
    if case.state in ("run", "signal") and (rows >= 0).any():
        case.onset = float(tracks.data[rows[rows >= 0], ONSET].min())


def _highest(scope: int, tight: Ints, place: Ints, excess: Floats, atlas: Atlas) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Of the places that lie in no other one of `place` the strongest series each, widest first, and which lie in `scope`."""
    above = atlas.above
    given = np.zeros(len(above), bool)  # the last entry stands for "no place"
    given[place] = True
    covered, inside = np.zeros(len(place), bool), place == scope
    up = above[place]
    while (up >= 0).any():
        covered |= given[up]
        inside |= up == scope
        up = above[up]
    free = np.flatnonzero(~covered)
    free = free[np.lexsort((tight[free], -excess[free], atlas.depth[place[free]]))]
    first = np.sort(np.unique(place[free], return_index=True)[1])
    chosen = free[first]
    return chosen, inside[chosen]


def _main(case: Case, tracks: Tracks, atlas: Atlas, elsewhere: Floats) -> int:
    """The tightest keyword that has nearly all of the people; `*` when several different problems have them."""
    nodes = sorted(
        {above for keyword in case.keywords for above in atlas.trees.keywords_above(keyword) if above != ANY}
    )
    if not nodes:
        return ANY
    of = np.array([ANY, *nodes], np.int64)
    here = excesses(tracks, case.place * STRIDE + of).tolist()
    at = dict(zip(nodes, map(max, here[1:], elsewhere[of[1:]].tolist()), strict=True))
    most = max(at.values())
    several = len(atlas.problems(case.keywords)) > 1
    if several and here[0] > SEVERAL_PROBLEMS * most:
        return ANY
    good = [node for node in nodes if at[node] >= NEARLY_ALL * most] or nodes  # it may have calmed down below the usual
    return max(good, key=lambda node: (len(atlas.trees.keywords_above(node)), at[node], -node))


def _by_people(case: Case, tracks: Tracks, atlas: Atlas, anywhere: Floats) -> list[int]:
    """The case's keywords, those first whose problem most people have, and of one problem those that most people say."""
    tops = {keyword: max(atlas.trees.topics(keyword), default=ANY) for keyword in case.keywords}
    nodes = list(dict.fromkeys([*tops.values(), *case.keywords]))
    of = np.array(nodes, np.int64)
    here = dict(zip(nodes, np.maximum(excesses(tracks, case.place * STRIDE + of), anywhere[of]).tolist(), strict=True))
    return sorted(case.keywords, key=lambda keyword: (-max(here[tops[keyword]], here[keyword]), -here[keyword]))


def _most_by_keyword(keyword: Ints, excess: Floats, atlas: Atlas) -> Floats:
    """The greatest excess of a series of each keyword, float64[keywords], -inf where there is none."""
    most = np.full(len(atlas.keywords.parent), -np.inf)
    np.maximum.at(most, keyword, excess)
    return most


def excesses(tracks: Tracks, keys: Ints) -> Floats:
    """Excess of the last hour of each key's series, 0 where it is not tracked."""
    if not len(tracks.key):
        return np.zeros(len(keys))
    rows = tracks.find(keys)
    return np.where(rows >= 0, tracks.data[rows, HOUR] - tracks.data[rows, HOUR_EXPECTED], 0.0)
