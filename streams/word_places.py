"""At which places words are counted, and at which they can stand out: an airport or a spot, a city, a region, everywhere."""

from __future__ import annotations

import numpy as np

from streams.gazetteer.table import LEVELS
from streams.part import Ints
from streams.places import Places

SITES = tuple(LEVELS.index(level) for level in ("airport", "spot"))
REGION = LEVELS.index("region")
WIDE = tuple(LEVELS.index(level) for level in ("everywhere", "nowhere", "country", "region"))


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


def wide(places: Places) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool[n]: places too wide for what happens in them at one time to be one thing."""
    return np.isin(places.level_code, WIDE)
