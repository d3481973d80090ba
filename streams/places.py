"""The place tree: every spot, airport, city, county, region and country known, as dense integers and columns.

Read from the gazetteer (`gazetteer/NOTICE.md` names its sources); spots are added from the configuration. Degrees are WGS 84.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from streams.gazetteer.table import EVERYWHERE, LEVELS, NOWHERE, Table
from streams.text import normalise

Ints = npt.NDArray[np.int64]
SPOT = LEVELS.index("spot")
DEFAULT_RADIUS_KM = 1.0


class BadSpot(ValueError):
    """A spot of the configuration that cannot be a place; the message names it and the key."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of the configuration: a terminal, a substation, a station."""

    id: str
    name: str
    parent: str  # id of a place, which may be a spot that stands before this one
    lat: float | None = None
    lon: float | None = None
    radius_km: float = DEFAULT_RADIUS_KM
    phrases: tuple[str, ...] = ()

    @staticmethod
    def of(given: Mapping[str, Any]) -> Spot:
        """A spot from its configuration. Raises BadSpot."""
        label = given.get("id")
        if unknown := set(given) - set(Spot.__slots__):
            raise BadSpot(f"spot {label!r}: unknown key {sorted(unknown)[0]!r}")
        for key in ("id", "name", "parent"):
            if not isinstance(given.get(key), str) or not given[key].strip():
                raise BadSpot(f"spot {label!r}: {key!r} must be a text")
        fields = dict(given)
        fields["phrases"] = tuple(given.get("phrases", ()))
        spot = Spot(**fields)
        if (spot.lat is None) != (spot.lon is None):
            raise BadSpot(f"spot {label!r}: 'lat' and 'lon' go together")
        if spot.lat is not None and spot.lon is not None and not (abs(spot.lat) <= 90 and abs(spot.lon) <= 180):
            raise BadSpot(f"spot {label!r}: 'lat' and 'lon' are no place on Earth")
        if not 0 < spot.radius_km <= 500:
            raise BadSpot(f"spot {label!r}: 'radius_km' must be above 0 and at most 500")
        return spot


@cache
def read_table() -> Table:
    """The gazetteer's data file."""
    packed = resources.files("streams.gazetteer").joinpath("gazetteer.msgpack.gz").read_bytes()
    return msgspec.msgpack.decode(gzip.decompress(packed), type=Table)


