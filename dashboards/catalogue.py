"""Places and keywords by their ids, as pages and the API speak of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from alerting.model import KeywordTree, PlaceTree
from streams.runtime.why_then import Asked, asked

LEVELS = ("spot", "airport", "city", "county", "region", "country", "everywhere", "nowhere")


class PlaceName(NamedTuple):
    """What people call a place, and where it lies. `parent` is an id, None at the top."""

    id: str
    name: str
    level: str
    parent: str | None
    coordinates: tuple[float, float] | None


class Catalogue:
    """Look-ups over the two trees; unknown ids answer with themselves, for incidents outlive packs."""

    def __init__(self, places: PlaceTree, keywords: KeywordTree) -> None:
        self._places = places
        self._keywords = keywords
        self._place_index = {places.id(i): i for i in range(len(places.parent))}
        self._keyword_index = {keywords.id(i): i for i in range(len(keywords.parent))}
        self._places_known: dict[str, PlaceName] = {}
        self._by_name: dict[str, list[int]] = {}
        for i in range(len(places.parent)):
            self._by_name.setdefault(places.name(i).casefold(), []).append(i)

    def hear(self, keywords: KeywordTree) -> None:
        """Go on with the keywords of a changed pack; with those known, nothing changes."""
        if keywords is self._keywords:
            return
        self._keyword_index = {keywords.id(i): i for i in range(len(keywords.parent))}
        self._keywords = keywords

    def knows_place(self, place: str) -> bool:
        return place in self._place_index

    def knows_keyword(self, keyword: str) -> bool:
        return keyword in self._keyword_index

    def place(self, place: str) -> PlaceName:
        known = self._places_known.get(place)
        if known is None:
            known = self._places_known[place] = self._look_up(place)
        return known

    def _look_up(self, place: str) -> PlaceName:
        index = self._place_index.get(place)
        if index is None:
            return PlaceName(place, place.partition(":")[2] or place, "nowhere", None, None)
        parent = int(self._places.parent[index])
        return PlaceName(
            place,
            self._places.name(index),
            self._places.level(index),
            self._places.id(parent) if parent >= 0 else None,
            self._places.coordinates(index),
        )

    def above(self, place: str) -> Iterator[str]:
        """The ids of the places that contain this one, nearest first."""
        index = self._place_index.get(place)
        while index is not None:
            index = int(self._places.parent[index])
            if index < 0:
                return
            yield self._places.id(index)

    def contains(self, outer: str, inner: str) -> bool:
        """Whether `inner` is `outer` or lies in it."""
        return outer == inner or outer in self.above(inner)

    def asked(self, place: str, keyword: str, at: float) -> Asked:
        """What `why_then` answers. Raises KeyError for an unknown place or keyword."""
        index, number = self._place_index[place], self._keyword_index[keyword]
        return asked(self._places, self._keywords, index, number, at)

    def find_places(self, said: str, limit: int = 8) -> list[str]:
        """Ids of the places a person may mean: an id, a code as in `JFK`, a name or `name, region`; largest first."""
        said = said.strip()
        if said in self._place_index:
            return [said]
        if f"airport:{said.upper()}" in self._place_index:
            return [f"airport:{said.upper()}"]
        name, _, within = (part.strip().casefold() for part in said.partition(","))
        found = self._by_name.get(name, [])
        if within:
            found = [i for i in found if any(within in above.casefold() for above in self._places.path(i)[1:])]
        order = sorted(found, key=lambda i: (-LEVELS.index(self._places.level(i)), i))
        return [self._places.id(i) for i in order[:limit]]

    def path(self, place: str) -> list[str]:
        """Names from the place itself up to everywhere."""
        index = self._place_index.get(place)
        return [self.place(place).name] if index is None else list(self._places.path(index))

    def short(self, place: str) -> str:
        """The name for narrow columns: `John F Kennedy (JFK)` for `John F Kennedy International Airport`."""
        name = self.place(place).name
        bare = name.removesuffix(" Airport").removesuffix(" International").removesuffix(" Regional")
        return name if bare == name or not bare else f"{bare} ({place.partition(':')[2]})"

    def full_name(self, place: str) -> str:
        """`Springfield, Illinois`: the name with the nearest one above it where that helps."""
        path = self.path(place)
        return path[0] if len(path) < 3 else f"{path[0]}, {path[1]}"

    def keyword(self, keyword: str) -> str:
        index = self._keyword_index.get(keyword)
        if index == 0:
            return "any problem"
        return keyword if index is None else self._keywords.name(index)

    def keyword_parent(self, keyword: str) -> str | None:
        index = self._keyword_index.get(keyword)
        if not index:
            return None
        return self._keywords.id(int(self._keywords.parent[index]))

    def keywords(self) -> list[str]:
        """All keyword ids in the order of the pack, the root first."""
        return list(self._keyword_index)

    def top_keywords(self) -> list[str]:
        return [k for k, i in self._keyword_index.items() if i and int(self._keywords.parent[i]) == 0]

    def keyword_parts(self, keyword: str) -> list[str]:
        above = self._keyword_index.get(keyword)
        return (
            []
            if above is None
            else [k for k, i in self._keyword_index.items() if i and int(self._keywords.parent[i]) == above]
        )

    def team(self, keyword: str) -> tuple[str | None, str | None, str | None]:
        """(team, runbook address, first question) of a keyword or the nearest above it that has them."""
        index: int | None = self._keyword_index.get(keyword)
        while index is not None and index >= 0:
            found = self._keywords.team(index), self._keywords.runbook_url(index), self._keywords.first_question(index)
            if any(found):
                return found
            index = int(self._keywords.parent[index])
        return None, None, None
