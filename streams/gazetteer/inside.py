"""What lies in what where the gazetteer does not say it: parts in their city, cities in their county."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.gazetteer.names import plain
from streams.gazetteer.table import Row

KM_PER_DEGREE = 111.2
KINDS = (" County", " Parish", " Borough")


def kilometres(a: Row, b: Row) -> float:
    """Flat-earth distance, good enough within a metropolitan area."""
    east = (a.lon - b.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return KM_PER_DEGREE * math.hypot(a.lat - b.lat, east)


def parts_of_cities(rows: Mapping[str, Row], table: Iterable[Sequence[str]]) -> dict[str, str]:
    """City id by the id of each listed town that is a part of it. `table`: city, kind, radius in km, towns."""
    whole: dict[str, str] = {}
    for city, kind, radius_km, listed in table:
        ids = {f"city:{number}" for number in listed.split()}
        centre = rows.get(f"city:{city}")
        if centre is None:
            continue
        for row in rows.values():
            near = row.parent == centre.parent and kilometres(row, centre) < float(radius_km)
            if row is not centre and (row.id in ids if kind == "only" else near and row.id not in ids):
                whole[row.id] = centre.id
    return whole


def counties(
    cities: Iterable[Row], regions: Mapping[str, int], table: Iterable[Sequence[str]]
) -> Iterator[tuple[Row, list[Row]]]:
    """Each county with its cities, by id. `cities`: biggest first; `regions`: row numbers by id; `table`: state, county, cities.

    A county has the people of its cities, lies in the middle of them, and keeps the time of the biggest.
    Raises ValueError for a city that is not there or stands in two counties.
    """
    named: dict[tuple[int, str], list[Row]] = {}
    for row in cities:
        named.setdefault((row.parent, plain(row.name)), []).append(row)
    taken: set[str] = set()
    found: list[tuple[Row, list[Row]]] = []
    for state, name, listed in table:
        region = regions[f"region:US-{state}"]
        inside = [row for city in listed.split(";") for row in named.get((region, plain(city)), [])]
        unknown = [city for city in listed.split(";") if (region, plain(city)) not in named]
        unknown += [row.name for row in inside if row.id in taken]
        if unknown:
            raise ValueError(f"counties.tsv: {name}, {state}: no such city, or in two counties: {', '.join(unknown)}")
        taken.update(row.id for row in inside)
        found.append((_county(state, name, region, inside), inside))
    return iter(sorted(found, key=lambda one: one[0].id))


def _county(state: str, name: str, region: int, inside: Sequence[Row]) -> Row:
    short = name
    for kind in KINDS:
        short = short.removesuffix(kind)
    people = [max(row.population, 1) for row in inside]
    biggest = max(inside, key=lambda row: row.population)
    lat = sum(row.lat * weight for row, weight in zip(inside, people, strict=True)) / sum(people)
    lon = sum(row.lon * weight for row, weight in zip(inside, people, strict=True)) / sum(people)
    id_ = f"county:US-{state}/{plain(short).replace(' ', '-')}"
    return Row(id_, name, "county", region, lat, lon, sum(row.population for row in inside), biggest.zone)
