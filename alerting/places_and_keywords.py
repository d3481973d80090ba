"""The two trees as ALERT asks them: what lies above, what contains what, and the arrays the scan wants."""

from __future__ import annotations

import numpy as np

from alerting.model import KeywordTree, Part, PlaceTree, Scope
from detectors.scan import AIRPORT, CITY, COUNTRY, EVERYWHERE, NOWHERE, REGION, SPOT, Trees

LEVELS = {
    "everywhere": EVERYWHERE,
    "country": COUNTRY,
    "region": REGION,
    "county": CITY,  # to the scan it is a city with boroughs
    "city": CITY,
    "airport": AIRPORT,
    "spot": SPOT,
    "nowhere": NOWHERE,
}
ANY = 0  # the root of the keywords


class Atlas:
    """Places and keywords, and the trees as arrays."""

    def __init__(self, places: PlaceTree, keywords: KeywordTree) -> None:
        self.places, self.keywords = places, keywords
        count = len(places.parent)
        levels = np.array([LEVELS[places.level(place)] for place in range(count)], np.int64)
        at = np.array([places.coordinates(place) or (np.nan, np.nan) for place in range(count)], np.float64)
        crossed = np.array([keywords.problem(keyword) for keyword in range(len(keywords.parent))], np.int64)
        self.trees = Trees(
            np.asarray(places.parent, np.int64),
            levels,
            at.reshape(-1, 2),
            np.asarray(keywords.parent, np.int64),
            crossed,
        )
        self._levels: list[int] = levels.tolist()
        self._spots: dict[int, int] = {}
        self.above = np.append(
            self.trees.place_parent, -1
        )  # the place above each; asked for "no place" it says so again
        self.depth = np.ones(count, np.int64)  # places from each up to everywhere, both counted
        up = self.trees.place_parent
        while (up >= 0).any():
            self.depth += up >= 0
            up = self.above[up]
        self._place_of: dict[str, int] | None = None
        self._keyword_of: dict[str, int] | None = None

    def level(self, place: int) -> int:
        return self._levels[place]

    def spot(self, place: int) -> int:
        """The airport or spot a place lies in or is; a city or a wider place itself."""
        spot = self._spots.get(place)
        if spot is None:
            sites = [above for above in self.trees.above(place) if self._levels[above] >= AIRPORT]
            spot = self._spots[place] = sites[-1] if sites else place
        return spot

    def lies_in(self, place: int, other: int) -> bool:
        """Whether `place` is `other` or lies in it."""
        return other in self.trees.above(place)

    def place_related(self, a: int, b: int) -> bool:
        """Whether one place lies in the other."""
        return self.lies_in(a, b) or self.lies_in(b, a)

    def belongs_to(self, keyword: int, other: int) -> bool:
        """Whether `keyword` is `other` or one of its descendants."""
        return other in self.trees.keywords_above(keyword)

    def topics(self, keywords: list[int]) -> frozenset[int]:
        """Subjects and top-level problems; none where one of the keywords is the root."""
        known = [self.trees.topics(keyword) for keyword in keywords]
        return frozenset().union(*known) if all(known) else frozenset()

    def problems(self, keywords: list[int]) -> set[int]:
        """Top-level problems of these keywords, each once; the subject of one that names no problem."""
        trees = self.trees
        found = {
            keyword: {int(trees.keyword_problem[node]) for node in trees.keywords_above(keyword)} - {-1}
            for keyword in keywords
        }
        return {topic for keyword in keywords for topic in found[keyword] or trees.topics(keyword)}

    def place_of(self, id: str) -> int | None:
        """The place of an id; None where there is none."""
        if self._place_of is None:
            self._place_of = {self.places.id(place): place for place in range(len(self.places.parent))}
        return self._place_of.get(id)

    def keyword_of(self, id: str) -> int | None:
        """The keyword of an id; None where there is none."""
        if self._keyword_of is None:
            self._keyword_of = {self.keywords.id(keyword): keyword for keyword in range(len(self.keywords.parent))}
        return self._keyword_of.get(id)

    def scope(self, place: int) -> Scope:
        at = self.places.coordinates(place)
        lat, lon = at if at is not None else (None, None)
        return Scope(
            self.places.id(place),
            self.places.name(place),
            self.places.level(place),
            tuple(self.places.path(place)),
            lat,
            lon,
            tuple(self.places.id(above) for above in self.trees.above(place)),
        )

    def part(self, place: int, people: int) -> Part:
        return Part(
            self.places.id(place),
            self.places.name(place),
            self.places.level(place),
            tuple(self.places.path(place)),
            people,
        )
