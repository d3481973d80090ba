"""The form of the gazetteer's data file, and a place while it is built."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

LEVELS = ("everywhere", "nowhere", "country", "region", "county", "city", "airport", "spot")
EVERYWHERE, NOWHERE = 0, 1
BARE, HINT, RARE = (
    2,
    1,
    0,
)  # how much an airport's code says: all by itself, beside a word about flying, between others only


def spaced(words: str) -> frozenset[str]:
    """A set written as words with spaces."""
    return frozenset(words.split())


@dataclass(slots=True)
class Row:
    """A place; degrees WGS 84, `parent` is a row number."""

    id: str
    name: str
    level: str
    parent: int
    lat: float = 0.0
    lon: float = 0.0
    population: int = 0
    zone: str = ""


class Table(msgspec.Struct):
    """Places as columns, and what they are called. Integers and floats are little-endian bytes: i1, i4, f4, i4, i2.

    `keys` are normalised names; name k means the places `target[start[k]:start[k + 1]]`, each of `weight` people.
    """

    ids: list[str]
    names: list[str]
    level: bytes
    parent: bytes
    lat: bytes
    lon: bytes
    population: bytes
    zone: bytes
    zones: list[str]
    part_of: bytes  # i4: parts of a city count as the city: where they lie
    part_lat: bytes
    part_lon: bytes
    keys: list[str]
    start: bytes
    target: bytes
    weight: bytes
    codes: dict[str, list[int]]  # postal codes of regions, ISO codes of countries, in upper case; regions first
    text: list[tuple[str, int]]  # normalised names that may be looked for in any text
    airports: dict[str, tuple[int, int]]  # place and BARE, HINT or RARE by IATA code
    unsure: list[str]  # names that need a state or country beside them in a profile's location