class Places:
    """Columns, one entry a place, parents before children: `parent` int64[n] (-1: none), `level_code` int8[n] (of `LEVELS`), `lat` and `lon`
    float64[n], `population` int64[n] (0: not known), `lineage` int32[n, depth]: itself, its parent and so on up to everywhere, filled with -1.

    Nowhere has no parent, yet its lineage ends at everywhere: what happens at no known place still happens somewhere.
    """

    everywhere = EVERYWHERE
    nowhere = NOWHERE

    def __init__(self, table: Table, spots: Iterable[Spot] = ()) -> None:
        self.table = table
        self.spots: dict[int, Spot] = {}
        self._ids = list(table.ids)
        self._names = list(table.names)
        self._index = {id_: place for place, id_ in enumerate(self._ids)}
        parent = np.frombuffer(table.parent, "<i4").tolist()
        levels = list(table.level)
        lat, lon = (
            np.frombuffer(column, "<f4").astype(np.float64).round(5).tolist() for column in (table.lat, table.lon)
        )
        zone = np.frombuffer(table.zone, "<i2").tolist()
        for spot in spots:
            above = self._place_spot(spot)
            parent.append(above)
            levels.append(SPOT)
            lat.append(lat[above] if spot.lat is None else spot.lat)
            lon.append(lon[above] if spot.lon is None else spot.lon)
            zone.append(zone[above])
        extra = np.zeros(len(self.spots), np.int64)
        self.parent: Ints = np.array(parent, np.int64)
        self.level_code: npt.NDArray[np.int8] = np.array(levels, np.int8)
        self.lat: npt.NDArray[np.float64] = np.array(lat)
        self.lon: npt.NDArray[np.float64] = np.array(lon)
        self.population: Ints = np.concatenate([np.frombuffer(table.population, "<i4").astype(np.int64), extra])
        self._zone: npt.NDArray[np.int16] = np.array(zone, np.int16)
        self.lineage = _lineage(self.parent)
        self.digest = self._digest()

    @staticmethod
    def load(spots: Iterable[Spot | Mapping[str, Any]] = ()) -> Places:
        """The gazetteer with the spots of a configuration. Raises BadSpot."""
        return Places(read_table(), [spot if isinstance(spot, Spot) else Spot.of(spot) for spot in spots])

    def _place_spot(self, spot: Spot) -> int:
        place, id_ = len(self._ids), spot.id if spot.id.startswith("spot:") else f"spot:{spot.id}"
        above = self._index.get(spot.parent)
        if id_ in self._index:
            raise BadSpot(f"spot {spot.id!r}: 'id' is taken")
        if above is None or above == NOWHERE:
            raise BadSpot(f"spot {spot.id!r}: 'parent' {spot.parent!r} is no place")
        self._ids.append(id_)
        self._names.append(spot.name)
        self._index[id_] = place
        self.spots[place] = spot
        return above

    def _digest(self) -> str:
        state = hashlib.blake2b(digest_size=8)
        for column in (self.parent, self.level_code, self.lat, self.lon, self._zone):
            state.update(column.tobytes())
        state.update(
            "\0".join([*self._ids, *self._names, *self.table.keys, *self.table.zones, *self.table.unsure]).encode()
        )
        state.update(self.table.target + self.table.start + self.table.weight)
        state.update(msgspec.json.encode([self.table.codes, self.table.text, self.table.airports]))
        state.update(repr(list(self.spots.values())).encode())
        return state.hexdigest()

    def __len__(self) -> int:
        return len(self._ids)

    def index(self, id: str) -> int:
        """The place with this id. Raises KeyError."""
        return self._index[id]

    def find(self, id: str) -> int | None:
        """The place with this id, None where there is none."""
        return self._index.get(id)

    def id(self, place: int) -> str:
        return self._ids[place]

    def name(self, place: int) -> str:
        return self._names[place]

    def level(self, place: int) -> str:
        """spot | airport | city | county | region | country | everywhere | nowhere"""
        return LEVELS[int(self.level_code[place])]

    def zone(self, place: int) -> str:
        """IANA name of the time zone; of a county, region or country that of its biggest city."""
        return self.table.zones[int(self._zone[place])]

    def coordinates(self, place: int) -> tuple[float, float] | None:
        """Latitude and longitude; of a county the middle of its people, of a region or country its biggest city."""
        if place <= NOWHERE:
            return None
        return float(self.lat[place]), float(self.lon[place])

    def above(self, place: int) -> Iterator[int]:
        """The place itself, its parent and so on up to everywhere."""
        return (int(one) for one in self.lineage[place] if one >= 0)

    def path(self, place: int) -> list[str]:
        """Names from itself up to everywhere."""
        return [self._names[one] for one in self.above(place)]

    def within(self, place: int, other: int) -> bool:
        """Whether a place is the other or lies in it."""
        return bool((self.lineage[place] == other).any())

    def common(self, places: Iterable[int]) -> int:
        """The tightest place that contains all of them."""
        first, *others = places
        return next((one for one in self.above(first) if all(self.within(other, one) for other in others)), EVERYWHERE)

    def text_names(self) -> list[tuple[str, int]]:
        """Normalised names to look for in texts, with the place each means; those of spots win."""
        named = dict(self.table.text)
        for place, spot in self.spots.items():
            for phrase in (spot.name, *spot.phrases):
                if key := " ".join(normalise(phrase)):
                    named[key] = place
        return sorted(named.items())


def _lineage(parent: Ints) -> npt.NDArray[np.int32]:
    columns = [np.arange(len(parent), dtype=np.int32)]
    while True:
        last = columns[-1]
        above = np.where(last >= 0, parent[np.maximum(last, 0)], -1).astype(np.int32)
        if len(columns) == 1:
            above[NOWHERE] = EVERYWHERE
        if (above < 0).all():
            return np.stack(columns, axis=1)
        columns.append(above)
