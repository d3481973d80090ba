"""Which series there are: dense numbers for (place, keyword), found by binary search, and the arrays a detector wants of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from streams.gazetteer.table import LEVELS
from streams.places import Places
from streams.window import MAX_KEYWORDS

Ints = npt.NDArray[np.int64]
_PROBES = [datetime(year, month, 15, tzinfo=UTC) for year in (2012, 2018, 2024) for month in (1, 3, 4, 7, 10, 11)]
ONE_CLOCK = 0.97  # share of a place's townspeople from which their clock is the place's


class SeriesIndex:
    """Series in the order they joined; those of one close join sorted by (place, keyword)."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.keys: Ints = np.zeros(0, np.int64)  # by series: place * MAX_KEYWORDS + keyword
        self._sorted: Ints = np.zeros(0, np.int64)
        self._series: Ints = np.zeros(0, np.int64)
        self.zones: list[str] = []  # one name a group, in the order groups joined
        self._clocks, self._clock_of_place = clocks(places)
        self._group_of_clock: Ints = np.full(len(self._clocks), -1, np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def place(self, series: Ints) -> Ints:
        """Place of each series."""
        return self.keys[series] // MAX_KEYWORDS

    def keyword(self, series: Ints) -> Ints:
        """Keyword of each series."""
        return self.keys[series] % MAX_KEYWORDS

    def find(self, place: Ints, keyword: Ints) -> Ints:
        """Series of known (place, keyword) pairs."""
        return self._find(place * MAX_KEYWORDS + keyword)

    def lookup(self, place: Ints, keyword: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Series of those of these pairs that are known, and which are, bool[m]."""
        keys = place * MAX_KEYWORDS + keyword
        if not len(self._sorted):
            return np.zeros(0, np.int64), np.zeros(len(keys), bool)
        slot = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        known = self._sorted[slot] == keys
        return self._series[slot[known]], known

    def find_or_add(self, place: Ints, keyword: Ints) -> Ints:
        """Series of (place, keyword) pairs that are sorted and distinct; unknown ones join."""
        keys = place * MAX_KEYWORDS + keyword
        slot = np.searchsorted(self._sorted, keys)
        known = np.zeros(len(keys), bool)
        inside = slot < len(self._sorted)
        known[inside] = self._sorted[slot[inside]] == keys[inside]
        if not known.all():
            new = keys[~known]
            self._sorted = np.insert(self._sorted, slot[~known], new)
            self._series = np.insert(self._series, slot[~known], np.arange(len(self.keys), len(self.keys) + len(new)))
            self.keys = np.concatenate((self.keys, new))
            self._join_groups(new)
        return self._find(keys)

    def mask(self, pairs: Collection[tuple[int, int]]) -> npt.NDArray[np.bool_]:
        """bool[n]: which series are among `pairs` of (place, keyword); unknown pairs are passed over."""
        mask = np.zeros(len(self.keys), bool)
        if pairs:
            both = np.array(list(pairs), np.int64)
            mask[self.lookup(both[:, 0], both[:, 1])[0]] = True
        return mask

    def below(self, place: int, keyword: int) -> npt.NDArray[np.bool_]:
        """bool[n]: series of this keyword (0: of all) at this place or in it."""
        at = self.keys // MAX_KEYWORDS
        inside: npt.NDArray[np.bool_] = (self.places.lineage[at] == place).any(axis=1)
        return inside if keyword == 0 else inside & (self.keys % MAX_KEYWORDS == keyword)

    def groups(self) -> Ints:
        """int64[n]: series whose local clocks agree share a daily and weekly profile."""
        return self._group_of_clock[self._clock_of_place[self.keys // MAX_KEYWORDS]]

    def parents(self) -> Ints:
        """int64[n]: the series of the same keyword one place up, -1 at the top."""
        place, keyword = self.keys // MAX_KEYWORDS, self.keys % MAX_KEYWORDS
        above = self.places.parent[place]
        parents = np.full(len(self.keys), -1, np.int64)
        has = above >= 0
        parents[has] = self._find(above[has] * MAX_KEYWORDS + keyword[has])
        return parents

    def restore(self, keys: Ints) -> None:
        """Take over the series of a snapshot."""
        self.keys = keys
        order = np.argsort(keys, kind="stable")
        self._sorted, self._series = keys[order], order.astype(np.int64)
        self.zones, self._group_of_clock[:] = [], -1
        self._join_groups(keys)

    def _join_groups(self, keys: Ints) -> None:
        """Number the groups that these series bring, in the series' order."""
        for clock in dict.fromkeys(self._clock_of_place[keys // MAX_KEYWORDS].tolist()):
            if self._group_of_clock[clock] < 0:
                self._group_of_clock[clock] = len(self.zones)
                self.zones.append(self._clocks[clock])

    def _find(self, keys: Ints) -> Ints:
        return self._series[np.searchsorted(self._sorted, keys)]


def clocks(places: Places) -> tuple[list[str], Ints]:
    """Time zones whose clocks agree, as one: a zone name each, and the number of each place's, int64[number of places].

    A country or state of several clocks keeps its own, and so do everywhere and nowhere: their people's day is no single town's.
    """
    zones = [places.zone(place) for place in range(len(places.parent))]
    names, of_place = np.unique(np.array(zones), return_inverse=True)
    known: dict[tuple[float, ...], int] = {}
    distinct: list[str] = []
    clock = np.zeros(len(names), np.int64)
    for number, name in enumerate(names.tolist()):
        zone = ZoneInfo(name or "UTC")
        shown = tuple((probe.astimezone(zone).utcoffset() or timedelta()).total_seconds() for probe in _PROBES)
        if shown not in known:
            known[shown] = len(distinct)
            distinct.append(name or "UTC")
        clock[number] = known[shown]
    clock_of = clock[of_place].astype(np.int64)
    for number, wide in enumerate(_of_several_clocks(places, clock_of), len(distinct)):
        distinct.append(places.zone(wide[0]) or "UTC")
        clock_of[wide] = number
    return distinct, clock_of


def _of_several_clocks(places: Places, clock_of: Ints) -> list[list[int]]:
    """Everywhere and nowhere, whose people are the same ones, and each place where many of the townspeople have another clock."""
    towns = np.flatnonzero(places.level_code == LEVELS.index("city"))
    town, column = np.nonzero(places.lineage[towns] > places.nowhere)
    above = places.lineage[towns][town, column].astype(np.int64)
    pairs, pair = np.unique(np.stack([above, clock_of[towns[town]]]), axis=1, return_inverse=True)
    people = np.bincount(pair.ravel(), places.population[towns[town]])
    several, first = np.unique(pairs[0], return_index=True)
    apart = np.maximum.reduceat(people, first) < ONE_CLOCK * np.add.reduceat(people, first)
    return [[places.everywhere, places.nowhere], *([int(one)] for one in several[apart])]
