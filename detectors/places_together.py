"""Which tight series belong to one disruption: same place, places of one parent, neighbours; related keywords; risen together."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from detectors.scan import Columns, Trees

EVERYWHERE, COUNTRY, REGION, CITY, AIRPORT, NOWHERE = 0, 1, 2, 3, 4, -1
PARTS = {REGION: 3, COUNTRY: 5, EVERYWHERE: 4}  # so many parts of a place make it the place
SHARE = 0.6  # or parts in which so much of its usual people live, two of them at least
PART = 0.1  # of the excess of the greatest part: less does not count as a part
NEAR_KM = {CITY: 100.0, AIRPORT: 100.0, REGION: 400.0}
OVERLAP = 0.75  # two keywords share their people when both together have less than this of the sum of each
EARTH_KM = 6371.0
MOST_NEIGHBOURS = 400  # groups compared by distance


class Together:
    """Union-find over tight series. `accepted`: places that stand as scopes though no series of their own is tight."""

    def __init__(self, columns: Columns, trees: Trees, tight: list[int], coincide_seconds: float) -> None:
        self.columns, self.trees, self.tight = columns, trees, tight
        self.coincide = coincide_seconds
        self.root = {i: i for i in tight}
        self.accepted: set[int] = set()
        self.topics = {i: trees.topics(columns.keyword[i]) for i in tight}
        self.line = {i: trees.above(columns.place[i]) for i in tight}
        self.level = {i: trees.level(columns.place[i]) for i in tight}
        by_onset = sorted(tight, key=lambda i: (columns.onset[i], i))
        self.rank = {i: rank for rank, i in enumerate(by_onset)}
        pairs = zip(columns.place, columns.keyword, strict=True)
        self.expected = dict(zip(pairs, zip(columns.expected, columns.people, strict=True), strict=True))

    def groups(self) -> list[list[int]]:
        """Tight series by disruption, in the order of their strongest."""
        self._same_site()
        self._same_wide_place()
        self._parts_of_a_place()
        self._neighbours()
        self._placeless()
        groups: dict[int, list[int]] = defaultdict(list)
        for i in self.tight:
            groups[self.find(i)].append(i)
        return sorted(groups.values(), key=lambda g: (min(self.columns.p_value[i] for i in g), min(g)))

    def find(self, i: int) -> int:
        while self.root[i] != i:
            self.root[i] = self.root[self.root[i]]
            i = self.root[i]
        return i

    def join(self, a: int, b: int) -> None:
        a, b = sorted((self.find(a), self.find(b)))
        self.root[b] = a

    def _join_risen_together(self, rows: list[int]) -> None:
        for a, b in pairwise(sorted(rows, key=self.rank.__getitem__)):
            if self.columns.onset[b] - self.columns.onset[a] <= self.coincide:
                self.join(a, b)

    def _same_site(self) -> None:
        """One airport with its terminals, or one spot: whatever breaks there at once is one thing; so too in one place itself."""
        sites: dict[int, list[int]] = defaultdict(list)
        for i in self.tight:
            if self.level[i] >= CITY:
                above = [p for p in self.line[i] if self.trees.level(p) >= AIRPORT]
                sites[above[-1] if above else self.line[i][0]].append(i)
        for rows in sites.values():
            self._join_risen_together(rows)

    def _same_wide_place(self) -> None:
        """Region, country, everywhere, nowhere: one thing when the keywords are related or the same people say both."""
        places: dict[int, list[int]] = defaultdict(list)
        for i in self.tight:
            if self.level[i] < CITY:
                places[self.line[i][0]].append(i)
        for place, rows in places.items():
            strongest: list[int] = []
            for topic in sorted({topic for i in rows for topic in self.topics[i]}):
                same = [i for i in rows if topic in self.topics[i]]
                self._join_risen_together(same)
                strongest.append(max(same, key=lambda i: (self._excess(i), -i)))
            strongest += [i for i in rows if not self.topics[i]]
            for a, b in combinations(dict.fromkeys(strongest), 2):
                if self._related(a, b) or self._same_people(place, a, b):
                    self._join_risen_together([a, b])

    def _same_people(self, place: int, a: int, b: int) -> bool:
        usual, seen = self.expected.get((place, 0), (0.0, 0.0))
        return bool(0 < seen - usual < OVERLAP * (self._excess(a) + self._excess(b)))

    def _parts_of_a_place(self) -> None:
        """Many parts of a city, region or country with related keywords, or those where most of its people live: the place itself."""
        by_place: dict[tuple[int, int], list[int]] = defaultdict(list)
        every = sorted({topic for known in self.topics.values() for topic in known} or {0})
        for i in self.rank:  # in order of onset
            topics = self.topics[i] or every
            for place in self.line[i]:
                for topic in topics:
                    by_place[place, topic].append(i)
        depth = {place: len(self.trees.above(place)) for place, _ in by_place}
        several = [key for key, rows in by_place.items() if len(rows) > 1]
        for place, topic in sorted(several, key=lambda key: (-depth[key[0]], key)):
            for later in self._risen_together(by_place[place, topic]):
                if any(self.line[i][0] == place for i in later):
                    self._join_risen_together(later)
                elif self._is_whole(place, topic, later):
                    self._join_risen_together(later)
                    self.accepted.add(place)

    def _risen_together(self, rows: list[int]) -> list[list[int]]:
        """Stretches of `rows`, which are in order of onset, without a long pause, of two rows at least."""
        runs = [[rows[0]]]
        for a, b in pairwise(rows):
            if self.columns.onset[b] - self.columns.onset[a] <= self.coincide:
                runs[-1].append(b)
            else:
                runs.append([b])
        return [run for run in runs if len(run) > 1]

    def _is_whole(self, place: int, topic: int, rows: list[int]) -> bool:
        level = self.trees.level(place)
        parts: dict[int, float] = {}
        usual: dict[int, float] = {}
        for i in rows:
            part = self.line[i][self.line[i].index(place) - 1]
            parts[part] = parts.get(part, 0.0) + self._excess(i)
            own = (
                self.columns.expected[i] if topic in self.topics[i] or not topic else 0.0
            )  # of `*` it says nothing here
            usual[part] = self.expected.get((part, topic), (own, 0.0))[0]
        least = PART * max(parts.values())
        parts = {part: excess for part, excess in parts.items() if excess >= least}
        if len(parts) < 2:
            return False
        if level >= CITY or len(parts) >= PARTS.get(level, 3):
            return True
        whole, _ = self.expected.get((place, topic), (float("inf"), 0.0))
        return bool(sum(usual[part] for part in parts) >= SHARE * whole)

    def _neighbours(self) -> None:
        """Cities, airports or regions close to each other, with related keywords, are one thing also across a border."""
        heads: dict[tuple[int, int, frozenset[int]], int] = {}
        for i in sorted(self.tight, key=lambda i: (self.columns.p_value[i], i)):
            if self.level[i] >= REGION:
                heads.setdefault((self.find(i), self.line[i][0], self.topics[i]), i)
        rows = [i for i in heads.values() if not np.isnan(self.trees.place_at[self.line[i][0]]).any()][:MOST_NEIGHBOURS]
        if len(rows) < 2:
            return
        places, of = np.unique([self.line[i][0] for i in rows], return_inverse=True)
        near = self._near(places)[of][:, of]
        for a, b in np.argwhere(np.triu(near, 1)).tolist():
            one, other = rows[a], rows[b]
            if self._related(one, other):
                self._join_risen_together([one, other])

    def _near(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """bool[n, n]: which of these places are neighbours."""
        at = np.radians(self.trees.place_at[places])
        lat, lon = at[:, 0], at[:, 1]
        half = (
            np.sin((lat[:, None] - lat) / 2) ** 2
            + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        )
        km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
        reach = np.array([NEAR_KM.get(self.trees.level(place), NEAR_KM[CITY]) for place in places.tolist()])
        near: npt.NDArray[np.bool_] = km <= np.minimum(reach[:, None], reach)
        return near

    def _placeless(self) -> None:
        """People who say no place join the strongest placed disruption of their keyword that rose when they did."""
        placed = sorted((i for i in self.tight if self.level[i] != NOWHERE), key=lambda i: (self.columns.p_value[i], i))
        for i in [i for i in self.tight if self.level[i] == NOWHERE]:
            for other in placed:
                near = abs(self.columns.onset[i] - self.columns.onset[other]) <= self.coincide
                if near and not self.topics[i].isdisjoint(self.topics[other]):
                    self.join(i, other)
                    break

    def _related(self, a: int, b: int) -> bool:
        return self.trees.related(self.topics[a], self.topics[b])

    def _excess(self, i: int) -> float:
        return self.columns.excess[i]
