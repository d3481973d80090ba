"""Where a complaint comes from: the place it gives, its coordinates, what its text names, or the location of its author's profile, in this order.

Never a guess: where several places are as likely, the answer is the region or country that holds them, else nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from streams.gazetteer.table import LEVELS, NOWHERE
from streams.place_codes import AirportCodes
from streams.place_index import NameIndex
from streams.place_names import LocationReader
from streams.places import Places

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MEMORY = 65_536  # answers kept, least used dropped
CELL_DEGREES = 0.5
KM_PER_DEGREE = 111.2
REACH_KM = 0.6  # of a city of 1,000 people; grows with the root of its population, so that areas grow with it
BOROUGH_KM, PART_KM = 10.0, 5.0  # boroughs and parts are about as large as one another, however many people they have
CITY_KM = 20.0  # a point this near belongs to a city even beyond its reach
MAX_CITY_KM = 60.0
ACROSS = 2.5  # a big city claims no point of another region that lies so many times nearer to a town there
MAX_REGION_KM = 200.0
SAME_COUNTRY = 1.5  # times the way to the nearest city: other cities so near must agree on the region


class Resolver:
    """Answers with places of the tree given; the same question always gets the same answer."""

    nowhere = NOWHERE

    def __init__(self, places: Places) -> None:
        self.places = places
        self.names = NameIndex(places)
        self._codes = AirportCodes(places.table.airports)
        self._located = [(place, spot) for place, spot in places.spots.items() if spot.lat is not None]
        self._cities, self._lat, self._lon, self._reach = _anchors(places)
        above = places.lineage[self._cities]
        wide = (above >= 0) & (places.level_code[above] <= LEVELS.index("region"))
        self._region_of = np.where(wide, above, -1).max(axis=1)  # or country: its number is smaller than a region's
        self._at = lru_cache(MEMORY)(self._find)
        self._near = lru_cache(4_096)(self._cities_near)
        self.from_location = lru_cache(MEMORY)(LocationReader(self.names, self.at).read)

    def text_names(self) -> Iterable[tuple[str, int]]:
        """Normalised names to look for in texts, with the place each means."""
        return self.places.text_names()

    def at(self, lat: float, lon: float) -> int:
        """The place of a point (degrees): a spot it lies in, else the city it belongs to, else the region or country of the cities nearest to it."""
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            return NOWHERE
        return self._at(round(lat, 3), round(lon, 3))

    def resolve(
        self,
        place_id: str | None,
        lat: float | None,
        lon: float | None,
        hits: Sequence[int],
        raw_text: str,
        location: str | None,
    ) -> int:
        """The place of a complaint. `hits`: places the text names, as found with `text_names`; `raw_text`
        is asked for airports' codes, empty where it has none. An id that is unknown says nothing."""
        if place_id is not None and (known := self.places.find(place_id)) is not None:
            return known
        if lat is not None and lon is not None and (place := self.at(lat, lon)) != NOWHERE:
            return place
        codes = self.codes(raw_text) if raw_text else []
        if not hits and not codes:
            return self.from_location(location) if location else NOWHERE
        said = [*hits, *codes]
        found = self.names.agree(said)
        if not location or self.places.level_code[found] >= LEVELS.index("city"):
            return found
        return self._with_profile(found, said, self.from_location(location))

    def _with_profile(self, found: int, said: Sequence[int], home: int) -> int:
        """A profile makes what the text says tighter: "no power in Texas" of someone in Houston; or tells which of several places is meant."""
        within = self.places.within
        if home == NOWHERE:
            return found
        if found == NOWHERE or len(said) > 1:
            meant = [place for place in said if within(place, home) or within(home, place)]
            if meant:
                return self.names.agree(meant)
        return home if found != NOWHERE and within(home, found) else found

    def pick(self, hits: Sequence[int]) -> int | None:
        """One place out of several that a text names, None where they say nothing together."""
        place = self.names.agree(hits)
        return None if place == NOWHERE else place

    def codes(self, raw_text: str) -> list[int]:
        """Airports that a text names by code."""
        return self._codes.find(raw_text)

    def _find(self, lat: float, lon: float) -> int:
        inside = [
            (distance / spot.radius_km, place)
            for place, spot in self._located
            if spot.lat is not None
            and spot.lon is not None
            and (distance := kilometres(lat, lon, spot.lat, spot.lon)) <= spot.radius_km
        ]
        if inside:
            return min(inside)[1]
        near = self._near(math.floor(lat / CELL_DEGREES), math.floor(lon / CELL_DEGREES))
        if len(near):
            km, reach, region = self._kilometres(lat, lon, near), self._reach[near], self._region_of[near]
            share = km / reach
            best, nearest = int(share.argmin()), int(km.argmin())
            if region[best] != region[nearest] and km[best] > ACROSS * km[nearest]:
                best = int(np.where(region == region[nearest], share, np.inf).argmin())
            if km[best] <= min(max(CITY_KM, 1.5 * reach[best]), MAX_CITY_KM):
                return int(self._cities[near[best]])
        return self._region(lat, lon)

    def _cities_near(self, row: int, column: int) -> Ints:
        """Cities that a point in the cell can belong to."""
        lat, lon = (row + 0.5) * CELL_DEGREES, (column + 0.5) * CELL_DEGREES
        corner_km = KM_PER_DEGREE * CELL_DEGREES * 0.71
        return np.flatnonzero(self._kilometres(lat, lon, slice(None)) < MAX_CITY_KM + corner_km)

    def _region(self, lat: float, lon: float) -> int:
        km = self._kilometres(lat, lon, slice(None))
        nearest = float(km.min())
        if nearest > MAX_REGION_KM:
            return NOWHERE
        around = self._region_of[km <= nearest * SAME_COUNTRY]
        common = self.places.common(np.unique(around).tolist())
        return common if self.places.level(common) in ("region", "country") else NOWHERE

    def _kilometres(self, lat: float, lon: float, which: Ints | slice) -> Floats:
        """Equirectangular distance, within 1 % at the distances asked for."""
        east = (self._lon[which] - lon + 180.0) % 360.0 - 180.0
        north = self._lat[which] - lat
        middle = np.radians(self._lat[which] + lat) / 2
        return KM_PER_DEGREE * np.hypot(north, east * np.cos(middle))


def _anchors(places: Places) -> tuple[Ints, Floats, Floats, Floats]:
    """Points that stand for a city: place, latitude, longitude, reach in km. Cities and their parts; a city with boroughs is found by them."""
    table, level = places.table, places.level_code
    is_city = level == LEVELS.index("city")
    is_borough = is_city & (level[places.parent] == LEVELS.index("city"))
    is_city[places.parent[is_borough]] = False
    cities = np.flatnonzero(is_city)
    reach = REACH_KM * np.sqrt(np.maximum(places.population[cities], 1_000) / 1_000)
    reach[is_borough[cities]] = BOROUGH_KM
    part_of = np.frombuffer(table.part_of, "<i4").astype(np.int64)
    lat, lon = np.frombuffer(table.part_lat, "<f4"), np.frombuffer(table.part_lon, "<f4")
    part_reach = np.full(len(part_of), PART_KM)
    return (
        np.concatenate([cities, part_of]),
        np.concatenate([places.lat[cities], lat]),
        np.concatenate([places.lon[cities], lon]),
        np.concatenate([reach, part_reach]),
    )


def kilometres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance (haversine)."""
    a = math.sin(math.radians(other_lat - lat) / 2) ** 2
    b = (
        math.cos(math.radians(lat))
        * math.cos(math.radians(other_lat))
        * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * 6_371.0 * math.asin(min(1.0, math.sqrt(a + b)))
