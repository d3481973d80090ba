"""Planned events as exposure: in full where they are, in all that contains them by their share of what is usual there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from alerting.places_and_keywords import ANY, Atlas
from streams.series import SeriesIndex

Floats = npt.NDArray[np.float64]
Event = tuple[int, int, float]  # place, keyword (0: all), factor


def planned(events: Iterable[Event], usual: Floats, index: SeriesIndex, atlas: Atlas) -> Floats:
    """What each series is expected to have over what it usually has, float64[n]. `usual`: expected with no event.

    A town that triples adds twice its usual count to those of its region, its country, everywhere; so does a keyword
    to those it belongs to.
    """
    exposure = np.ones(len(index))
    events = list(events)
    for place, keyword, factor in events:
        inside = np.flatnonzero(index.below(place, keyword))
        gain = (factor - 1) * exposure[inside]
        exposure[inside] *= factor
        here = index.place(inside) == place
        words = [*_wider(keyword, {k for p, k, f in events if (p, f) == (place, factor)}, atlas)]
        for word in (None, *words):
            of = index.keyword(inside) if word is None else np.full(len(inside), word)
            if word is not None:
                _add(exposure, usual, index, inside, gain, index.place(inside), of)
            for above in atlas.trees.above(place)[1:]:
                _add(exposure, usual, index, inside[here], gain[here], np.full(int(here.sum()), above), of[here])
    return np.maximum(exposure, 0.0)


def _wider(keyword: int, named: set[int], atlas: Atlas) -> list[int]:
    """Keywords above one that the event does not name; people of a problem at a subject are the problem's already."""
    line = atlas.trees.keywords_above(keyword)[1:]
    if not named.isdisjoint(line):
        return []
    counted = int(atlas.trees.keyword_problem[keyword]) in named
    return [word for word in line if not (counted and word == ANY)]


def _add(
    exposure: Floats,
    usual: Floats,
    index: SeriesIndex,
    series: npt.NDArray[np.int64],
    gain: Floats,
    place: npt.NDArray[np.int64],
    keyword: npt.NDArray[np.int64],
) -> None:
    """Give to what contains each of `series`, the (place, keyword) beside it, the part it has of what these gain."""
    whole, known = index.lookup(place, keyword)
    part = usual[series[known]]
    exposure[whole] += gain[known] * part / np.maximum(np.maximum(usual[whole], part), 1e-12)
