"""At which places words are counted, and at which they can stand out: an airport or a spot, a city, a region, everywhere."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from alerting.model import Rising
from detectors.emerging import Term
from detectors.together import distinct, together
from streams.gazetteer.table import LEVELS
from streams.part import Ints
from streams.places import Places

SITES = tuple(LEVELS.index(level) for level in ("airport", "spot"))
REGION = LEVELS.index("region")
WIDE = frozenset(LEVELS.index(level) for level in ("everywhere", "nowhere", "country", "region"))


def sites(places: Places) -> Ints:
    """int[n]: the airport or spot a place lies in or is, the outermost; any other place itself."""
    found = np.arange(len(places.parent), dtype=np.int64)
    for above in places.lineage.T:
        known = above >= 0
        found[known] = np.where(np.isin(places.level_code[above[known]], SITES), above[known], found[known])
    return found


def watched(places: Places) -> Ints:
    """int[n, 3]: for each place itself, the region it lies in, everywhere; -1 where there is none, or it is told already."""
    own = np.arange(len(places.parent), dtype=np.int64)
    regions = np.where((places.lineage >= 0) & (places.level_code[places.lineage] == REGION), places.lineage, -1)
    region = regions.max(axis=1).astype(np.int64)
    region[region == own] = -1
    own[places.everywhere] = -1
    return np.stack([own, region, np.full(len(own), places.everywhere)], axis=1)


def rising_at(found: Iterable[Term], places: Places) -> tuple[Rising, ...]:
    """What rises, the terms of one place together; an airport and its city are one place, regions and wider ones hold several."""

    def near(one: int, other: int) -> bool:
        related = places.within(one, other) or places.within(other, one)
        return one == other or (related and not {places.level_code[one], places.level_code[other]} & WIDE)

    return tuple(
        Rising(
            group.place,
            tuple((one.term, one.people, round(one.expected, 3)) for one in group.terms),
            min(one.since for one in group.terms),
            group.terms[0].p_value,
        )
        for group in together(distinct(found), near)
    )
